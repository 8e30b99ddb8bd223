// Package forgetest gives tests a real forge: Gitea, which kplan-sandbox builds and starts; see sandbox/README.md.
package forgetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
)

// Forge is a forge that is running.
type Forge struct {
	Address  string `json:"address"` // http://127.0.0.1:12345
	User     string `json:"user"`    // an administrator
	Password string `json:"password"`
	Token    string `json:"token"` // with all scopes
}

// Open returns the forge whose forge.json KPLAN_TEST_FORGE names. Without one it skips the test, or fails it where
// KPLAN_TEST_REQUIRE_FORGE is set.
func Open(t testing.TB) Forge {
	t.Helper()
	path := os.Getenv("KPLAN_TEST_FORGE")
	if path == "" {
		const why = "needs a forge: KPLAN_TEST_FORGE is not set; run make e2e"
		if os.Getenv("KPLAN_TEST_REQUIRE_FORGE") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Read reads a forge.json.
func Read(path string) (f Forge, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(text, &f)
}

// API sends a request to the API of the forge as a user, in JSON, and reads the answer into a value, nil for none.
func (f Forge) API(t testing.TB, user, password, method, path string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, f.Address+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// NewToken creates a token of the forge's user with the scopes, such as write:package.
func (f Forge) NewToken(t testing.TB, scopes ...string) string {
	t.Helper()
	var token struct {
		SHA1 string `json:"sha1"`
	}
	f.API(t, f.User, f.Password, http.MethodPost, "/users/"+f.User+"/tokens",
		map[string]any{"name": fmt.Sprintf("%s %v", t.Name(), scopes), "scopes": scopes}, &token)
	return token.SHA1
}
