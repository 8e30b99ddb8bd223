package kinds

import (
	"kplan.dev/kplan/addrs"
)

// Ranks is how many ranks there are, from 0.
const Ranks = 3

// Rank is how early an object of the kind is best created among others that it
// does not depend on: the lowest first. A pod may use configuration, accounts and
// services that nothing in its manifest refers to, so it comes after them; and
// what makes pods comes last, since from then on the cluster is busy with those.
// Of a custom kind nobody knows what it starts.
func (k *Kind) Rank() int {
	switch {
	case k.GroupKind() == Pod || k.IsCustom():
		return 1
	case k.makesPods():
		return 2
	}
	return 0
}

// makesPods reports whether objects of the kind have a template for pods, maybe in
// one for jobs.
func (k *Kind) makesPods() bool {
	path, ok := k.PodTemplate()
	return ok && len(path.Steps()) > 1
}

// PodTemplate is the field path of what pods are made of: the template in an object of
// a kind that makes them, also one in a template for jobs, and the whole object of a Pod.
func (k *Kind) PodTemplate() (path addrs.Path, ok bool) {
	if k.GroupKind() == Pod {
		return addrs.Path{}, true
	}
	for _, path := range podTemplates {
		if f := k.At(path); f != nil && f.GoType() == "core/v1.PodTemplateSpec" {
			return path, true
		}
	}
	return addrs.Path{}, false
}

var podTemplates = []addrs.Path{
	addrs.NewPath("spec", "template"), addrs.NewPath("spec", "jobTemplate", "spec", "template"), addrs.NewPath("template"),
}
