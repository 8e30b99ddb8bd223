package lint

import (
	"fmt"
	"slices"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
	"kplan.dev/kplan/kinds/relations"
)

// Dangling are the references of an object to what the configuration does not have, and
// nothing of it will make. The cluster may have it.
func (c *Configuration) Dangling(o *Object) []relations.Reference {
	return slices.DeleteFunc(relations.References(o.Kind, o.Fields), func(ref relations.Reference) bool {
		return ref.Optional || o.isOpen(ref.Path) || c.find(ref) != nil || c.open[ref.To.GroupKind()] || c.open[addrs.GroupKind{}] ||
			o.Unknown.Touches(namespacePath) || c.willBeMade(o, ref)
	})
}

// Missing is a reference to what neither the configuration nor the cluster has. There are
// others of its kind with these names.
func Missing(o *Object, ref relations.Reference, names []string) Finding {
	return Finding{Of: o, Path: ref.Path, Summary: "Reference to a missing object",
		Detail: fmt.Sprintf("%s refers to %s %s (%s), which is neither in the configuration nor in the cluster.%s%s",
			o.Addr, ref.To.Kind, ref.To.QualifiedName(), ref.Path, words.Suggest(ref.To.Name, names), without(o, ref)),
	}
}

// Deleted is a reference to what the plan deletes.
func Deleted(o *Object, ref relations.Reference, deleted string) Finding {
	return Finding{Of: o, Path: ref.Path, Summary: "Reference to a deleted object",
		Detail: fmt.Sprintf("%s refers to %s %s (%s), which this plan deletes: %s.%s",
			o.Addr, ref.To.Kind, ref.To.QualifiedName(), ref.Path, deleted, without(o, ref)),
	}
}

// without says what an object does not do as long as what it refers to is not there.
func without(o *Object, ref relations.Reference) string {
	pod, ok := o.Kind.PodTemplate()
	switch {
	case ok && strings.Contains(ref.Path.String(), "imagePullSecrets"):
		return " Without it images of private registries can't be pulled."
	case ok && pod.Field("spec").Contains(ref.Path):
		return " Pods don't start without it."
	case strings.Contains(ref.Path.String(), "ownerReferences"):
		return " The cluster deletes objects whose owner does not exist."
	}
	return ""
}

// willBeMade reports whether something else than the configuration itself is expected to
// make what a reference means.
func (c *Configuration) willBeMade(o *Object, ref relations.Reference) bool {
	switch kind := ref.To.GroupKind(); {
	case kinds.IsInEveryNamespace(ref.To), kind == kinds.Secret && isCertified(o):
		return true
	case kind.Kind == "StorageClass":
		return c.made().classes[ref.To.Name]
	}
	return c.made().makes(o, ref.To)
}

// isCertified reports whether a certificate manager makes the Secrets of an Ingress.
func isCertified(o *Object) bool {
	for key := range manifest.Object(manifest.Object(o.Fields, "metadata"), "annotations") {
		if strings.Contains(key, "cert-manager.io/") || key == "kubernetes.io/tls-acme" {
			return o.Kind.Name == "Ingress"
		}
	}
	return false
}

// makers are what may make objects that the configuration does not have.
type makers struct {
	custom []maker // custom resources
	texts  []maker // what containers are started with
	in     map[string]bool
	// classes are the storage classes that volumes are of: a claim finds those without
	// an object for the class.
	classes map[string]bool
}

// maker is an object, and the texts in it that may be names of what it makes.
type maker struct {
	of    *Object
	names map[string]bool
}

func makersOf(objects []*Object) *makers {
	m := &makers{in: map[string]bool{}, classes: map[string]bool{}}
	for _, o := range objects {
		pod := o.pod
		switch {
		case o.Kind.IsCustom():
			names := map[string]bool{}
			addTexts(names, o.Fields["spec"])
			m.custom = append(m.custom, maker{o, names})
			m.in[o.Object.Namespace] = true
		case pod != nil:
			names := map[string]bool{}
			for _, c := range containersOf(pod) {
				addWords(names, c.fields["args"])
				addWords(names, c.fields["command"])
				for _, variable := range manifest.List(c.fields, "env") {
					fields, _ := variable.(map[string]any)
					addWords(names, fields["value"])
				}
			}
			m.texts = append(m.texts, maker{o, names})
		case o.Kind.GroupKind() == kinds.PersistentVolume:
			m.classes[manifest.Text(manifest.Object(o.Fields, "spec"), "storageClassName")] = true
		}
	}
	return m
}

// makes reports whether something besides the object that refers to it may make an object:
// a custom resource that has its name, or begins it, or speaks of it, as a Certificate
// speaks of its Secret; and a container that is started with the name, as a Job that makes
// certificates is.
func (m *makers) makes(referrer *Object, o addrs.Object) bool {
	near := func(other maker) bool {
		return other.of != referrer && (other.of.Object.Namespace == "" || other.of.Object.Namespace == o.Namespace || o.Namespace == "")
	}
	return slices.ContainsFunc(m.custom, func(other maker) bool {
		name := other.of.Object.Name
		return near(other) && (name == o.Name || name == "" || strings.HasPrefix(o.Name, name+"-") || other.names[o.Name])
	}) || slices.ContainsFunc(m.texts, func(other maker) bool { return near(other) && other.names[o.Name] })
}

// addTexts adds all texts of a value.
func addTexts(names map[string]bool, value any) {
	switch v := value.(type) {
	case string:
		names[v] = true
	case []any:
		for _, element := range v {
			addTexts(names, element)
		}
	case map[string]any:
		for _, field := range v {
			addTexts(names, field)
		}
	}
}

// addWords adds the words of all texts of a value: --secret-name=tls has one more.
func addWords(names map[string]bool, value any) {
	texts := map[string]bool{}
	addTexts(texts, value)
	for text := range texts {
		for _, word := range strings.FieldsFunc(text, isBetweenNames) {
			names[word] = true
		}
	}
}

// isBetweenNames reports whether a character is none of those in names of objects.
func isBetweenNames(r rune) bool {
	return r != '-' && r != '.' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
}
