package auth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

// TestUnreadableKubeconfig: what is wrong with the file is said in words about the file.
func TestUnreadableKubeconfig(t *testing.T) {
	for content, want := range map[string]string{
		"hello\n":    "it is no kubeconfig: a value of the type string",
		"- a\n- b\n": "it is no kubeconfig: a value of the type array",
		"apiVersion: v1\nkind: Config\nclusters: {}\n": "in the wrong place",
	} {
		path := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := (&clientcmd.ClientConfigLoadingRules{ExplicitPath: path}).Load()
		if err == nil {
			t.Errorf("%q is accepted", content)
			continue
		}
		if got := unreadable(err).Message; !strings.Contains(got, want) || !strings.Contains(got, path) || strings.Contains(got, "struct") {
			t.Errorf("%q: %s", content, got)
		}
	}
}

// TestKubeconfigErrorsHideCredentials: what is wrong is said without what is in the file.
func TestKubeconfigErrorsHideCredentials(t *testing.T) {
	for name, test := range map[string]struct{ users, proxy, want string }{
		"a name twice":     {`{name: u, user: {token: hunter2a}}, {name: u, user: {password: "hunter2b"}}`, "", `two of the users have the name "u"`},
		"two methods":      {`{name: u, user: {token: hunter2a, username: bob, password: hunter2b}}`, "", "more than one authentication method"},
		"a broken proxy":   {`{name: u, user: {token: hunter2a}}`, "http://bob:hunter2b@ x", "invalid 'proxy-url'"},
		"in a wrong place": {`{name: u, user: {token: [hunter2a]}}`, "", "a value of the type array is in the wrong place"},
	} {
		path := filepath.Join(t.TempDir(), "config")
		content := "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n" +
			"clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1', proxy-url: '" + test.proxy + "'}}]\nusers: [" + test.users + "]\n"
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Find(Options{ConfigPath: path})
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
