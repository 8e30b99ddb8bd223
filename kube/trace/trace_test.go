package trace

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
)

func kindOf(t *testing.T, name string) *kinds.Kind {
	t.Helper()
	kind, err := kinds.Builtin().Lookup(name, "v1")
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

// logged is what is logged of an exchange.
func logged(t *testing.T, level slog.Level, secrets *redact.Secrets, x Exchange) string {
	t.Helper()
	var out bytes.Buffer
	tracer := Tracer{Log: log.New(&out, level, secrets), Secrets: secrets, Sensitive: func(o addrs.Object) addrs.PathSet {
		return addrs.NewPathSet(addrs.NewPath("data", "sensitive"))
	}}
	if x.Request == nil {
		x.Request, _ = http.NewRequest(http.MethodGet, "https://u:s3cr3t-canary@host/api/v1/x?a=b", nil)
	}
	if x.Hide == nil {
		x.Hide = func(text string) string { return text }
	}
	tracer.Exchange(x)
	return out.String()
}

func TestNoSecretIsLogged(t *testing.T) {
	secret := func(data string) string {
		return `{"kind":"Secret","apiVersion":"v1","metadata":{"name":"s","namespace":"n","annotations":{"copy":"s3cr3t-canary",` +
			`"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"p\":\"czNjcjN0LWNhbmFyeQ==\"}}"}},` + data + `}`
	}
	for name, x := range map[string]Exchange{
		"a Secret": {Status: 200, Kind: kindOf(t, "Secret"), Body: []byte(secret(`"data":{"p":"czNjcjN0LWNhbmFyeQ=="}`))},
		"its text": {Status: 200, Kind: kindOf(t, "Secret"), Body: []byte(secret(`"data":null,"stringData":{"p":"s3cr3t-canary"}`))},
		"a list":   {Status: 200, Kind: kindOf(t, "Secret"), Body: []byte(`{"items":[` + secret(`"data":{"p":"czNjcjN0LWNhbmFyeQ=="}`) + `]}`)},
		"by the state": {Status: 200, Kind: kindOf(t, "ConfigMap"),
			Body: []byte(`{"metadata":{"name":"a"},"data":{"sensitive":"s3cr3t-canary","copy":"a s3cr3t-canary"}}`)},
		"managedFields": {Status: 200, Kind: kindOf(t, "ConfigMap"), Body: []byte(`{"metadata":{"managedFields":[{"fieldsV1":{"f:s3cr3t-canary":{}}}]}}`)},
		"a controller's": {Status: 200, Kind: kindOf(t, "Pod"),
			Body: []byte(`{"metadata":{"name":"a","ownerReferences":[{"name":"rs"}]},"spec":{"containers":[{"env":[{"value":"s3cr3t-canary"}]}]}}`)},
		"a text":    {Status: 200, IsText: true, Body: []byte(`{"password":"s3cr3t-canary"}`)},
		"no object": {Status: 200, Body: []byte(`password: s3cr3t-canary`)},
		"what was sent": {Kind: kindOf(t, "Secret"),
			Sent: map[string]any{"metadata": map[string]any{"name": "s"}, "data": map[string]any{"p": "czNjcjN0LWNhbmFyeQ=="}}},
		"request headers": {Request: &http.Request{URL: httpURL(t),
			Header: http.Header{"Authorization": {"Bearer s3cr3t-canary"}, "X-Api-Key": {"s3cr3t-canary"}}}},
		"answer headers": {Header: http.Header{"Set-Cookie": {"s3cr3t-canary"}, "Www-Authenticate": {"s3cr3t-canary"}}},
	} {
		t.Run(name, func(t *testing.T) {
			text := logged(t, log.Trace, new(redact.Secrets), x)
			if strings.Contains(text, "canary") || strings.Contains(text, "czNjcjN0") || !strings.Contains(text, "TRACE") {
				t.Errorf("%s", text)
			}
		})
	}
}

func httpURL(t *testing.T) *url.URL {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "https://host/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.URL
}

// What is known as secret is hidden in whatever the server answers, and the rest is shown.
func TestBodies(t *testing.T) {
	secrets := new(redact.Secrets)
	secrets.Add("s3cr3t \"canary\"")
	text := logged(t, log.Trace, secrets, Exchange{Status: 422,
		Body: []byte(`{"kind":"Status","metadata":{},"message":"Invalid value: \"s3cr3t \\\"canary\\\"\": no"}`)})
	if strings.Contains(text, "canary") || !strings.Contains(text, "Invalid value: ") {
		t.Errorf("%s", text)
	}
	text = logged(t, log.Trace, secrets, Exchange{Status: 502, Body: []byte("<html>bad gateway s3cr3t \"canary\"\x1b[31m</html>")})
	if strings.Contains(text, "canary") || !strings.Contains(text, "bad gateway") || strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
	long := `{"kind":"ConfigMap","metadata":{},"data":{"a":"` + strings.Repeat("x", longestLogged) + `"}}`
	text = logged(t, log.Trace, secrets, Exchange{Status: 200, Body: []byte(long)})
	if !strings.Contains(text, "bytes more") || len(text) > 2*longestLogged {
		t.Errorf("%d bytes", len(text))
	}
	text = logged(t, slog.LevelDebug, secrets, Exchange{Status: 200, Body: []byte(long)})
	if strings.Contains(text, "xxx") || strings.Count(text, "\n") != 1 {
		t.Errorf("%s", text)
	}
}

// Without a state nothing says what is sensitive, so that no body is logged.
func TestNoBodiesWithoutState(t *testing.T) {
	var out bytes.Buffer
	tracer := Tracer{Log: log.New(&out, log.Trace, nil), Secrets: nil}
	r, _ := http.NewRequest(http.MethodGet, "https://host/", nil)
	tracer.Exchange(Exchange{Request: r, Status: 200, Kind: kindOf(t, "ConfigMap"), Sent: map[string]any{"a": "shown"}, Body: []byte(`{"a":"shown"}`)})
	if strings.Contains(out.String(), "shown") {
		t.Errorf("%s", &out)
	}
}
