package main

import (
	"os"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func newTestDir(t *testing.T) dir {
	t.Helper()
	d := dir(t.TempDir())
	if err := d.create(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCredentialsAreMadeOnceAndPrivate(t *testing.T) {
	d := newTestDir(t)
	files := []string{d.pki("ca.key"), d.pki("admin.crt"), d.pki("sa.pub"), d.token(), d.config("tokens.csv")}
	var before []string
	for range 2 {
		if err := makeCredentials(d); err != nil {
			t.Fatal(err)
		}
		for i, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			before = append(before, string(text))
			if i+len(files) < len(before) && before[i] != string(text) {
				t.Errorf("%s changed", path)
			}
			if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
		}
	}
}

func TestKubeconfigOfNewUserVerifiesTheServer(t *testing.T) {
	d := newTestDir(t)
	if err := makeCredentials(d); err != nil {
		t.Fatal(err)
	}
	text, err := newUser(d, "https://127.0.0.1:1", "jane", []string{"readers"})
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	if config.Insecure || len(config.CAData) == 0 {
		t.Error("server's certificate would not be verified")
	}
	if _, err := rest.TLSConfigFor(config); err != nil {
		t.Error(err)
	}
}
