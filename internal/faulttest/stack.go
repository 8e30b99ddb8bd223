package faulttest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Stack is a configuration of a test: objects that depend on one another, in one
// namespace.
type Stack []Item

// Item is an object of a Stack.
type Item struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Rev is in the object's content. Of an immutable object it can only be changed by
	// replacing the object.
	Rev       int  `json:"rev"`
	Immutable bool `json:"immutable,omitempty"`
	// Needs are referred to, Awaits are named in depends_on.
	Needs  []string `json:"needs,omitempty"`
	Awaits []string `json:"awaits,omitempty"`
	// Unnamed leaves the object's name to the server.
	Unnamed bool `json:"unnamed,omitempty"`
}

func (i Item) addr() string { return i.Kind + "." + i.Name }

// without is the stack without an object, which the others then don't need.
func (s Stack) without(addr string) Stack {
	var fewer Stack
	isIt := func(other string) bool { return other == addr }
	for _, item := range s {
		if item.addr() == addr {
			continue
		}
		item.Needs = slices.DeleteFunc(slices.Clone(item.Needs), isIt)
		item.Awaits = slices.DeleteFunc(slices.Clone(item.Awaits), isIt)
		fewer = append(fewer, item)
	}
	return fewer
}

// HCL is the configuration for a namespace.
func (s Stack) HCL(namespace string) string {
	var b strings.Builder
	for _, i := range s {
		fmt.Fprintf(&b, "resource %q %q {\n  metadata {\n", i.Kind, i.Name)
		if i.Unnamed {
			fmt.Fprintf(&b, "    generateName = %q\n", i.Name+"-")
		} else {
			fmt.Fprintf(&b, "    name = %q\n", i.Name)
		}
		fmt.Fprintf(&b, "    namespace = %q\n%s  }\n%s", namespace, i.annotations(), i.content())
		if len(i.Awaits) > 0 {
			fmt.Fprintf(&b, "  depends_on = [%s]\n", strings.Join(i.Awaits, ", "))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// annotations refer to what the object depends on, for every second one by a value that
// is known after apply.
func (i Item) annotations() string {
	var b strings.Builder
	fmt.Fprintf(&b, "    annotations = {\n      rev = \"%d\"\n", i.annotated())
	for n, need := range i.Needs {
		field := "metadata.name"
		if n%2 == 1 {
			field = "metadata.uid"
		}
		fmt.Fprintf(&b, "      need%d = %s.%s\n", n, need, field)
	}
	b.WriteString("    }\n")
	return b.String()
}

// annotated is the rev that an annotation shows: none where the content does,
// and can't be changed.
func (i Item) annotated() int {
	if i.Immutable {
		return 0
	}
	return i.Rev
}

func (i Item) content() string {
	rev := fmt.Sprintf("{ rev = \"%d\" }", i.Rev)
	immutableChanges := ""
	if i.Immutable {
		immutableChanges = "  immutable = true\n"
	}
	switch i.Kind {
	case "ConfigMap":
		return fmt.Sprintf("%s  data = %s\n", immutableChanges, rev)
	case "Secret":
		return fmt.Sprintf("%s  data = { rev = base64encode(\"%d\") }\n", immutableChanges, i.Rev)
	case "Service":
		return fmt.Sprintf("  spec {\n    selector = %s\n    ports { port = %d }\n  }\n", rev, 80+i.Rev)
	case "ServiceAccount":
		return "  automountServiceAccountToken = false\n"
	case "Pod":
		return "  spec {\n    terminationGracePeriodSeconds = 0\n    containers {\n      name = \"c\"\n      image = \"nginx\"\n    }\n  }\n"
	}
	panic("faulttest: no content for kind " + i.Kind)
}

// CrashStack returns a stack to be set up and what it becomes: 40 objects more,
// 20 changed, 5 replaced, 20 fewer.
func CrashStack() (before, after Stack) {
	kinds := []string{"ConfigMap", "Secret", "Service", "ConfigMap", "ServiceAccount"}
	add := func(s *Stack, prefix string, n int, immutableChanges bool) {
		for i := range n {
			item := Item{Kind: kinds[i%len(kinds)], Name: fmt.Sprintf("%s%d", prefix, i), Immutable: immutableChanges}
			if immutableChanges {
				item.Kind = kinds[i%2]
			}
			if i >= 4 && i%3 == 0 { // chains, four rows of them
				item.Needs = []string{(*s)[len(*s)-4].addr(), (*s)[len(*s)-2].addr()}
			}
			*s = append(*s, item)
		}
	}
	add(&before, "changed", 20, false)
	add(&before, "replaced", 5, true)
	gone := slices.Clone(before[:0])
	add(&gone, "gone", 20, false)
	after = slices.Clone(before)
	for i := range after {
		after[i].Rev = 1
	}
	add(&after, "new", 40, false)
	return append(before, gone...), after
}

// RandomStack makes a stack of up to size objects, from 5, and one that another
// day's configuration might be: some objects changed, some gone, some new.
func RandomStack(rng *rand.Rand, size int) (before, after Stack) {
	n := 5 + rng.IntN(size-4)
	for i := range n {
		before = append(before, randomItem(rng, before, i))
	}
	gone := map[string]bool{}
	for _, item := range before {
		needsGone := slices.ContainsFunc(slices.Concat(item.Needs, item.Awaits), func(addr string) bool { return gone[addr] })
		if needsGone || rng.IntN(5) == 0 {
			gone[item.addr()] = true
			continue
		}
		if rng.IntN(3) == 0 {
			item.Rev++
		}
		after = append(after, item)
	}
	for i := range rng.IntN(n/2 + 1) {
		after = append(after, randomItem(rng, after, n+i))
	}
	return before, after
}

func randomItem(rng *rand.Rand, there Stack, n int) Item {
	kinds := []string{"ConfigMap", "ConfigMap", "Secret", "Service", "ServiceAccount", "Pod"}
	item := Item{Kind: kinds[rng.IntN(len(kinds))], Name: fmt.Sprintf("o%d", n)}
	if item.Kind == "ConfigMap" || item.Kind == "Secret" {
		item.Immutable = rng.IntN(4) == 0
		item.Unnamed = !item.Immutable && rng.IntN(8) == 0
	}
	for _, other := range rng.Perm(len(there))[:min(len(there), rng.IntN(4))] {
		if addr := there[other].addr(); rng.IntN(4) == 0 {
			item.Awaits = append(item.Awaits, addr)
		} else {
			item.Needs = append(item.Needs, addr)
		}
	}
	return item
}
