package readiness

import (
	"encoding/json"
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
)

// Criteria are what a configuration defines about when an object is ready.
type Criteria struct {
	// Conditions and Fields must all hold. Where there are any they replace the
	// rule of the kind.
	Conditions []Condition
	Fields     []Field
	// Rollout adds the rule of the kind to Conditions and Fields, or takes it away
	// where there are none; nil is the default.
	Rollout *bool
	// Configured is the object as the configuration has it: one that it suspends
	// or pauses is ready while it is.
	Configured map[string]any
}

// Condition is a condition in the status of an object.
type Condition struct {
	Type   string
	Status string // True, False or Unknown
}

// Field is a field path and the value that is to be there: Value, what Pattern
// matches or, where both are nil, any.
type Field struct {
	Path    addrs.Path
	Value   *string
	Pattern *regexp.Regexp
}

func (c Criteria) isOwn() bool { return len(c.Conditions)+len(c.Fields) > 0 }

// unmet is what an object lacks of its criteria; "" when it meets all. While its
// controller has not seen the last change, its status is about the one before, so
// nothing in it counts.
func unmet(live *unstructured.Unstructured, c Criteria) string {
	if observed, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration"); found && observed < live.GetGeneration() {
		return "its controller has not seen the change yet"
	}
	var missing []string
	for _, condition := range c.Conditions {
		missing = append(missing, unmetCondition(live, condition))
	}
	for _, field := range c.Fields {
		missing = append(missing, unmetField(live, field))
	}
	return join(missing...)
}

func unmetCondition(live *unstructured.Unstructured, want Condition) string {
	condition := conditionOf(live, want.Type)
	if condition == nil {
		return fmt.Sprintf("it has no condition %s yet", want.Type)
	}
	if observed, ok := condition["observedGeneration"].(int64); ok && observed < live.GetGeneration() {
		return fmt.Sprintf("condition %s is from before the change", want.Type)
	}
	if condition["status"] == want.Status {
		return ""
	}
	return fmt.Sprintf("condition %s is %v, not %s%s", want.Type, condition["status"], want.Status, reasonAndMessage(condition))
}

func reasonAndMessage(condition map[string]any) string {
	all := ""
	for _, name := range []string{"reason", "message"} {
		if value, _ := condition[name].(string); value != "" {
			all += ": " + value
		}
	}
	return all
}

// statusPath is the one part of an object whose values are the cluster's own
// words: others may be secret and are not shown.
var statusPath = addrs.NewPath("status")

func unmetField(live *unstructured.Unstructured, want Field) string {
	value, found := want.Path.ValueIn(live.Object)
	if !found || value == nil {
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

// plain is a value as the configuration spells it, where numbers and booleans may
// stand without quotes.
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
