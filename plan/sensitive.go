package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// sensitivePaths are the fields of an object that must not be shown: those that the
// configuration made sensitive and those that the kind has as secrets.
func (d *decision) sensitivePaths(object map[string]any) addrs.PathSet {
	paths := d.desired.Sensitive.Clone()
	paths.AddAll(addrs.NewPathSet(sensitiveDesired(d.desired, d.fields)...))
	paths.AddAll(redact.Paths(d.kind, object))
	paths.AddAll(redact.Copies(object, secretsOf(d.desired, object, paths)))
	return paths
}

// longestShown is how many bytes of a text a message repeats.
const longestShown = 100

// shown is a value in one line of a message, masked where it is secret, and ""
// where it is more than a message can hold.
func shown(d *decision, object map[string]any, path addrs.Path) string {
	value, ok := ValueAt(object, path)
	switch {
	case !ok:
		return "not set"
	case d.sensitive.Covers(path):
		return redact.Mask
	}
	switch v := value.(type) {
	case map[string]any, []any:
		return ""
	case string:
		if strings.Contains(strings.TrimSuffix(v, "\n"), "\n") || len(v) > longestShown {
			return ""
		}
		return quoted(v)
	}
	return fmt.Sprint(value)
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }

// Masker hides the sensitive values of these objects, those to come and those that
// are there.
func Masker(changes ...*Change) redact.Masker {
	var secrets []string
	for _, c := range changes {
		secrets = append(secrets, secretsOf(c.Desired, c.Before, c.Sensitive)...)
	}
	return redact.New(secrets...)
}

func secretsOf(desired *hclspec.Desired, before map[string]any, sensitive addrs.PathSet) []string {
	var secrets []string
	if desired != nil {
		secrets = redact.TextsAt(desired.Fields, desired.Sensitive)
	}
	return append(secrets, redact.TextsAt(before, sensitive)...)
}

// LearnSecrets makes the secrets known that the configuration gives these objects, whose
// names are shown in any case.
func LearnSecrets(secrets *redact.Secrets, desired ...*hclspec.Desired) {
	for _, d := range desired {
		secrets.Show(d.Object.Name, d.Object.Namespace, d.Object.Kind, d.Addr.Resource.Name)
	}
	for _, d := range desired {
		secrets.Add(redact.TextsAt(d.Fields, d.Sensitive)...)
	}
}

// MaskSecrets hides the sensitive values of these objects in what the server said: a
// refusal repeats the value that it refuses, and a webhook may show both.
func MaskSecrets(diags hcl.Diagnostics, changes ...*Change) hcl.Diagnostics {
	if len(diags) == 0 {
		return diags
	}
	masker := Masker(changes...)
	for _, diagnostic := range diags {
		diagnostic.Detail = masker.Hide(diagnostic.Detail)
	}
	return diags
}

// discreet is what the server said without secrets.
func discreet(err error, masker redact.Masker) error {
	var refusal *kube.Error
	if !errors.As(err, &refusal) {
		return err
	}
	masked := *refusal
	masked.Message, masked.Fields = masker.Hide(refusal.Message), slices.Clone(refusal.Fields)
	for i, f := range masked.Fields {
		masked.Fields[i].Detail = masker.Hide(f.Detail)
	}
	return &masked
}

// withHiddenKeys are the sensitive fields of which the keys are secret as well: those that
// the configuration made sensitive as a whole. Which keys a Secret has is no secret.
func withHiddenKeys(kind *kinds.Kind, sensitive addrs.PathSet) addrs.PathSet {
	hidden := addrs.PathSet{}
	for path := range sensitive {
		if f := kind.At(path); f == nil || !f.Sensitive {
			hidden.Add(path)
		}
	}
	return hidden
}

// hideKeys leaves no field path in a change that leads into a sensitive field: the keys of a
// map that is sensitive as a whole are as secret as its values.
func hideKeys(c *Change) {
	hidden := withHiddenKeys(c.Kind, c.Sensitive)
	if len(hidden) == 0 {
		return
	}
	hide := hidden.Outermost
	for _, list := range []*[]Drift{&c.Drift, &c.Taken, &c.Unmanaged} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Path = hide((*list)[i].Path)
		}
		*list = slices.CompactFunc(*list, func(a, b Drift) bool { return a.Path == b.Path && a.Manager == b.Manager })
	}
	c.Relinquished = slices.Clone(c.Relinquished)
	for i := range c.Relinquished {
		c.Relinquished[i].Path = hide(c.Relinquished[i].Path)
	}
	c.Relinquished = slices.Compact(c.Relinquished)
	c.NewlyManaged = slices.Clone(c.NewlyManaged)
	for i := range c.NewlyManaged {
		c.NewlyManaged[i] = hide(c.NewlyManaged[i])
	}
	c.NewlyManaged = slices.Compact(c.NewlyManaged)
	c.Admitted = slices.Clone(c.Admitted)
	for i := range c.Admitted {
		c.Admitted[i].Path = hide(c.Admitted[i].Path)
	}
	c.Admitted = slices.Compact(c.Admitted)
}

// redacted is the plan with a keyed digest in the field of every sensitive value: a
// plan that was saved shows what it showed before.
func (p *Plan) redacted(s *state.State) *Plan {
	redacted := *p
	digest := func(value any) any { return digestOf(s, value) }
	redacted.Changes = make([]*Change, len(p.Changes))
	for i, c := range p.Changes {
		copied, hidden := *c, withHiddenKeys(c.Kind, c.Sensitive)
		copied.DesiredFields = redact.Object(c.Kind, c.DesiredFields, c.Sensitive, digest)
		copied.Before = redact.Object(c.Kind, kept(c.Before, hidden), c.Sensitive, digest)
		copied.After = redact.Object(c.Kind, kept(c.After, hidden), c.Sensitive, digest)
		copied.Sensitive = addrs.PathSet{}
		for path := range c.Sensitive {
			copied.Sensitive.Add(hidden.Outermost(path))
		}
		redacted.Changes[i] = &copied
	}
	redacted.Outputs = make([]OutputChange, len(p.Outputs))
	for i, o := range p.Outputs {
		if o.Sensitive {
			o.Before, o.After = digestOf(s, o.Before), digestOf(s, o.After)
		}
		redacted.Outputs[i] = o
	}
	return &redacted
}

// kept is what a saved plan has of an object: what is visible of it, and which
// fields somebody has set, without those in the hidden ones.
func kept(object map[string]any, hidden addrs.PathSet) map[string]any {
	shown := visible(object)
	var entries []any
	for _, e := range ownership.Of(object) {
		if e.IsDeliberate() {
			entries = append(entries, e.Without(hidden))
		}
	}
	if entries != nil {
		shown["metadata"].(map[string]any)["managedFields"] = entries
	}
	return shown
}

func digestOf(s *state.State, value any) any {
	if value == nil {
		return nil
	}
	return "digest:" + s.Digest(value)
}
