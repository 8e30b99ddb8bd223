package hclspec

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/hclspec/spectest"
)

// library answers data blocks, and remembers what was asked.
type library struct{ asked []string }

func (l *library) read(_ context.Context, q Query) ([]map[string]any, hcl.Diagnostics) {
	what := q.Kind.Name + " " + q.Namespace + "/" + q.Name
	if q.List {
		what = q.Kind.Name + "s of " + q.Namespace + " " + q.LabelSelector + " " + q.FieldSelector
	}
	l.asked = append(l.asked, what)
	object := func(name string) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": q.Kind.Name, "metadata": map[string]any{"name": name, "uid": "uid-of-" + name},
			"data": map[string]any{"ca": "Y2E="}}
	}
	switch {
	case q.List:
		return []map[string]any{object("one"), object("two")}, nil
	case q.Name == "forbidden":
		return nil, source.Problem("Forbidden", q.Range, "You may not.")
	case strings.HasPrefix(q.Name, "there"):
		return []map[string]any{object(q.Name)}, nil
	}
	return nil, nil
}

func previewData(t *testing.T, main string) (*Preview, *library, hcl.Diagnostics) {
	t.Helper()
	t.Chdir(spectest.WriteFiles(t, map[string]string{"main.kplan.hcl": main}))
	c, diags := modules.Load(context.Background(), ".")
	if diags.HasErrors() {
		return nil, nil, diags
	}
	values, _ := c.ReadVariables(config.Inputs{})
	l := &library{}
	pre, diags := NewPreview(context.Background(), c, Options{Variables: values, Read: l.read})
	return pre, l, diags
}

func dataBlock(kind, name, arguments string) string {
	return "data \"" + kind + "\" \"" + name + "\" {\n" + arguments + "\n}\n"
}

func TestData(t *testing.T) {
	pre, l, diags := previewData(t, dataBlock("ConfigMap", "ca", "  metadata {\n    name = \"there\"\n    namespace = \"kube-system\"\n  }")+
		dataBlock("Secret", "s", "  metadata {\n    name = \"there\"\n  }")+
		dataBlock("ConfigMap", "none", "  optional = true\n  metadata {\n    name = \"absent\"\n  }")+
		dataBlock("Pod", "all", "  list {\n    namespace = \"acme\"\n"+
			"    label_selector = \"app=web\"\n    field_selector = \"status.phase=Running\"\n  }")+
		dataBlock("ConfigMap", "each", "  for_each = toset([\"there-a\", \"there-b\"])\n  metadata {\n    name = each.key\n  }")+`
resource "ConfigMap" "copy" {
  for_each = { for p in data.Pod.all.items : p.metadata.name => p.metadata.uid }
  metadata { name = each.key }
  data = { uid = each.value, ca = data.ConfigMap.ca.data.ca, secret = data.Secret.s.data.ca, none = data.ConfigMap.none == null }
}
output "uids" { value = [for c in data.ConfigMap.each : c.metadata.uid] }
`)
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	slices.Sort(l.asked)
	wantEqual(t, "asked", l.asked, []string{"ConfigMap default/absent", "ConfigMap default/there-a", "ConfigMap default/there-b",
		"ConfigMap kube-system/there", "Pods of acme app=web status.phase=Running", "Secret default/there"})
	r := &recorder{}
	out, diags := Walk(context.Background(), pre, WalkOptions{}, r.visit)
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	wantEqual(t, "objects", visitedAddrs(out), []string{`ConfigMap.copy["one"]`, `ConfigMap.copy["two"]`})
	c := r.desired[`ConfigMap.copy["two"]`]
	wantEqual(t, "data", c.Fields["data"], any(map[string]any{"uid": "uid-of-two", "ca": "Y2E=", "secret": "Y2E=", "none": "true"}))
	var secret []string
	for p := range c.Sensitive {
		secret = append(secret, p.String())
	}
	wantEqual(t, "sensitive", secret, []string{"data.secret"})
	wantEqual(t, "output", out.Outputs[0].Value, any([]any{"uid-of-there-a", "uid-of-there-b"}))
}

// TestDataLater: what is not known before an object is made is asked for then, and an object of the same
// configuration is what the walk left of it.
func TestDataLater(t *testing.T) {
	main := `
resource "Namespace" "n" {
  metadata { name = "there" }
}
resource "ConfigMap" "c" {
  metadata {
    name = "c"
    labels = { own = data.Namespace.own.metadata.uid, later = data.ConfigMap.later.metadata.uid }
  }
}
` + dataBlock("Namespace", "own", "  metadata {\n    name = \"there\"\n  }") +
		dataBlock("ConfigMap", "later", "  metadata {\n    name = \"there-${Namespace.n.metadata.uid}\"\n  }")
	pre, _, diags := previewData(t, main)
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	r := &recorder{see: func(d *Desired) (Observed, error) {
		seen := served(d)
		seen.Object["metadata"].(map[string]any)["uid"] = "made"
		return seen, nil
	}}
	if _, diags := Walk(context.Background(), pre, WalkOptions{}, r.visit); diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	wantEqual(t, "order", r.order, []string{"Namespace.n", "ConfigMap.c"})
	wantEqual(t, "labels", r.desired["ConfigMap.c"].Fields["metadata"].(map[string]any)["labels"],
		any(map[string]any{"own": "made", "later": "uid-of-there-made"}))

	pre, _, diags = previewData(t, strings.ReplaceAll(main, `"there-${`, `"absent-${`))
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	out, diags := Walk(context.Background(), pre, WalkOptions{}, (&recorder{}).visit)
	if len(diags) != 1 || diags[0].Summary != "Object not found" {
		t.Errorf("diagnostics: %v", diags.Errs())
	}
	wantEqual(t, "skipped", skippedTexts(out), []string{"ConfigMap.c by data.ConfigMap.later"})
}

func TestDataErrors(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{dataBlock("ConfigMap", "a", "  metadata {\n    name = \"absent\"\n  }"),
			"main.kplan.hcl:1,1-21: Object not found; The cluster has no ConfigMap default/absent. With optional = true the value is null then."},
		{dataBlock("ConfigMap", "a", "  metadata {\n    name = \"forbidden\"\n  }"), "main.kplan.hcl:1,1-21: Forbidden; You may not."},
		{dataBlock("ConfigMap", "a", ""), "main.kplan.hcl:1,1-21: Invalid data block; A data block has either a metadata block, with the name " +
			"and the namespace of one object, or a list block, with what picks several."},
		{dataBlock("Confgmap", "a", "  metadata {\n    name = \"x\"\n  }"),
			"main.kplan.hcl:1,1-20: Unknown kind; There is no kind \"Confgmap\". Did you mean \"ConfigMap\"?"},
		{dataBlock("Namespace", "a", "  metadata {\n    name = \"x\"\n    namespace = \"y\"\n  }"),
			"main.kplan.hcl:4,17-20: Namespace of a cluster-scoped object; A Namespace is cluster-scoped: " +
				"it has no namespace. Leave the argument out."},
		{dataBlock("ConfigMap", "a", "  metadata {\n    name = sensitive(\"x\")\n  }"),
			"main.kplan.hcl:3,12-26: Invalid value; name can't be secret: requests show it."},
		{dataBlock("ConfigMap", "a", "  metadata {\n    name = \"there\"\n  }") + "output \"o\" { value = data.ConfigMap.b }\n",
			"main.kplan.hcl:6,22-38: Undeclared data block; There is no data block \"ConfigMap\" \"b\"."},
		{dataBlock("Pod", "a", "  optional = true\n  list {}"),
			"main.kplan.hcl:2,3-11: Optional list; A list that picks nothing is empty and never missing: leave the argument out."},
	} {
		_, _, diags := previewData(t, test.source)
		if len(diags) != 1 || diags[0].Error() != test.want {
			t.Errorf("%s: %d diagnostics: %v, want %s", test.source, len(diags), diags.Errs(), test.want)
		}
	}
}

// TestDataOfChecks: what a check reads is read after all else, each time, and what is wrong with it is a warning.
func TestDataOfChecks(t *testing.T) {
	inCheck := func(data, condition string) string {
		return "check \"c\" {\n" + data + "  assert {\n    condition = " + condition + "\n    error_message = \"No.\"\n  }\n}\n"
	}
	pods := dataBlock("Pod", "all", "  list {\n    namespace = \"acme\"\n  }")
	one := func(name string) string {
		return dataBlock("ConfigMap", "one", "  metadata {\n    name = \""+name+"\"\n  }")
	}
	for _, test := range []struct {
		name, source string
		status       CheckStatus
		reads        int
		want         string
	}{
		{"holds", inCheck(pods, "length(data.Pod.all.items) == 2"), CheckPass, 1, ""},
		{"does not hold", inCheck(pods, "length(data.Pod.all.items) == 3"), CheckFail, 1, "Check block assertion failed; No."},
		{"forbidden", inCheck(one("forbidden"), "data.ConfigMap.one != null"), CheckError, 1, "Forbidden; You may not."},
		{"missing", inCheck(one("absent"), "data.ConfigMap.one.data.ca == \"x\""), CheckError, 1, "Object not found; The cluster has no " +
			"ConfigMap default/absent. With optional = true the value is null then."},
		{"not asserted", inCheck(one("absent"), "1 == 1"), CheckError, 1, "Object not found"},
		{"of the configuration", inCheck(one("made"), "data.ConfigMap.one.metadata.uid == \"uid-of-made\"") +
			"resource \"ConfigMap\" \"a\" {\n  metadata { name = \"made\" }\n}\n", CheckPass, 0, ""},
		{"a condition that is none", inCheck("", "\"x\""), CheckError, 0, "Invalid condition"},
		{"known later", inCheck("", "Namespace.n.status.phase == \"x\"") +
			"resource \"Namespace\" \"n\" {\n  metadata { name = \"n\" }\n}\n", CheckUnknown, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			pre, l, diags := previewData(t, test.source)
			if len(diags) > 0 || len(l.asked) > 0 {
				t.Fatalf("before anything is visited: %v, %v", diags, l.asked)
			}
			for range 2 {
				l.asked = nil
				out, diags := Walk(context.Background(), pre, WalkOptions{}, (&recorder{}).visit)
				if len(l.asked) != test.reads || len(out.Checks) != 1 || out.Checks[0].Status != test.status {
					t.Errorf("%v asked, %+v", l.asked, out.Checks)
				}
				got := ""
				for _, d := range diags {
					got += d.Summary + "; " + d.Detail
					if d.Severity != hcl.DiagWarning {
						t.Errorf("%s is no warning", d.Summary)
					}
				}
				if !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
					t.Errorf("%s\nand should be\n%s", got, test.want)
				}
			}
		})
	}
	_, _, diags := previewData(t, inCheck(pods, "1 == 1")+"output \"o\" { value = data.Pod.all.items }\n")
	if len(diags) != 1 || diags[0].Summary != "Data block of a check" {
		t.Errorf("from elsewhere: %v", diags)
	}
	_, _, diags = previewData(t, inCheck(pods, "1 == 1")+pods)
	if len(diags) != 1 || !strings.HasPrefix(diags[0].Summary, "Duplicate") {
		t.Errorf("twice: %v", diags)
	}
}

// TestDataConditions: preconditions hold before a block is read, and postconditions for what it reads.
func TestDataConditions(t *testing.T) {
	block := func(name, condition string) string {
		return dataBlock("ConfigMap", "one", "  metadata {\n    name = \""+name+"\"\n  }\n  lifecycle {\n    "+condition+
			"\n      error_message = \"No.\"\n    }\n  }") + "output \"o\" { value = data.ConfigMap.one.metadata.uid }\n"
	}
	own := "resource \"ConfigMap\" \"a\" {\n  metadata { name = \"made\" }\n}\n"
	for _, test := range []struct{ name, source, want string }{
		{"holds not", block("there", "postcondition {\n      condition = self.data.ca == \"ca\""), "Data block postcondition failed; No."},
		{"holds", block("there", "postcondition {\n      condition = self.metadata.uid == \"uid-of-there\""), ""},
		{"before", block("forbidden", "precondition {\n      condition = 1 > 2"), "Data block precondition failed; No."},
		{"self before", block("there", "precondition {\n      condition = self != null"), "Unsupported reference; There is self only in a " +
			"postcondition. An object's values are known only after its whole block is evaluated."},
		{"of the configuration", own + block("made", "postcondition {\n      condition = self.metadata.uid == \"uid-of-made\""), ""},
		{"of the configuration, not", own + block("made", "postcondition {\n      condition = self.metadata.uid == \"x\""),
			"Data block postcondition failed; No."},
	} {
		t.Run(test.name, func(t *testing.T) {
			pre, _, diags := previewData(t, test.source)
			if !diags.HasErrors() {
				_, diags = Walk(context.Background(), pre, WalkOptions{}, (&recorder{}).visit)
			}
			got := ""
			for _, d := range diags {
				got += d.Summary + "; " + d.Detail
			}
			if got != test.want {
				t.Errorf("%s\nand should be\n%s", got, test.want)
			}
		})
	}
}

// TestDataFields: a field that the kind does not have is found before anything is read.
func TestDataFields(t *testing.T) {
	blocks := dataBlock("Pod", "one", "  metadata {\n    name = \"there\"\n  }") + dataBlock("Pod", "all", "  list {}") +
		dataBlock("Pod", "each", "  for_each = { a = 1 }\n  metadata {\n    name = \"there\"\n  }")
	for expr, want := range map[string]string{
		"data.Pod.one.metadata.uid":             "",
		"data.Pod.one.metdata.uid":              `Did you mean "metadata"?`,
		"data.Pod.one.spec.containers[0].imag":  `Did you mean "image"?`,
		"data.Pod.one.spec.containers[*].imag":  `Did you mean "image"?`,
		"data.Pod.each[\"a\"].status.podIPs":    "",
		"data.Pod.each[\"a\"].status.podIps":    `Did you mean "podIPs"?`,
		"data.Pod.all.items[*].status.phase":    "",
		"data.Pod.all.items[*].status.phas":     `Did you mean "phase"?`,
		"data.Pod.all.items[0].status.phas":     `Did you mean "phase"?`,
		"data.Pod.all[*].status":                "",
		"data.Pod.all.status":                   "data.Pod.all reads several objects, which are in the list data.Pod.all.items.",
		"[for p in data.Pod.all.items : p.a.b]": "", // what a loop hands on is not followed
	} {
		t.Chdir(spectest.WriteFiles(t, map[string]string{"main.kplan.hcl": blocks + "output \"o\" { value = " + expr + " }\n"}))
		c, diags := modules.Load(context.Background(), ".")
		if !diags.HasErrors() {
			_, diags = NewPreview(context.Background(), c, Options{})
		}
		if want == "" && len(diags) > 0 || want != "" && (len(diags) != 1 || !strings.Contains(diags[0].Detail, want)) {
			t.Errorf("%s: %v", expr, diags)
		}
	}
}
