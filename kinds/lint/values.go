package lint

import (
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/util/validation"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// rule is what the API server asks of a value, whatever object it is in.
type rule struct {
	summary string
	must    string // in words
	zero    bool   // 0 and "" stand for no value
	holds   func(value any) bool
}

const (
	portMust = "be a number from 1 to 65535"
	nameMust = "have at most 15 lower-case letters, digits and single hyphens, at least one letter, and no hyphen at an end"
)

var (
	aPort     = rule{"Invalid port", portMust, false, isPort}
	maybePort = rule{"Invalid port", portMust, true, isPort}
	aRef      = rule{"Invalid port", portMust + " without quotes or the name of a port", false, isPortOrName}
	maybeRef  = rule{"Invalid port", aRef.must, true, isPortOrName}
	aPortName = rule{"Invalid port name", nameMust, true, isPortName}
	aLabel    = rule{"Invalid name", "have at most 63 lower-case letters, digits and hyphens, and no hyphen at an end", true, isLabel}
)

// rules are those of the fields of the built-in kinds, by the Go type that has the field: a
// container is the same wherever its pod stands. A test holds each against the API server, and
// knows why the other fields for ports have none.
var rules = map[string]map[string]rule{
	"core/v1.Container":          {"name": aLabel},
	"core/v1.EphemeralContainer": {"name": aLabel},
	"core/v1.Volume":             {"name": aLabel},
	"core/v1.PodResourceClaim":   {"name": aLabel},
	"core/v1.PodSpec":            {"hostname": aLabel, "subdomain": aLabel},
	"core/v1.ContainerPort":      {"name": aPortName, "containerPort": aPort, "hostPort": maybePort},
	"core/v1.HTTPGetAction":      {"port": aRef},
	"core/v1.TCPSocketAction":    {"port": aRef},
	"core/v1.GRPCAction":         {"port": aPort},
	// The range of node ports is the cluster's own, and ends at 65535 at the latest.
	"core/v1.ServicePort":                       {"name": aLabel, "port": aPort, "targetPort": maybeRef, "nodePort": maybePort},
	"core/v1.ServiceSpec":                       {"healthCheckNodePort": maybePort},
	"core/v1.EndpointPort":                      {"name": aLabel, "port": aPort},
	"discovery/v1.EndpointPort":                 {"name": aLabel},
	"networking/v1.NetworkPolicyPort":           {"port": aRef, "endPort": aPort},
	"networking/v1.ServiceBackendPort":          {"name": aPortName, "number": maybePort},
	"admissionregistration/v1.ServiceReference": {"port": aPort},
	"apiextensions/v1.ServiceReference":         {"port": aPort},
	"apiregistration/v1.ServiceReference":       {"port": aPort},
}

func isPort(value any) bool {
	number, ok := value.(int64)
	return !ok || len(validation.IsValidPortNum(int(number))) == 0
}

func isPortName(value any) bool {
	name, ok := value.(string)
	return !ok || len(validation.IsValidPortName(name)) == 0
}

func isPortOrName(value any) bool { return isPort(value) && isPortName(value) }

func isLabel(value any) bool {
	name, ok := value.(string)
	return !ok || len(validation.IsDNS1123Label(name)) == 0
}

// valueErrors reports values that the API server refuses wherever they stand.
func valueErrors(o *Object) []Finding {
	v := values{of: o}
	v.below(o.Kind.Root, o.Fields)
	slices.SortFunc(v.found, func(a, b Finding) int { return a.Path.Compare(b.Path) })
	return v.found
}

// values goes through all values of an object.
type values struct {
	of    *Object
	at    []step // where it is
	found []Finding
}

// step leads to a field, or to an element. Only of a value that is reported is a path made of them.
type step struct {
	field string // "" for an element
	index int
}

func (v *values) path() addrs.Path {
	var path addrs.Path
	for _, s := range v.at {
		if s.field == "" {
			path = path.Index(s.index)
		} else {
			path = path.Field(s.field)
		}
	}
	return path
}

func (v *values) below(f *kinds.Field, value any) {
	here := len(v.at)
	defer func() { v.at = v.at[:here] }()
	switch value := value.(type) {
	case map[string]any:
		for name, child := range value {
			if field := f.Field(name); field != nil && field.Type != kinds.Any {
				v.at = append(v.at[:here], step{field: name})
				v.check(name, f, child)
				v.below(field, child)
			}
		}
	case []any:
		for i, element := range value {
			if f.Elem != nil {
				v.at = append(v.at[:here], step{index: i})
				v.below(f.Elem, element)
			}
		}
	}
}

// check judges the value of the field of that name of the object that parent describes.
func (v *values) check(name string, parent *kinds.Field, value any) {
	r, ok := rules[parent.GoType()][name]
	if !ok || r.zero && (value == int64(0) || value == "") || r.holds(value) {
		return
	}
	path := v.path()
	if v.of.isOpen(path) || slices.ContainsFunc(v.of.Ignored, func(p addrs.Path) bool { return p.Contains(path) }) {
		return
	}
	v.found = append(v.found, Finding{Of: v.of, Path: path, Error: true, Summary: r.summary,
		Detail: fmt.Sprintf("%s of %s is %s. It must %s. The API server refuses anything else.", path, v.of.Addr, quoted(value), r.must),
	})
}

// mostQuoted is up to which length a message quotes a value whole.
const mostQuoted = 80

func quoted(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(words.Shorten(text, mostQuoted))
	}
	return fmt.Sprint(value)
}
