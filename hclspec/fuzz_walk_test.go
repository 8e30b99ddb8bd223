package hclspec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/spectest"
	"kplan.dev/kplan/kinds"
)

// FuzzWalk checks that no configuration makes evaluation panic, and that the result is what
// Desired promises.
func FuzzWalk(f *testing.F) {
	native, fromJSON := spectest.Seeds(f, "testdata/invalid")
	files, _ := filepath.Glob("testdata/preview/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			switch part.Name {
			case "main.kplan.hcl":
				native = append(native, string(part.Data))
			case "main.kplan.json":
				fromJSON = append(fromJSON, string(part.Data))
			}
		}
	}
	for _, text := range append(native, tenants) {
		f.Add(text, false, uint8(0))
		f.Add(text, false, uint8(3))
	}
	for _, text := range fromJSON {
		f.Add(text, true, uint8(2))
	}
	if !spectest.Full() {
		limitBudget(f, 4<<20) // make torture goes to the limits of users
		limitInstances(f, 1000)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, isJSON bool, failEvery uint8) {
		c, diags := loadFuzzed(t, dir, text, isJSON)
		if diags.HasErrors() {
			return
		}
		values, _ := c.ReadVariables(config.Inputs{Partial: true})
		opts := Options{Variables: values, Kinds: kinds.Builtin(), Partial: failEvery%2 == 1}
		visits := 0
		preview, _ := NewPreview(context.Background(), c, opts)
		out, diags := Walk(context.Background(), preview, WalkOptions{Parallelism: 1},
			func(_ context.Context, d *Desired, _ map[addrs.Instance]int) (Observed, int, error) {
				visits++
				checkDesired(t, d)
				if failEvery > 0 && visits%int(failEvery) == 0 {
					return Observed{}, 0, errors.New("refused")
				}
				if visits%3 == 0 {
					return Observed{}, 0, nil
				}
				return served(d), 0, nil
			})
		for _, d := range diags {
			if d.Summary == "" || d.Detail == "" || d.Subject == nil {
				t.Errorf("a diagnostic without a range or text: %v", d)
			}
		}
		if len(out.Visited) != visits {
			t.Errorf("%d visits, %d results", visits, len(out.Visited))
		}
		fresh, _ := NewPreview(context.Background(), c, opts)
		if first, again := walkedText(fresh), walkedText(preview); first != again {
			t.Errorf("a walk of a preview that was walked before gives\n%s\nand one of a new preview\n%s", again, first)
		}
	})
}

func checkDesired(t *testing.T, d *Desired) {
	if d.Kind == nil || d.Fields["kind"] != d.Kind.Name || d.Fields["apiVersion"] != d.Kind.APIVersion() {
		t.Errorf("%s: fields without kind or API version: %v", d.Addr, d.Fields)
	}
	checkJSON(t, d, d.Fields, addrs.Path{})
	if _, err := json.Marshal(d.Fields); err != nil {
		t.Errorf("%s: %v", d.Addr, err)
	}
	for _, paths := range []addrs.PathSet{d.Unknown, d.Sensitive} {
		for p := range paths {
			if !p.IsZero() {
				if parsed, err := addrs.ParsePath(p.String()); err != nil || parsed != p {
					t.Errorf("%s: path %q: %v", d.Addr, p, err)
				}
			}
			d.RangeOf(p)
		}
	}
}

// checkJSON checks that a value is made of what unstructured objects hold, and that every field in
// it has a range in the source.
func checkJSON(t *testing.T, d *Desired, x any, at addrs.Path) {
	if r := d.RangeOf(at); r.Filename == "" {
		t.Errorf("%s: %s has no range in the source", d.Addr, at)
	}
	switch x := x.(type) {
	case map[string]any:
		for name, value := range x {
			checkJSON(t, d, value, at.Field(name))
		}
	case []any:
		for i, value := range x {
			checkJSON(t, d, value, at.Index(i))
		}
	case string, bool, int64, float64:
	case nil:
		if !d.Kind.IsCustom() {
			t.Errorf("%s: %s is null", d.Addr, at)
		}
	default:
		t.Errorf("%s: %s is a %T", d.Addr, at, x)
	}
}

// walkedText is the result of a walk in which nothing is refused.
func walkedText(preview *Preview) string {
	out, diags := Walk(context.Background(), preview, WalkOptions{Parallelism: 1},
		func(_ context.Context, d *Desired, _ map[addrs.Instance]int) (Observed, int, error) {
			return served(d), 0, nil
		})
	var text strings.Builder
	for _, v := range out.Visited {
		d := v.Desired
		fmt.Fprintln(&text, d.Addr, d.Object, d.Fields, d.Unknown.Sorted(), d.Dependencies, d.Awaits)
	}
	fmt.Fprintln(&text, out.Skipped, out.Outputs, diags)
	return text.String()
}

// loadFuzzed loads a configuration of one file, the only one in dir.
func loadFuzzed(t *testing.T, dir, text string, isJSON bool) (*config.Config, hcl.Diagnostics) {
	t.Helper()
	name, other := "main.kplan.hcl", "main.kplan.json"
	if isJSON {
		name, other = other, name
	}
	os.Remove(filepath.Join(dir, other))
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(context.Background(), dir)
}
