package apply

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/plan"
)

// unmet says what an object lacks of what its wait block asks for; "" when it
// has everything. A controller that has not seen the last change speaks of the
// one before, so that nothing it says counts.
func unmet(live *unstructured.Unstructured, w *hclspec.Wait) string {
	if observed, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration"); found && observed < live.GetGeneration() {
		return "its controller has not seen the change yet"
	}
	var missing []string
	for _, c := range w.Conditions {
		missing = append(missing, unmetCondition(live, c))
	}
	for _, f := range w.Fields {
		missing = append(missing, unmetField(live, f))
	}
	return join(missing...)
}

func unmetCondition(live *unstructured.Unstructured, want hclspec.WaitCondition) string {
	condition := conditionOf(live, want.Type)
	if condition == nil {
		return fmt.Sprintf("it has no condition %s yet", want.Type)
	}
	if observed, ok := condition["observedGeneration"].(int64); ok && observed < live.GetGeneration() {
		return fmt.Sprintf("condition %s is of before the change", want.Type)
	}
	if condition["status"] == want.Status {
		return ""
	}
	return fmt.Sprintf("condition %s is %v, not %s%s", want.Type, condition["status"], want.Status, said(condition))
}

// said is what a condition gives as its reason.
func said(condition map[string]any) string {
	text := ""
	for _, name := range []string{"reason", "message"} {
		if words, _ := condition[name].(string); words != "" {
			text += ": " + words
		}
	}
	return text
}

// statusPath is the one part of an object whose values are the cluster's own words:
// others may be secret, and are not told.
var statusPath = addrs.NewPath("status")

func unmetField(live *unstructured.Unstructured, want hclspec.WaitField) string {
	value, there := plan.ValueAt(live.Object, want.Path)
	if !there || value == nil {
		return fmt.Sprintf("%s is not set yet", want.Path)
	}
	have := plain(value)
	switch {
	case want.Value != nil && have != *want.Value:
		return fmt.Sprintf("%s is %s, not %q", want.Path, shown(want.Path, have), *want.Value)
	case want.Pattern != nil && !want.Pattern.MatchString(have):
		return fmt.Sprintf("%s is %s and does not match %q", want.Path, shown(want.Path, have), want.Pattern)
	}
	return ""
}

func shown(path addrs.Path, value string) string {
	if statusPath.Contains(path) {
		return fmt.Sprintf("%q", value)
	}
	return "another value"
}

// plain is a value as the configuration spells it, where numbers and truth
// values may stand without quotes.
func plain(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
