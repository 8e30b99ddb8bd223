package addrs

import (
	"fmt"
	"strings"
)

// ParseSelection reads what stands for one or several objects: an address that ParseInstance reads, or
// the path of a module, such as module.shop or module.shop["a"], for all in it. Such an Instance has a
// module and nothing else.
func ParseSelection(text string) (Instance, error) {
	if !strings.HasPrefix(text, "module.") {
		return ParseInstance(text)
	}
	steps, err := parseSteps(text)
	if err != nil {
		return ParseInstance(text)
	}
	module, rest, ok := cutModules(steps)
	if !ok {
		return Instance{}, fmt.Errorf("%q is no path of a module; one looks like module.shop or module.shop[\"key\"]", text)
	}
	if len(rest) > 0 {
		return ParseInstance(text)
	}
	return Instance{Resource: Resource{Module: module}}, nil
}

// IsModule reports whether the address is a selection of all in a module.
func (i Instance) IsModule() bool { return i.Resource.Type == "" && i.Resource.Module != "" }

// Means reports whether an address that a user gave means the other one: that of a resource means all its
// instances, and that of a module all that is in its instances.
func (i Instance) Means(other Instance) bool {
	if i.IsModule() {
		rest, ok := strings.CutPrefix(other.Resource.Module, i.Resource.Module)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	return i == other || i.Key.IsZero() && i.Resource == other.Resource
}

// Within is the same address seen from the module with that path, which is "" for the root.
func (r Resource) Within(module string) Resource {
	switch {
	case module == "":
	case r.Module == "":
		r.Module = module
	default:
		r.Module = module + "." + r.Module
	}
	return r
}

// CutDeclared cuts off the front of a path of modules the instance of a definition: declared is its path
// without keys. It reports whether the path is of that or of one in it.
func CutDeclared(path, declared string) (instance, rest string, ok bool) {
	if declared == "" {
		return "", path, true
	}
	for end := len(declared); end <= len(path); end++ {
		if end < len(path) && path[end] != '.' {
			continue
		}
		if (Resource{Module: path[:end]}).Declared().Module == declared {
			return path[:end], strings.TrimPrefix(path[end:], "."), true
		}
	}
	return "", "", false
}

// Declared is the address of the block that declares the resource: without the keys of the modules that
// it is in, since the instances of a module have one definition.
func (r Resource) Declared() Resource {
	if !strings.Contains(r.Module, "[") {
		return r
	}
	steps, err := parseSteps(r.Module)
	if err != nil {
		return r
	}
	var names []string
	for _, s := range steps {
		if s.kind == fieldStep {
			names = append(names, s.Field)
		}
	}
	r.Module = strings.Join(names, ".")
	return r
}

// cutModules takes the leading module calls off an address.
func cutModules(steps []Step) (module string, rest []Step, ok bool) {
	var calls []string
	for len(steps) > 0 && steps[0].kind == fieldStep && steps[0].Field == "module" {
		if len(steps) < 2 || !isName(steps[1]) {
			return "", nil, false
		}
		call := "module." + steps[1].Field
		steps = steps[2:]
		if len(steps) > 0 && steps[0].kind != fieldStep {
			key, ok := stepKey(steps[0])
			if !ok {
				return "", nil, false
			}
			call += key.String()
			steps = steps[1:]
		}
		calls = append(calls, call)
	}
	return strings.Join(calls, "."), steps, true
}
