package config

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
)

// Wait is the wait block of a resource: what ready means, and for how long to
// wait for it.
type Wait struct {
	Enabled *bool         // nil: the command decides
	Timeout time.Duration // 0: the command decides
	// Conditions and Fields must all hold. Where there are any, they define ready instead of the
	// rule of the kind.
	Conditions []WaitCondition
	Fields     []WaitField
	// Rollout reports whether to wait until a controller has brought all its pods up
	// to date: true does so beside Conditions and Fields, false does not, and nil
	// does where there are no Conditions and Fields.
	Rollout *bool
	Range   hcl.Range

	RolloutRange hcl.Range // of the argument
}

// WaitCondition is a condition in the status of the object.
type WaitCondition struct {
	Type   string
	Status string // True, False or Unknown
}

// WaitField is a field and its expected value: Value, what Pattern matches or, where both are nil,
// anything.
type WaitField struct {
	Path    addrs.Path
	Value   *string
	Pattern *regexp.Regexp
	Range   hcl.Range // of the path
}

// IsOwn reports whether the block itself defines ready.
func (w *Wait) IsOwn() bool { return len(w.Conditions)+len(w.Fields) > 0 }

var (
	waitSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "enabled"}, {Name: "timeout"}, {Name: "rollout"}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "condition"}, {Type: "field"}},
	}
	waitConditionSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "type", Required: true}, {Name: "status"}}}
	waitFieldSchema     = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "path", Required: true}, {Name: "value"}, {Name: "regex"}}}
)

func (p *parser) wait(block *hcl.Block) Wait {
	content, diags := block.Body.Content(waitSchema)
	p.report(diags)
	w := Wait{Range: block.DefRange}
	w.Enabled, _ = p.choice(content.Attributes["enabled"])
	w.Rollout, w.RolloutRange = p.choice(content.Attributes["rollout"])
	w.Timeout = p.duration(content.Attributes["timeout"])
	for _, b := range content.Blocks {
		if b.Type == "condition" {
			w.Conditions = append(w.Conditions, p.waitCondition(b)...)
		} else {
			w.Fields = append(w.Fields, p.waitField(b)...)
		}
	}
	return w
}

// choice reads an argument that is true, false or left out, and its range.
func (p *parser) choice(attr *hcl.Attribute) (*bool, hcl.Range) {
	var on bool
	if !p.constant(attr, &on) {
		return nil, hcl.Range{}
	}
	return &on, attr.NameRange
}

// conditionStates are all that the status of a condition can be.
var conditionStates = []string{"True", "False", "Unknown"}

// waitCondition reads a condition block; none where it is wrong.
func (p *parser) waitCondition(block *hcl.Block) []WaitCondition {
	content, diags := block.Body.Content(waitConditionSchema)
	p.report(diags)
	c := WaitCondition{Status: "True"}
	if !p.constant(content.Attributes["type"], &c.Type) {
		return nil
	}
	if c.Type == "" {
		p.problem("Invalid value", content.Attributes["type"].Expr.Range(),
			"type is the name of a condition in the object's status, such as \"Ready\".")
		return nil
	}
	if attr := content.Attributes["status"]; p.constant(attr, &c.Status) && !slices.Contains(conditionStates, c.Status) {
		p.problem("Invalid value", attr.Expr.Range(),
			"The status of a condition is \"True\", \"False\" or \"Unknown\".%s", suggestState(c.Status))
		return nil
	}
	return []WaitCondition{c}
}

func suggestState(given string) string {
	for _, state := range conditionStates {
		if strings.EqualFold(state, given) {
			return words.DidYouMean(state)
		}
	}
	return words.Suggest(given, conditionStates)
}

// waitField reads a field block; none where it is wrong.
func (p *parser) waitField(block *hcl.Block) []WaitField {
	content, diags := block.Body.Content(waitFieldSchema)
	p.report(diags)
	at := content.Attributes["path"]
	if at == nil {
		return nil
	}
	f := WaitField{Range: at.Expr.Range()}
	var err error
	if f.Path, err = fieldPath(at.Expr); err != nil {
		p.problem("Invalid field path", f.Range,
			"path is a field of the object, such as status.phase or metadata.annotations[\"a.b/c\"]: %v.", err)
		return nil
	}
	value, regex := content.Attributes["value"], content.Attributes["regex"]
	if value != nil && regex != nil {
		p.problem("Conflicting arguments", regex.NameRange,
			"A field has either a value, which is compared as it is, or a regex, which matches any part of it.")
		return nil
	}
	var text string
	if p.constant(value, &text) {
		f.Value = &text
	}
	if p.constant(regex, &text) {
		if f.Pattern, err = regexp.Compile(text); err != nil {
			p.problem("Invalid regular expression", regex.Expr.Range(),
				"regex is a regular expression as Go spells them: %s.", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			return nil
		}
	}
	return []WaitField{f}
}

// duration reads a length of time such as "5m"; 0 when there is none.
func (p *parser) duration(attr *hcl.Attribute) time.Duration {
	var text string
	if !p.constant(attr, &text) {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		p.problem("Invalid duration", attr.Expr.Range(), "%s is a length of time such as \"30s\" or \"5m\".", attr.Name)
		return 0
	}
	return d
}
