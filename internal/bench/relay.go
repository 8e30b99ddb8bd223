package main

import (
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	"k8s.io/client-go/tools/clientcmd"
)

// relay passes connections on to the API server and counts the bytes, in both
// directions and as they are on the wire: encrypted, compressed or not.
type relay struct {
	listener net.Listener
	target   string
	bytes    atomic.Int64
}

// startRelay puts a relay before the server of a kubeconfig, and writes into
// dir a kubeconfig that leads through it.
func startRelay(kubeconfig, dir string) (r *relay, through string, err error) {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return nil, "", err
	}
	cluster := config.Clusters[config.Contexts[config.CurrentContext].Cluster]
	server, err := url.Parse(cluster.Server)
	if err != nil {
		return nil, "", err
	}
	r = &relay{target: server.Host}
	if r.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, "", err
	}
	cluster.Server = "https://" + r.listener.Addr().String()
	cluster.TLSServerName = server.Hostname()
	through = filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, through); err != nil {
		return nil, "", err
	}
	go r.serve()
	return r, through, os.Chmod(through, 0o600)
}

func (r *relay) serve() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		go r.pass(client)
	}
}

func (r *relay) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer server.Close()
	go r.copy(server, client)
	r.copy(client, server)
}

// copy counts while it copies, not at the end: connections outlive commands.
func (r *relay) copy(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		r.bytes.Add(int64(n))
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				from.Close()
			}
			return
		}
	}
}
