package modules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	version "github.com/hashicorp/go-version"

	"kplan.dev/kplan/internal/words"
)

// Version is one of a module, in the form X.Y.Z.
type Version struct {
	v   *version.Version
	tag string // as the repository has it: v1.2.0 or 1.2.0
}

// released is a tag that names a version: tags such as v1 and v1.4 move with each release.
var released = regexp.MustCompile(`^v?(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

// ParseVersion reads a version, or a tag that names one.
func ParseVersion(text string) (Version, error) {
	if !released.MatchString(text) {
		return Version{}, fmt.Errorf("%q is no version: one has three numbers, as 1.4.2 or 1.5.0-rc.1 has", words.Shorten(text, 60))
	}
	v, err := version.NewSemver(strings.TrimPrefix(text, "v"))
	if err != nil {
		return Version{}, fmt.Errorf("%q is no version", words.Shorten(text, 60))
	}
	return Version{v, text}, nil
}

func (v Version) String() string {
	if v.v == nil {
		return ""
	}
	return v.v.String()
}

// IsPrerelease reports whether it is one like 1.5.0-rc.1.
func (v Version) IsPrerelease() bool { return v.v.Prerelease() != "" }

// Constraint is what a module's version argument says. The zero value allows every version that is not a pre-release.
type Constraint struct {
	text  string
	parts version.Constraints
	exact string // the one pre-release that it allows
}

var constraintPart = regexp.MustCompile(`^(=|!=|>=|<=|>|<|~>)?\s*v?(\d{1,9}(?:\.\d{1,9}){0,2}(?:-[0-9A-Za-z.-]+)?)$`)

// ParseConstraint reads Terraform's syntax: "~> 1.4", ">= 1.2.0, < 2.0.0". "" is the zero value. An error is part of a
// sentence.
func ParseConstraint(text string) (c Constraint, err error) {
	if strings.TrimSpace(text) == "" {
		return c, nil
	}
	if len(text) > 256 {
		return c, errors.New("it has more than 256 bytes")
	}
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		match := constraintPart.FindStringSubmatch(strings.TrimSpace(part))
		if match == nil {
			return c, fmt.Errorf("%q is no constraint. One is written \"1.4.2\", \"~> 1.4\" or \">= 1.2.0, < 2.0.0\"",
				words.Shorten(strings.TrimSpace(part), 60))
		}
		operator, wanted := match[1], match[2]
		if (operator == "" || operator == "=") && strings.Contains(wanted, "-") {
			c.exact = wanted
		}
		if operator == "" || operator == "=" {
			operator = ""
		} else {
			operator += " "
		}
		parts = append(parts, operator+wanted)
	}
	c.text = strings.Join(parts, ", ")
	if c.parts, err = version.NewConstraint(c.text); err != nil {
		return Constraint{}, fmt.Errorf("%q is no constraint", words.Shorten(c.text, 60))
	}
	return c, nil
}

// String is the constraint in its one form, "" of the zero value.
func (c Constraint) String() string { return c.text }

// Allows reports whether a version satisfies the constraint. A pre-release does only where it is named.
func (c Constraint) Allows(v Version) bool {
	if v.IsPrerelease() && c.exact != v.String() {
		return false
	}
	return c.parts.Check(v.v)
}

// versionsOf are those that tags name. Of v1.2.0 and 1.2.0 the first one counts.
func versionsOf(tags []string) []Version {
	byText := map[string]Version{}
	for _, tag := range tags {
		v, err := ParseVersion(tag)
		if err == nil && byText[v.String()].tag < tag { // v comes after digits
			byText[v.String()] = v
		}
	}
	all := make([]Version, 0, len(byText))
	for _, v := range byText {
		all = append(all, v)
	}
	return sortVersions(all)
}

// sortVersions sorts the newest first.
func sortVersions(all []Version) []Version {
	slices.SortFunc(all, func(a, b Version) int { return b.v.Compare(a.v) })
	return all
}

// newest is the newest version that a constraint allows.
func newest(all []Version, c Constraint) (Version, bool) {
	for _, v := range sortVersions(slices.Clone(all)) {
		if c.Allows(v) {
			return v, true
		}
	}
	return Version{}, false
}
