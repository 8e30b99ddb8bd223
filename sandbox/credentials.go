package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"kplan.dev/kplan/sandbox/pki"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// clients are the users that every sandbox has, by the name of their certificate's file.
var clients = map[string]struct {
	user   string
	groups []string
}{
	"admin":                    {"sandbox-admin", []string{"system:masters"}},
	"sandbox":                  {ownUser, []string{"system:masters"}},
	"kube-controller-manager":  {"system:kube-controller-manager", nil},
	"kube-scheduler":           {"system:kube-scheduler", nil},
	"apiserver-etcd-client":    {"kube-apiserver", nil},
	"apiserver-kubelet-client": {"kube-apiserver", nil},
}

// ownUser is the sandbox itself, when it watches over the control plane or plays the kubelets.
const ownUser = "system:kplan-sandbox"

// tokenUser is the user whose bearer token is in the file `token`. It has no rights of its own.
const tokenUser = "token-user"

// servingHosts are the names that the parts are reached under.
var servingHosts = []string{
	"127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", firstServiceIP,
}

// makeCredentials makes what keys, certificates and tokens the directory lacks. A sandbox started again keeps its own.
func makeCredentials(d dir) error {
	ca, err := ensureAuthority(d, "ca")
	if err != nil {
		return err
	}
	frontProxyCA, err := ensureAuthority(d, "front-proxy-ca")
	if err != nil {
		return err
	}
	for name, c := range clients {
		if err := ensurePair(d, name, func() (pki.Pair, error) { return ca.Client(c.user, c.groups...) }); err != nil {
			return err
		}
	}
	return errors.Join(
		ensurePair(d, "front-proxy-client", func() (pki.Pair, error) { return frontProxyCA.Client("front-proxy-client") }),
		ensurePair(d, "serving", func() (pki.Pair, error) { return ca.Server("kplan-sandbox", servingHosts...) }),
		ensureSigningKey(d),
		ensureToken(d),
	)
}

func ensureAuthority(d dir, name string) (*pki.Authority, error) {
	err := ensurePair(d, name, func() (pki.Pair, error) {
		a, err := pki.NewAuthority("kplan-sandbox " + name)
		if err != nil {
			return pki.Pair{}, err
		}
		return a.Pair, nil
	})
	if err != nil {
		return nil, err
	}
	return readAuthority(d, name)
}

func readAuthority(d dir, name string) (*pki.Authority, error) {
	pair, err := readPair(d, name)
	if err != nil {
		return nil, err
	}
	return pki.ParseAuthority(pair)
}

// ensurePair makes NAME.crt and NAME.key, unless they are there.
func ensurePair(d dir, name string, create func() (pki.Pair, error)) error {
	if _, err := readPair(d, name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	pair, err := create()
	if err != nil {
		return err
	}
	if err := d.write(d.pki(name+".key"), pair.Key); err != nil {
		return err
	}
	return d.write(d.pki(name+".crt"), pair.Cert)
}

func readPair(d dir, name string) (pki.Pair, error) {
	cert, err := os.ReadFile(d.pki(name + ".crt"))
	if err != nil {
		return pki.Pair{}, err
	}
	key, err := os.ReadFile(d.pki(name + ".key"))
	return pki.Pair{Cert: cert, Key: key}, err
}

// ensureSigningKey makes the key that signs service account tokens.
func ensureSigningKey(d dir) error {
	if _, err := os.Stat(d.pki("sa.pub")); err == nil {
		return nil
	}
	private, public, err := pki.NewSigningKey()
	if err != nil {
		return err
	}
	if err := d.write(d.pki("sa.key"), private); err != nil {
		return err
	}
	return d.write(d.pki("sa.pub"), public)
}

// ensureToken makes the token of tokenUser, and the API server's file of such tokens.
func ensureToken(d dir) error {
	token, err := os.ReadFile(d.token())
	if errors.Is(err, os.ErrNotExist) {
		token = []byte(rand.Text())
		err = d.write(d.token(), token)
	}
	if err != nil {
		return err
	}
	return d.write(d.config("tokens.csv"), fmt.Appendf(nil, "%s,%s,%s\n", token, tokenUser, tokenUser))
}

// kubeconfigFor is the text of a kubeconfig for a user who shows a client certificate. It needs no other file.
func kubeconfigFor(server string, ca []byte, user string, pair pki.Pair) ([]byte, error) {
	const name = "kplan-sandbox"
	return clientcmd.Write(api.Config{
		CurrentContext: name,
		Clusters:       map[string]*api.Cluster{name: {Server: server, CertificateAuthorityData: ca}},
		Contexts:       map[string]*api.Context{name: {Cluster: name, AuthInfo: user}},
		AuthInfos:      map[string]*api.AuthInfo{user: {ClientCertificateData: pair.Cert, ClientKeyData: pair.Key}},
	})
}

// newUser is the text of a kubeconfig for a user that the API server has not met yet.
func newUser(d dir, server, user string, groups []string) ([]byte, error) {
	ca, err := readAuthority(d, "ca")
	if err != nil {
		return nil, err
	}
	pair, err := ca.Client(user, groups...)
	if err != nil {
		return nil, err
	}
	return kubeconfigFor(server, ca.Cert, user, pair)
}

// writeKubeconfigs writes those of the sandbox's own users that reach the API server with one.
func writeKubeconfigs(d dir, server string) error {
	ca, err := os.ReadFile(d.pki("ca.crt"))
	if err != nil {
		return err
	}
	files := map[string]string{"admin": d.kubeconfig()}
	for _, name := range []string{"sandbox", "kube-controller-manager", "kube-scheduler"} {
		files[name] = d.client(name)
	}
	for name, path := range files {
		pair, err := readPair(d, name)
		if err != nil {
			return err
		}
		text, err := kubeconfigFor(server, ca, clients[name].user, pair)
		if err != nil {
			return err
		}
		if err := d.write(path, text); err != nil {
			return err
		}
	}
	return nil
}
