package addrs

import (
	"cmp"
	"fmt"
	"strings"
)

// GroupKind names a kind without its version, as an object's identity has it.
type GroupKind struct{ Group, Kind string }

// String is the kind with its group where it has one: Deployment.apps, Pod.
func (g GroupKind) String() string {
	if g.Group == "" {
		return g.Kind
	}
	return g.Kind + "." + g.Group
}

// MarshalText makes kinds strings in JSON.
func (g GroupKind) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (g *GroupKind) UnmarshalText(text []byte) error {
	kind, group, _ := strings.Cut(string(text), ".")
	if kind == "" {
		return fmt.Errorf("%q is not a kind such as Pod or Deployment.apps", text)
	}
	*g = GroupKind{Group: group, Kind: kind}
	return nil
}

// Object names an object in the cluster. Two versions of one kind are views
// of the same object, so compare and index by Identity, never by Object.
type Object struct {
	Group     string // "" for the core group
	Version   string
	Kind      string
	Namespace string // "" for a cluster-scoped object
	Name      string
}

// Identity is the object without its version: what makes it that object.
func (o Object) Identity() Object {
	o.Version = ""
	return o
}

// GroupKind is the object's kind without its version.
func (o Object) GroupKind() GroupKind { return GroupKind{o.Group, o.Kind} }

// APIVersion is the group and version as a manifest spells them: v1, apps/v1.
func (o Object) APIVersion() string { return JoinAPIVersion(o.Group, o.Version) }

// JoinAPIVersion spells a group and version as a manifest does.
func JoinAPIVersion(group, version string) string {
	if group == "" {
		return version
	}
	return group + "/" + version
}

// SplitAPIVersion reads what JoinAPIVersion writes.
func SplitAPIVersion(apiVersion string) (group, version string, err error) {
	group, version, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group, version = "", apiVersion
	}
	if version == "" || ok && group == "" || strings.Contains(version, "/") {
		return "", "", fmt.Errorf("%q is not an API version such as v1 or apps/v1", apiVersion)
	}
	return group, version, nil
}

// QualifiedName is namespace/name, or the name alone of a cluster-scoped object.
func (o Object) QualifiedName() string {
	if o.Namespace == "" {
		return o.Name
	}
	return o.Namespace + "/" + o.Name
}

// String is the object as kplan shows and stores it: v1 Pod acme/web. An
// identity, which has no version, has its group and a slash instead.
func (o Object) String() string {
	version := o.APIVersion()
	if o.Version == "" {
		version = o.Group + "/"
	}
	return version + " " + o.Kind + " " + o.QualifiedName()
}

// Compare orders objects by group, kind, namespace, name and version.
func (o Object) Compare(other Object) int {
	return cmp.Or(
		cmp.Compare(o.Group, other.Group),
		cmp.Compare(o.Kind, other.Kind),
		cmp.Compare(o.Namespace, other.Namespace),
		cmp.Compare(o.Name, other.Name),
		cmp.Compare(o.Version, other.Version))
}

// MarshalText makes objects strings in JSON.
func (o Object) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (o *Object) UnmarshalText(text []byte) error {
	parsed, err := ParseObject(string(text))
	if err == nil {
		*o = parsed
	}
	return err
}

// ParseObject reads what Object.String writes of an object that has a name. Names may
// contain spaces: those of roles do.
func ParseObject(text string) (Object, error) {
	o, err := ParsePlannedObject(text)
	if err == nil && o.Name == "" {
		err = notAnObject(text)
	}
	if err != nil {
		return Object{}, err
	}
	return o, nil
}

func notAnObject(text string) error {
	return fmt.Errorf("%q does not name an object; one looks like \"v1 Pod acme/web\"", text)
}

// ParsePlannedObject reads what Object.String writes, also of an object that has no
// name yet, since the API server makes one up from its metadata.generateName.
func ParsePlannedObject(text string) (Object, error) {
	fail := func() (Object, error) { return Object{}, notAnObject(text) }
	parts := strings.SplitN(text, " ", 3)
	if len(parts) != 3 || parts[1] == "" || strings.Contains(parts[1], "/") {
		return fail()
	}
	o := Object{Kind: parts[1], Name: parts[2]}
	if group, isIdentity := strings.CutSuffix(parts[0], "/"); isIdentity {
		o.Group = group
		if strings.Contains(group, "/") {
			return fail()
		}
	} else {
		var err error
		if o.Group, o.Version, err = SplitAPIVersion(parts[0]); err != nil {
			return Object{}, err
		}
	}
	if ns, name, ok := strings.Cut(parts[2], "/"); ok {
		if ns == "" {
			return fail()
		}
		o.Namespace, o.Name = ns, name
	}
	if strings.Contains(o.Name, "/") {
		return fail()
	}
	return o, nil
}
