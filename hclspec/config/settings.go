package config

import (
	"fmt"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/source"
)

var settingsSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "required_version"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "cluster"}, {Type: "backend", LabelNames: []string{"type"}}, {Type: "encryption"}},
}

// settings reads a kplan block. There may be several, each with a part.
func (l *loader) settings(block *hcl.Block) {
	content, diags := block.Body.Content(settingsSchema)
	l.parser.report(diags)
	if attr := content.Attributes["required_version"]; attr != nil {
		l.requiredVersion(attr)
	}
	for _, b := range content.Blocks {
		if !l.declareOnce(b.Type+" block", b.DefRange) {
			continue
		}
		switch b.Type {
		case "cluster":
			_, diags := b.Body.Content(clusterSchema)
			l.parser.report(diags)
			l.config.Settings.Cluster = b
		case "encryption":
			_, diags := b.Body.Content(encryptionSchema)
			l.parser.report(diags)
			l.config.Settings.Encryption = b
		default:
			l.backend(b)
		}
	}
}

// declareOnce is declare for what has no name of its own.
func (l *loader) declareOnce(what string, at hcl.Range) bool {
	if first, taken := l.seen[what]; taken {
		l.parser.problem("Duplicate setting", at, "A configuration has one %s at most; there is one at %s already.", what, first)
		return false
	}
	l.seen[what] = at
	return true
}

func (l *loader) requiredVersion(attr *hcl.Attribute) {
	var text string
	if !l.declareOnce("required_version", attr.NameRange) || !l.parser.constant(attr, &text) {
		return
	}
	if _, err := version.NewConstraint(text); err != nil {
		l.parser.problem("Invalid version constraint", attr.Expr.Range(),
			"required_version is a list of conditions such as \">= 0.3, < 2.0\" or \"~> 1.2\".")
		return
	}
	l.config.Settings.RequiredVersion = text
	l.config.Settings.RequiredVersionRange = attr.Expr.Range()
}

// CheckVersion reports whether the running kplan is one that the configuration requires; of a build
// from a source tree, which has no version, it warns that this is not known. Check this
// before anything else: the other problems that an unsuitable kplan finds in a configuration need
// not be real.
func (c *Config) CheckVersion(running string) hcl.Diagnostics {
	diags := c.checkVersion(running, "This configuration")
	seen := map[*Config]bool{}
	for _, definition := range c.definitions("") {
		if !seen[definition] {
			seen[definition] = true
			diags = append(diags, definition.checkVersion(running, "This module")...)
		}
	}
	return diags
}

// checkVersion is CheckVersion for the files of one directory, which is called what.
func (c *Config) checkVersion(running, what string) hcl.Diagnostics {
	if c.Settings.RequiredVersion == "" {
		return nil
	}
	constraint, err := version.NewConstraint(c.Settings.RequiredVersion)
	if err != nil {
		return nil // Load reported it
	}
	v, err := version.NewVersion(running)
	if err != nil {
		return hcl.Diagnostics{{
			Severity: hcl.DiagWarning, Summary: "kplan version not checked", Subject: c.Settings.RequiredVersionRange.Ptr(),
			Detail: fmt.Sprintf("%s needs kplan %s. This is a build without a version (%s), so whether it will do is not known.",
				what, c.Settings.RequiredVersion, running),
		}}
	}
	if constraint.Check(v) || constraint.Check(v.Core()) {
		return nil
	}
	return source.Problem("Unsupported kplan version", c.Settings.RequiredVersionRange,
		"%s needs kplan %s, and this is %s. Run a kplan of such a version, or change required_version if "+
			"this one will do.", what, c.Settings.RequiredVersion, running)
}

// Encryption is for whom the state and saved plans are encrypted, and what decrypts them.
type Encryption struct {
	Recipients, Identities, Passphrases []string
	// Unknown are the arguments that depend on a variable without a value.
	Unknown []string
	Range   hcl.Range // the block's head
	// Ranges are where each argument is written.
	Ranges map[string]hcl.Range
}

var encryptionSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "recipients"}, {Name: "identities"}, {Name: "passphrases"}}}

// Encryption evaluates the encryption block, nil where there is none.
func (c *Config) Encryption(v Values) (*Encryption, hcl.Diagnostics) {
	block := c.Settings.Encryption
	if block == nil {
		return nil, nil
	}
	content, _, diags := block.Body.PartialContent(encryptionSchema)
	e := newSettingsEval(c, v, content.Attributes)
	out := &Encryption{Range: block.DefRange, Ranges: map[string]hcl.Range{}}
	for name, attr := range content.Attributes {
		out.Ranges[name] = attr.Expr.Range()
	}
	e.set("recipients", &out.Recipients)
	e.set("identities", &out.Identities)
	e.set("passphrases", &out.Passphrases)
	out.Unknown = e.unknown
	for _, name := range []string{"recipients", "passphrases"} {
		if e.present[name] != nil && len(e.unknown)+len(e.diags)+len(out.Recipients)+len(out.Passphrases) == 0 {
			e.invalid(name, "%s has no keys, so the state would be stored in the clear. To do that on purpose, leave %s out.", name, name)
		}
	}
	return out, append(diags, e.diags...)
}
