package render

import (
	"encoding/json"
	"testing"

	"kplan.dev/kplan/hclspec"
)

// TestChecks: a check of a definition has a result for each module, and the worst of them.
func TestChecks(t *testing.T) {
	got, err := json.Marshal(checks([]hclspec.CheckResult{
		{Name: "whole", Status: hclspec.CheckPass},
		{Module: `module.app["a"]`, Name: "up", Status: hclspec.CheckFail, Problems: []string{"No pod answers."}},
		{Module: `module.app["b"]`, Name: "up", Status: hclspec.CheckUnknown},
	}))
	const want = `[{"address":{"kind":"check","name":"whole","to_display":"check.whole"},"status":"pass","instances":` +
		`[{"address":{"to_display":"check.whole"},"status":"pass"}]},` +
		`{"address":{"kind":"check","module":"module.app","name":"up","to_display":"module.app.check.up"},"status":"fail","instances":` +
		`[{"address":{"module":"module.app[\"a\"]","to_display":"module.app[\"a\"].check.up"},"status":"fail",` +
		`"problems":[{"message":"No pod answers."}]},` +
		`{"address":{"module":"module.app[\"b\"]","to_display":"module.app[\"b\"].check.up"},"status":"unknown"}]}]`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nand should be\n%s", got, err, want)
	}
}
