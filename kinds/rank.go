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
	for _, path := range []addrs.Path{addrs.NewPath("spec", "template"), addrs.NewPath("spec", "jobTemplate", "spec", "template")} {
		if f := k.At(path); f != nil && f.GoType() == "core/v1.PodTemplateSpec" {
			return true
		}
	}
	return false
}
