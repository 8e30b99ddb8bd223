package main

import (
	"net"
	"testing"
)

func TestPortsOfLastTimeAreKeptUnlessTaken(t *testing.T) {
	first, err := choosePorts(nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	old := ports{apiServer: first[apiServer], etcd: taken}

	second, err := choosePorts(old)
	if err != nil {
		t.Fatal(err)
	}
	if second[apiServer] != first[apiServer] {
		t.Errorf("port %d was free, but %d is chosen", first[apiServer], second[apiServer])
	}
	if second[etcd] == taken || second[etcd] == 0 {
		t.Errorf("port %d is taken, and %d is chosen", taken, second[etcd])
	}
	seen := map[int]bool{}
	for name, port := range second {
		if seen[port] {
			t.Errorf("%s shares port %d", name, port)
		}
		seen[port] = true
	}
}
