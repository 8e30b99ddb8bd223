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
