package modules_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/modules/oci"
)

// faulty wraps a registry: where the fault answers a request, the registry does not.
func faulty(fault func(w http.ResponseWriter, r *http.Request) (answered bool)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead || !fault(w, r) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

func isTags(r *http.Request) bool     { return strings.HasSuffix(r.URL.Path, "/tags/list") }
func isManifest(r *http.Request) bool { return strings.Contains(r.URL.Path, "/manifests/") }
func isBlob(r *http.Request) bool     { return strings.Contains(r.URL.Path, "/blobs/") }

func status(code int, header ...string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(`{"errors":[{"code":"X","message":"said \u001b[2J\u202ethe registry"}]}`))
	}
}

func text(body string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) { _, _ = w.Write([]byte(body)) }
}

// TestHostileRegistries: each answer that is not the right one has a message, and leaves nothing behind.
func TestHostileRegistries(t *testing.T) {
	const noModule = "the registry has no such module, or these credentials may not read it."
	for _, c := range []struct {
		name   string
		on     func(*http.Request) bool
		answer func(http.ResponseWriter)
		want   string
	}{
		{"401", isTags, status(401, "WWW-Authenticate", `Basic realm="x"`), "the registry wants credentials, or does not accept those that it got. " +
			"Log in with docker login or oras login"},
		{"401 without a challenge", isTags, status(401), "the registry wants credentials"},
		{"a token server that is none", isTags, status(401, "WWW-Authenticate", `Bearer realm="http://127.0.0.1:1/token"`), "connection refused"},
		{"a token server elsewhere", isTags, status(401, "WWW-Authenticate", `Bearer realm="ftp://x/token"`), `bearer realm "ftp://x/token" uses unsupported scheme "ftp".`},
		{"403", isTags, status(403), "the registry forbids it to this account (the registry says: said  [2J the registry)."},
		{"404", isTags, status(404), noModule},
		{"429", isTags, status(429, "Retry-After", "3600"), "the registry gets too many requests, also after kplan waited."},
		{"500", isTags, status(500), "the registry has a problem of its own: it answers 500"},
		{"teapot", isTags, status(418), "the registry answers 418"},
		{"tags are a page", isTags, text("<html>"), "the server's answer is not that of an OCI registry."},
		{"tags are nothing", isTags, text(""), "the server's answer is not that of an OCI registry."},
		{"no tags", isTags, text(`{"name":"x","tags":null}`), "has no version: none of its tags has three numbers"},
		{"tags are numbers", isTags, text(`{"tags":[1]}`), "the server's answer is not that of an OCI registry."},
		{"odd tags", isTags, text(`{"tags":["../x","v1.0.0\u0000","1.0","latest","99999999999.0.0"]}`), "has no version: none of its tags"},
		{"a tag that is not there", isTags, text(`{"tags":["7.0.0"]}`), noModule},
		{"endless tags", isTags, func(w http.ResponseWriter) {
			w.Header().Set("Link", `</v2/team/app/tags/list?last=x>; rel="next"`)
			_, _ = w.Write([]byte(`{"tags":["1.0.0"]}`))
		}, "the registry lists more tags than a module can have"},
		{"many tags", isTags, text(`{"tags":["` + strings.Repeat(`x","`, 300_000) + `"]}`), "the registry's answer ends in the middle."},
		{"redirects for ever", isTags, func(w http.ResponseWriter) {
			w.Header().Set("Location", "/v2/team/app/tags/list")
			w.WriteHeader(307)
		}, "the registry redirects more than five times"},
		{"redirect to a file", isTags, func(w http.ResponseWriter) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(307)
		}, `unsupported protocol scheme "file"`},
		{"manifest 404", isManifest, status(404), noModule},
		{"manifest 403", isManifest, status(403), "the registry forbids it"},
		{"manifest is a page", isManifest, text("<html>"), "the server's answer is not that of an OCI registry."},
		{"blob 404", isBlob, status(404), noModule},
		{"blob 403", isBlob, status(403), "the registry forbids it"},
		{"blob is another", isBlob, text("evil"), "the registry sent something of another size than the manifest has for it."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			on := false
			source := newRegistryAt(t, faulty(func(w http.ResponseWriter, r *http.Request) bool {
				if on && c.on(r) {
					c.answer(w)
					return true
				}
				return false
			}))
			push(t, source, "1.0.0", map[string]string{"main.kplan.hcl": ""})
			on = true
			begun := time.Now()
			o := modules.Options{Cache: t.TempDir(), LockMode: modules.Update, OCI: oci.Options{Timeout: 40 * time.Second}}
			_, diags := open(t, t.TempDir(), o).Resolve(t.Context(), call(t, source, ""))
			got := fmt.Sprint(diags)
			if !diags.HasErrors() || !strings.Contains(got, c.want) || strings.ContainsAny(got, "\x1b\u202e") {
				t.Errorf("%s\nand should have\n%s", got, c.want)
			}
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// artifact is a manifest as a registry could have it.
func artifact(layer []byte, change func(*ocispec.Manifest)) []byte {
	m := ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest, ArtifactType: oci.ArtifactType, Config: ocispec.DescriptorEmptyJSON,
		Layers: []ocispec.Descriptor{{MediaType: oci.LayerType, Digest: digest.FromBytes(layer), Size: int64(len(layer))}},
	}
	m.SchemaVersion = 2
	if change != nil {
		change(&m)
	}
	text, _ := json.Marshal(m)
	return text
}

// fake is a registry that has one manifest and one layer, and may send others.
type fake struct {
	manifest, layer         []byte
	sentManifest, sentLayer []byte
	mediaType               string
	slow                    bool
}

func (f fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	send := func(declared, sent []byte, mediaType string) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Docker-Content-Digest", digest.FromBytes(declared).String())
		w.Header().Set("Content-Length", fmt.Sprint(len(declared)))
		if r.Method == http.MethodHead {
			return
		}
		if f.slow && isBlob(r) {
			_, _ = w.Write(sent[:1])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(sent)
	}
	or := func(a, b []byte) []byte {
		if a == nil {
			return b
		}
		return a
	}
	switch {
	case isTags(r):
		_, _ = w.Write([]byte(`{"tags":["1.0.0"]}`))
	case isManifest(r):
		mediaType := f.mediaType
		if mediaType == "" {
			mediaType = ocispec.MediaTypeImageManifest
		}
		send(f.manifest, or(f.sentManifest, f.manifest), mediaType)
	case isBlob(r):
		send(f.layer, or(f.sentLayer, f.layer), "application/octet-stream")
	default:
		w.WriteHeader(200)
	}
}

// TestHostileArtifacts: what a registry has under a tag that is no module, or not what its digest says.
func TestHostileArtifacts(t *testing.T) {
	packed := pack(t, map[string]string{"main.kplan.hcl": "# good\n"}).Archive
	other := pack(t, map[string]string{"main.kplan.hcl": "# evil\n"}).Archive
	good := artifact(packed, nil)
	changed := func(f func(*ocispec.Manifest)) fake { return fake{manifest: artifact(packed, f), layer: packed} }
	index, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageIndex, "manifests": []any{}})
	flipped := bytes.Clone(packed)
	flipped[len(flipped)/2] ^= 1
	for _, c := range []struct {
		name string
		has  fake
		want string
	}{
		{"an image", changed(func(m *ocispec.Manifest) { m.ArtifactType, m.Config.MediaType = "", ocispec.MediaTypeImageConfig }),
			"it is no module of kplan, but something of the type application/vnd.oci.image.config.v1+json. Modules are published with " +
				"kplan module push"},
		{"a chart", changed(func(m *ocispec.Manifest) {
			m.ArtifactType, m.Config.MediaType = "", "application/vnd.cncf.helm.config.v1+json"
		}), "something of the type application/vnd.cncf.helm.config.v1+json."},
		{"an index", fake{manifest: index, layer: packed, mediaType: ocispec.MediaTypeImageIndex}, "something of the type " +
			"application/vnd.oci.image.index.v1+json."},
		{"no layers", changed(func(m *ocispec.Manifest) { m.Layers = nil }), "it has 0 layers, and a module has one"},
		{"two layers", changed(func(m *ocispec.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }), "it has 2 layers, and a module has one"},
		{"a layer of another type", changed(func(m *ocispec.Manifest) { m.Layers[0].MediaType = "application/zip" }),
			"its layer is something of the type application/zip, and that of a module is of the type application/vnd.kplan.module.v1.tar+gzip"},
		{"a large layer", changed(func(m *ocispec.Manifest) { m.Layers[0].Size = 1 << 40 }), "its archive has more than 64 MiB"},
		{"a negative layer", changed(func(m *ocispec.Manifest) { m.Layers[0].Size = -1 }), "its archive has more than 64 MiB"},
		{"a digest that is none", changed(func(m *ocispec.Manifest) { m.Layers[0].Digest = "sha256:../../x" }), "the registry's " +
			"answer is no manifest"},
		{"another size", changed(func(m *ocispec.Manifest) { m.Layers[0].Size-- }), "the registry sent something of another size " +
			"than the manifest has for it."},
		{"garbage", fake{manifest: []byte("garbage"), layer: packed}, "the registry's answer is no manifest"},
		{"a huge manifest", fake{manifest: bytes.Repeat([]byte(" "), 5<<20), layer: packed}, "the manifest has more than 1 MiB"},
		{"another manifest", fake{manifest: good, sentManifest: artifact(other, nil), layer: packed}, "another digest than the one " +
			"that was asked for"},
		{"another layer", fake{manifest: artifact(packed, nil), layer: packed, sentLayer: other}, "with another digest than the " +
			"manifest has for it"},
		{"a flipped bit", fake{manifest: good, layer: packed, sentLayer: flipped}, "with another digest than the manifest has for it"},
		{"a layer that is cut off", fake{manifest: good, layer: packed, sentLayer: packed[:40]}, "ends in the middle"},
		{"a slow layer", fake{manifest: good, layer: packed, slow: true}, "the registry did not send all of it within 3s"},
		{"no archive", fake{manifest: artifact([]byte("x"), nil), layer: []byte("x")}, "the archive ends in the middle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source := serve(t, c.has)
			o := modules.Options{Cache: t.TempDir(), LockMode: modules.Update, OCI: oci.Options{Timeout: 3 * time.Second}}
			_, diags := open(t, t.TempDir(), o).Resolve(t.Context(), call(t, source, ""))
			if got := fmt.Sprint(diags); !diags.HasErrors() || !strings.Contains(got, c.want) {
				t.Errorf("%s\nand should have\n%s", got, c.want)
			}
		})
	}
}

// TestReplacedLayer: a tag that stands for another digest than the lock file has is an error that names both.
func TestReplacedLayer(t *testing.T) {
	source := newRegistry(t, nil)
	repository := push(t, source, "1.0.0", map[string]string{"main.kplan.hcl": "# good\n"})
	before, err := repository.Resolve(t.Context(), "1.0.0")
	must(t, err)
	c, dir := call(t, source, "~> 1.0"), t.TempDir()
	initialize(t, dir, modules.Options{Cache: t.TempDir()}, c)
	push(t, source, "1.0.0", map[string]string{"main.kplan.hcl": "# evil\n"})
	after, err := repository.Resolve(t.Context(), "1.0.0")
	must(t, err)
	for _, mode := range []modules.LockMode{modules.Pinned, modules.Update, modules.ReadOnly} {
		_, diags := open(t, dir, modules.Options{Cache: t.TempDir(), LockMode: mode}).Resolve(t.Context(), c)
		got := fmt.Sprint(diags)
		if !strings.Contains(got, "The tag 1.0.0 of "+source+" is now "+after+", and the lock file has "+before) {
			t.Errorf("mode %d: %s", mode, got)
		}
	}
}

// TestRetriedRegistry: what is better the next time is tried again.
func TestRetriedRegistry(t *testing.T) {
	var asked atomic.Int32
	source := newRegistry(t, faulty(func(w http.ResponseWriter, r *http.Request) bool {
		if isTags(r) && asked.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	}))
	push(t, source, "1.0.0", map[string]string{"main.kplan.hcl": ""})
	initialize(t, t.TempDir(), modules.Options{Cache: t.TempDir()}, call(t, source, ""))
	if asked.Load() != 2 {
		t.Errorf("it was asked %d times", asked.Load())
	}
}

// TestCredentialsStayThere: the credentials for a registry don't go where it redirects to.
func TestCredentialsStayThere(t *testing.T) {
	var leaked atomic.Bool
	elsewhere := answers(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			leaked.Store(true)
		}
		w.WriteHeader(404)
	})
	var authorized atomic.Bool
	source := newRegistry(t, faulty(func(w http.ResponseWriter, r *http.Request) bool {
		if isManifest(r) || r.URL.Path == "/v2/" {
			return false
		}
		if user, password, _ := r.BasicAuth(); user != "me" || password != "hunter2secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(401)
			return true
		}
		if isBlob(r) {
			authorized.Store(true)
			http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
			return true
		}
		return false
	}))
	host, _, _ := strings.Cut(strings.TrimPrefix(source, "oci://"), "/")
	login(t, host, "me", "hunter2secret")
	push(t, source, "1.0.0", map[string]string{"main.kplan.hcl": ""})
	dir := t.TempDir()
	r := open(t, dir, modules.Options{Cache: t.TempDir(), LockMode: modules.Update})
	_, diags := r.Resolve(t.Context(), call(t, source, ""))
	if got := fmt.Sprint(diags); !diags.HasErrors() || strings.Contains(got, "hunter2") || !authorized.Load() {
		t.Errorf("%s", got)
	}
	if leaked.Load() {
		t.Error("the password was sent elsewhere")
	}
}
