package kube

import (
	"encoding/json"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
)

// FuzzStatusError feeds answers that no API server gives. Whatever comes must
// turn into an error, and a Secret's value must not come with it.
func FuzzStatusError(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `"x"`, `<html>`, `404 page not found`,
		`{"kind":"Status","code":409,"reason":"Conflict","details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"a\\\"b\" with subresource \"scale\" using v1 at 2026-01-02T03:04:05Z","field":".spec.x[y=\"1\"]"}]}}`,
		`{"kind":"Status","message":"failed to create typed patch object (a/b; /v1, Kind=Secret): errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:sesame-sesame}\n  .x: field not declared in schema"}`,
		`{"kind":"Status","message":"strict decoding error: unknown field \"spec.a\", unknown field \"spec.b[0]\\\"\"","details":null}`,
		`{"kind":"Status","message":"json: cannot unmarshal string into Go struct field ConfigMap.data of type int"}`,
		`{"kind":"Status","details":{"causes":[{"reason":"FieldValueInvalid","message":"Invalid value: \"sesame-sesame\": no","field":"data[a]"},{"field":"]["},{"field":"<nil>"},{"field":"a..b"}]}}`,
	} {
		for _, code := range []int{200, 301, 400, 401, 403, 404, 409, 422, 500, 503} {
			f.Add(code, body)
		}
	}
	sent := map[string]any{"data": map[string]any{"a": "sesame-sesame"}}
	f.Fuzz(func(t *testing.T, code int, body string) {
		r := &request{op: "create", object: addrs.Object{Version: "v1", Kind: "Secret", Namespace: "n", Name: "a"}, path: "/api",
			sent: sent, effect: once}
		e := statusError(r, code, []byte(body))
		shown := e.Error() + e.Reason.String() + e.Advice
		for _, field := range e.Fields {
			shown += field.Path.String() + field.Detail
		}
		for _, c := range e.Conflicts {
			shown += c.Path.String()
		}
		if strings.Contains(e.Message, "sesame-sesame") {
			t.Errorf("the value is shown: %s", shown)
		}
	})
}

// TestStatusOfWebhooksAndQuotas tells what failed from what is merely not ready yet.
func TestStatusOfWebhooksAndQuotas(t *testing.T) {
	for _, test := range []struct {
		code    int
		message string
		want    Reason
		advice  string
	}{
		{500, `conversion webhook for a.example.com/v1, Kind=Gadget failed: Post "https://a.n.svc:443/": connection refused`,
			WebhookFailed, "converts its objects between versions"},
		{500, `Internal error occurred: failed calling webhook "a.example.com": connection refused`, WebhookFailed, ""},
		{500, `etcdserver: leader changed`, Unavailable, ""},
		{500, `etcdserver: request is too large`, TooLarge, ""},
		{500, `duplicate nodePort: {TCP 30226}`, Invalid, ""},
		{500, `failed to create typed live object (n/g; a.example.com/v1, Kind=Gadget): .spec.text: expected numeric (int or float), got string`,
			LiveUnfit, ""},
		{403, `gadgets.a.example.com "g" is forbidden: status unknown for quota: q, resources: count/gadgets.a.example.com`,
			QuotaUncounted, ""},
		{403, `pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1`, QuotaExceeded, ""},
	} {
		r := &request{op: "create", object: addrs.Object{Group: "a.example.com", Version: "v1", Kind: "Gadget", Name: "g"}, effect: once}
		body, _ := json.Marshal(map[string]any{
			"kind": "Status", "code": test.code, "message": test.message, "details": map[string]any{"name": "g"},
		})
		e := statusError(r, test.code, body)
		if e.Reason != test.want || !strings.Contains(e.Advice, test.advice) || (test.advice == "") != (e.Advice == "") {
			t.Errorf("%s: %s, %q", test.message, e.Reason, e.Advice)
		}
	}
}
