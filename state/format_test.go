package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kplan.dev/kplan/addrs"
)

func addr(t testing.TB, text string) addrs.Instance {
	t.Helper()
	a, err := addrs.ParseInstance(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func object(t testing.TB, text string) addrs.Object {
	t.Helper()
	o, err := addrs.ParseObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// example uses every field of the format.
func example(t testing.TB) *State {
	return &State{
		Format:  Format,
		Lineage: "3c9d5f9e-58f5-4a21-8fb7-6ac1e53f1d01",
		Serial:  7,
		Cluster: "b6a1ad4e-2c0f-4c57-9d61-0d4a1f0f7a55",
		Key:     bytes.Repeat([]byte{0xA5, 0x5A}, keySize/2),
		Objects: []Object{
			{Addr: addr(t, "Namespace.tenant"), Object: object(t, "v1 Namespace acme"), UID: "u-1", Protected: true},
			{
				Addr: addr(t, "ReplicationController.app"), Object: object(t, "v1 ReplicationController acme/web"), UID: "u-2",
				Dependencies: []addrs.Instance{addr(t, "Namespace.tenant")}, Digest: "000102030405060708090a0b0c0d0e0f", Applied: applied(),
			},
			{Addr: addr(t, "ReplicationController.app"), Object: object(t, "v1 ReplicationController acme/former"), UID: "u-0", Deposed: true,
				Applied: applied()},
			{
				Addr: addr(t, `module.shop["a.b"].Deployment.web["<x>"]`), Object: object(t, "apps/v1 Deployment acme/shop"), UID: "u-3",
				Dependencies: []addrs.Instance{addr(t, "Namespace.tenant"), addr(t, "ReplicationController.app")},
			},
		},
		Pending: []Pending{
			{Addr: addr(t, "Pod.job[0]"), Object: object(t, "v1 Pod acme/job"), Action: PendingCreate,
				Dependencies: []addrs.Instance{addr(t, "Namespace.tenant")}},
			{Addr: addr(t, "Service.old"), Object: object(t, "v1 Service acme/old"), Action: PendingDelete, UID: "u-4"},
		},
		Outputs: map[string]Output{
			"ports": {Value: []any{int64(80), 0.5, "http", true, nil},
				Type: []any{"tuple", []any{"number", "number", "string", "bool", "dynamic"}}},
			"password": {Type: "string", Sensitive: true, Digest: "0f0e0d0c0b0a09080706050403020100"},
		},
	}
}

func applied() []addrs.Path {
	return []addrs.Path{addrs.NewPath("metadata", "labels", "app.kubernetes.io/name"), addrs.NewPath("spec", "replicas"),
		addrs.NewPath("spec", "template", "spec", "containers").Select(map[string]any{"name": "app"}).Field("image")}
}

// TestFormat2 reads and writes the state of testdata, which is never changed:
// every later kplan must read it.
func TestFormat2(t *testing.T) {
	const golden = "testdata/format2.json"
	data, err := example(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(golden)
	if os.IsNotExist(err) {
		if err := os.WriteFile(golden, data, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("%s was missing and has been written", golden)
	}
	if diff := cmp.Diff(string(want), string(data)); diff != "" {
		t.Errorf("written differently (-before +now):\n%s", diff)
	}
	s, err := Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example(t), s, comparable); diff != "" {
		t.Errorf("read differently (-want +got):\n%s", diff)
	}
	if a, b := s.Objects[1].Applied, s.Objects[2].Applied; &a[0] != &b[0] {
		t.Error("equal sets of fields are not shared")
	}
}

// A state of format 1, which does not record the fields that were applied, is read,
// and written as what it has become.
func TestFormat1(t *testing.T) {
	data, err := os.ReadFile("testdata/format1.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want := example(t)
	for i := range want.Objects {
		want.Objects[i].Applied = nil
	}
	if diff := cmp.Diff(want, s, comparable); diff != "" {
		t.Errorf("read differently (-want +got):\n%s", diff)
	}
	again, err := s.Encode()
	if err != nil || !strings.Contains(string(again), `"format": 2`) {
		t.Errorf("written as %s, %v", again, err)
	}
}

// No name inside of a sensitive field is in a path that is recorded.
func TestMaskPath(t *testing.T) {
	s := example(t)
	sensitive := addrs.NewPathSet(addrs.NewPath("data"), path(t, `spec.env[name="hush"].name`), path(t, `spec.list`))
	for text, want := range map[string]string{
		"spec.replicas":               "spec.replicas",
		"data":                        "data",
		"data.hush":                   `data["hmac:` + s.Digest("hush") + `"]`,
		`spec.env[name="hush"].value`: `spec.env[name="hmac:` + s.Digest(`"hush"`) + `"].value`,
		`spec.env[name="loud"].value`: `spec.env[name="loud"].value`,
		`spec.list[port=80,proto="x"].value`: `spec.list[port="hmac:` + s.Digest("80") + `",proto="hmac:` + s.Digest(`"x"`) +
			`"]["hmac:` + s.Digest("value") + `"]`,
	} {
		if got := s.MaskPath(path(t, text), sensitive); got != path(t, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func path(t testing.TB, text string) addrs.Path {
	t.Helper()
	p, err := addrs.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var comparable = cmp.Exporter(func(reflect.Type) bool { return true })

func TestEncodeIsDeterministic(t *testing.T) {
	s := example(t)
	want, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s.Objects[0], s.Objects[3] = s.Objects[3], s.Objects[0]
	s.Objects[1], s.Objects[2] = s.Objects[2], s.Objects[1]
	s.Pending[0], s.Pending[1] = s.Pending[1], s.Pending[0]
	got, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("the order of entries shows:\n%s", cmp.Diff(string(want), string(got)))
	}
}

func TestDecodeTakesOtherWhiteSpace(t *testing.T) {
	data, err := example(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"CRLF":       bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")),
		"tabs":       bytes.ReplaceAll(data, []byte("  "), []byte("\t")),
		"no newline": bytes.TrimSpace(data),
	} {
		if s, err := Decode(data); err != nil || !s.Equal(example(t)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	encoded, err := example(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	good := string(encoded)
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the example has no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	// signed gives an edited state the checksum it would have had.
	signed := func(change func(*State)) string {
		s := example(t)
		change(s)
		text, err := s.canonical()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`%s,"checksum":%q}`, text[:len(text)-1], checksum(text))
	}
	for _, test := range []struct{ name, data, want string }{
		{"empty", "", "is empty"},
		{"zeros", strings.Repeat("\x00", 4096), "only zero bytes"},
		{"BOM", "\uFEFF" + good, "byte order mark"},
		{"gzip", "\x1f\x8b\x08\x00rest", "gunzip"},
		{"latin1", edit("acme", "acm\xe9"), "not UTF-8"},
		{"conflict", edit("  \"objects\"", "<<<<<<< HEAD\n  \"objects\""), "git merge"},
		{"cut", good[:len(good)/2], "is cut off"},
		{"cut at the brace", strings.TrimSuffix(good, "}\n"), "is cut off"},
		{"conflict from the beginning", "<<<<<<< HEAD\n" + good, "git merge"},
		{"trailing", good + "{}", "text after its end"},
		{"trailing character", good + "x", "text after its end"},
		{"trailing state", good + good, "text after its end"},
		{"syntax", edit(`"serial": 7,`, `"serial": 7;`), "line 4, column 14"},
		{"array", "[]", "is not a kplan state"},
		{"null", "null", "field format is missing"},
		{"no format", "{}", "field format is missing"},
		{"format as text", edit(`"format": 2`, `"format": "one"`), "is not a kplan state"},
		{"newer", edit(`"format": 2`, `"format": 3`), "written by a newer kplan (format 3; this kplan knows 2); upgrade kplan"},
		{"newer with other fields", `{"format":3,"objects":{"a":1}}`, "newer kplan"},
		{"older", edit(`"format": 2`, `"format": 0`), "unknown format 0"},
		{"terraform", `{"version":4,"terraform_version":"1.11.0","serial":1}`, "written by Terraform"},
		{"unknown field", edit(`"serial"`, `"sequel": 1, "serial"`), `unknown field "sequel"`},
		{"unknown field of an object", edit(`"uid"`, `"spec": {}, "uid"`), `unknown field "objects[0].spec"`},
		{"other case", edit(`"serial"`, `"Serial"`), `unknown field "Serial"`},
		{"key twice", edit(`"serial": 7`, `"serial": 7, "serial": 7`), `duplicate field "serial"`},
		{"key of an object twice", edit(`"uid": "u-1"`, `"uid": "u-1", "uid": "u-1"`), `duplicate field "objects[0].uid"`},
		{"output twice", edit(`"password": {`, `"ports": {}, "password": {`), `duplicate field "outputs.ports"`},
		{"no checksum", good[:strings.LastIndex(good, ",")] + "}", "checksum is missing"},
		{"edited", edit("acme/web", "acme/wob"), "checksum does not match"},
		{"object removed", edit(good[strings.Index(good, "    {\n"):strings.Index(good, "    {\n      \"address\": "+
			"\"Repl")], ""), "checksum does not match"},
		{"no lineage", signed(func(s *State) { s.Lineage = "" }), "lineage is missing"},
		{"endless serial", signed(func(s *State) { s.Serial = 1<<64 - 1 }), "higher than any number"},
		{"negative serial", edit(`"serial": 7`, `"serial": -7`), "does not have the format"},
		{"odd lineage", signed(func(s *State) { s.Lineage = "main" }), "not a UUID"},
		{"no key", signed(func(s *State) { s.Key = nil }), "key has 0 bytes"},
		{"address twice", signed(func(s *State) { s.Objects[1].Addr = s.Objects[0].Addr }), "address Namespace.tenant occurs twice"},
		{"object twice", signed(func(s *State) { s.Objects[1].Object = s.Objects[0].Object }), "are both the object v1 Namespace acme"},
		{"object twice by version", signed(func(s *State) {
			s.Objects[1].Object = s.Objects[3].Object
			s.Objects[1].Object.Version = "v2"
		}), "are both the object"},
		{"unknown set of fields", edit(`"field_set": "`, `"field_set": "f`), "which is missing"},
		{"edited set of fields", edit(`"spec.replicas"`, `"spec.size"`), "is not as kplan writes it"},
		{"no uid", signed(func(s *State) { s.Objects[1].UID = "" }), "ReplicationController.app has no uid"},
		{"bad address", strings.Replace(good, "Namespace.tenant", "tenant", 1), "not a resource address"},
		{"bad object", strings.Replace(good, "v1 Namespace acme", "acme", 1), "does not name an object"},
		{"no address", strings.Replace(good, `"address": "Namespace.tenant",`, "", 1), "is not an address"},
		{"bad action", signed(func(s *State) { s.Pending[0].Action = "ponder" }), `unknown action "ponder"`},
		{"delete without uid", signed(func(s *State) { s.Pending[1].UID = "" }), "delete of Service.old has no uid"},
		{"pending twice", signed(func(s *State) { s.Pending[1] = s.Pending[0] }), "occurs twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := Decode([]byte(test.data))
			var bad *DecodeError
			if !errors.As(err, &bad) {
				t.Fatalf("Decode gave %v, want a *DecodeError", err)
			}
			if s != nil {
				t.Errorf("a state came with the error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if bad.Advice == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("no advice, or more than a line: %q", err)
			}
		})
	}
}

// stateOf4KiB is a small stack's.
func stateOf4KiB(t testing.TB) (*State, []byte) {
	s := example(t)
	for i := 0; ; i++ {
		s.Put(Object{
			Addr:         addr(t, fmt.Sprintf("Pod.web[%d]", i)),
			Object:       object(t, fmt.Sprintf("v1 Pod acme/web-%d", i)),
			UID:          fmt.Sprintf("00000000-0000-4000-8000-%012d", i),
			Dependencies: []addrs.Instance{addr(t, "Namespace.tenant")},
			Digest:       s.Digest(i),
		})
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if len(data) >= 4096 {
			return s, data
		}
	}
}

// TestDecodeDamage flips every bit, cuts at every length and leaves out every byte: what
// is read is never another state. That is the full size; the sample flips one bit of each
// byte, and cuts and leaves out at every fourth.
func TestDecodeDamage(t *testing.T) {
	t.Parallel()
	s, data := stateOf4KiB(t)
	check := func(what string, at int, damaged []byte) {
		got, err := Decode(damaged)
		if err == nil && !got.Equal(s) {
			t.Fatalf("%s at byte %d (%q): read as another state", what, at, data[max(0, at-20):min(len(data), at+20)])
		}
	}
	masks := []byte{1, 2, 4, 8, 16, 32, 64, 128, 255}
	for i := range data {
		for n, mask := range masks {
			if *Torture || n == i%len(masks) {
				data[i] ^= mask
				check("a flip", i, data)
				data[i] ^= mask
			}
		}
		if *Torture || i%4 == 0 {
			check("a cut", i, data[:i])
			check("a byte lost", i, append(append([]byte{}, data[:i]...), data[i+1:]...))
		}
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i := range lines {
		twice := bytes.Join(append(append([][]byte{}, lines[:i+1]...), lines[i:]...), nil)
		check("a line twice", 0, twice)
		check("a line lost", 0, bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil))
	}
	for from := 0; from < len(data); from += 512 {
		block := append([]byte{}, data...)
		clear(block[from:min(from+512, len(block))])
		check("a block of zeros", from, block)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*State){
		"no address":     func(s *State) { s.Objects[0].Addr = addrs.Instance{} },
		"odd address":    func(s *State) { s.Objects[0].Addr.Resource.Name = "a b" },
		"odd UTF-8":      func(s *State) { s.Objects[0].Addr.Key = addrs.StringKey("\xff") },
		"no object":      func(s *State) { s.Objects[0].Object = addrs.Object{} },
		"odd object":     func(s *State) { s.Objects[0].Object.Name = "a/b" },
		"odd need":       func(s *State) { s.Objects[0].Dependencies = []addrs.Instance{{}} },
		"no uid":         func(s *State) { s.Objects[0].UID = "" },
		"no lineage":     func(s *State) { s.Lineage = "" },
		"no format":      func(s *State) { s.Format = 0 },
		"not JSON":       func(s *State) { s.Outputs["f"] = Output{Value: func() {}} },
		"address twice":  func(s *State) { s.Objects[0].Addr = s.Objects[1].Addr },
		"identity twice": func(s *State) { s.Objects[0].Object = s.Objects[1].Object },
	} {
		s := example(t)
		change(s)
		if data, err := s.Encode(); err == nil {
			t.Errorf("%s: written as\n%s", name, data)
		} else if !strings.Contains(err.Error(), "bug in kplan") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRoundTrip writes and reads arbitrary states.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := arbitrary(t)
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if !s.Equal(got) {
			t.Fatalf("read as another state:\n%s", cmp.Diff(s, got, comparable))
		}
		again, err := got.Encode()
		if err != nil || !bytes.Equal(data, again) {
			t.Fatalf("written differently when read and written: %v", err)
		}
	})
}

func arbitrary(t *rapid.T) *State {
	s := New()
	s.Serial = rapid.Uint64Max(maxSerial).Draw(t, "serial")
	address := rapid.Custom(func(t *rapid.T) addrs.Instance {
		r := addrs.Resource{
			Module: rapid.SampledFrom([]string{"", "module.a", `module.a["x.y"].module.b[3]`}).Draw(t, "module"),
			Type:   rapid.StringMatching(`[A-Z][A-Za-z0-9]{0,8}`).Draw(t, "type"),
			Name:   rapid.StringMatching(`[a-z_][a-z0-9_-]{0,8}`).Draw(t, "name"),
		}
		return r.Instance(rapid.OneOf(
			rapid.Just(addrs.Key{}),
			rapid.Map(rapid.IntRange(0, 1000), addrs.IntKey),
			rapid.Map(rapid.String(), addrs.StringKey),
		).Draw(t, "key"))
	})
	name := rapid.StringMatching(`[a-z][a-z0-9.-]{0,8}`)
	for _, a := range rapid.SliceOfNDistinct(address, 0, 20, addrs.Instance.String).Draw(t, "addresses") {
		s.Put(Object{
			Addr: a,
			Object: addrs.Object{
				Group:     rapid.SampledFrom([]string{"", "apps", "a.example.com"}).Draw(t, "group"),
				Version:   rapid.SampledFrom([]string{"", "v1", "v1beta1"}).Draw(t, "version"),
				Kind:      rapid.StringMatching(`[A-Z][A-Za-z]{0,5}`).Draw(t, "kind"),
				Namespace: rapid.OneOf(rapid.Just(""), name).Draw(t, "namespace"),
				Name:      fmt.Sprint("n", len(s.Objects)), // identities differ
			},
			UID:               "u" + rapid.String().Draw(t, "uid"),
			Dependencies:      rapid.SliceOfN(address, 0, 3).Draw(t, "needs"),
			Digest:            rapid.String().Draw(t, "digest"),
			AcknowledgedDrift: rapid.String().Draw(t, "accepted drift"),
			Protected:         rapid.Bool().Draw(t, "protected"),
			Retained:          rapid.Bool().Draw(t, "retained"),
		})
	}
	s.Outputs = rapid.MapOfN(rapid.String(), rapid.Map(rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Uint64(), func(i uint64) any { return i }),
		rapid.Map(rapid.Float64Range(-1e300, 1e300), func(f float64) any { return []any{f} }),
	), func(v any) Output { return Output{Value: v} }), 0, 5).Draw(t, "outputs")
	return s
}

func FuzzDecode(f *testing.F) {
	_, data := stateOf4KiB(f)
	f.Add(data)
	f.Add([]byte(`{"format":1}`))
	golden, err := os.ReadFile("testdata/format1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(data)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(again); err != nil || !got.Equal(s) {
			t.Fatalf("a state that was read can't be written and read: %v", err)
		}
	})
}

func stateOf(t testing.TB, n int) *State {
	s := New()
	ns := addr(t, "Namespace.tenant")
	for i := range n {
		o := object(t, fmt.Sprintf("v1 ReplicationController acme-%d/web", i))
		s.Objects = append(s.Objects, Object{
			Addr:         ns.Resource.Instance(addrs.StringKey(fmt.Sprintf("acme-%d", i))),
			Object:       o,
			UID:          fmt.Sprintf("00000000-0000-4000-8000-%012d", i),
			Dependencies: []addrs.Instance{ns, addr(t, fmt.Sprintf("ConfigMap.settings[%d]", i))},
			Digest:       s.Digest(i),
		})
	}
	s.sort()
	return s
}

func BenchmarkDecode10000(b *testing.B) {
	data, err := stateOf(b, 10_000).Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode10000(b *testing.B) {
	s := stateOf(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Encode(); err != nil {
			b.Fatal(err)
		}
	}
}
