package hclspec

import (
	"fmt"
	"testing"
)

// The names in a sensitive output may be secret: its type, which is stored and shown, has
// none of them.
func TestOutputTypes(t *testing.T) {
	preview := previewOf(t, `
		output "plain" { value = { a = 1 } }
		output "text" {
		  sensitive = true
		  value     = "x"
		}
		output "keyed" {
		  sensitive = true
		  value     = { (sensitive("hunter2")) = 1 }
		}
		output "inside" {
		  sensitive = true
		  value     = [1, { (sensitive("hunter2")) = 1 }]
		}
	`)
	want := map[string]string{"plain": "[object map[a:number]]", "text": "string", "keyed": "dynamic", "inside": "dynamic"}
	for _, o := range preview.Outputs() {
		if got := fmt.Sprint(o.Type); got != want[o.Name] {
			t.Errorf("%s: type %s, want %s", o.Name, got, want[o.Name])
		}
		delete(want, o.Name)
	}
	if len(want) > 0 {
		t.Errorf("no outputs %v", want)
	}
}
