// Package advice carries what a user can do about a problem by an option of a
// command. Packages below the command line name the option that would help and
// what to give it; how it is spelled, only cmd/kplan knows, which adds a
// sentence to the diagnostic when it reports it.
package advice

import "github.com/hashicorp/hcl/v2"

// Option is something that an option of a command makes kplan do. Its value, if
// it has one, is given in the comment.
type Option string

// The options that help with a problem.
const (
	SetVariable      Option = "set a variable"             // its name
	ReadVariables    Option = "read a file of variables"   // its path
	ChooseConfig     Option = "choose a kubeconfig"        //
	ChooseContext    Option = "choose a context"           //
	AllowExecPlugins Option = "allow exec plugins"         //
	Adopt            Option = "adopt an object"            // its address
	Replace          Option = "replace an object"          // its address
	ForceConflicts   Option = "take fields from others"    // the address of the object
	AllowDataLoss    Option = "allow a loss of data"       // the address of what is deleted
	WaitLonger       Option = "wait longer for an object"  //
	Force            Option = "store a state nevertheless" //
)

// Advice is an option that helps, and its value.
type Advice struct {
	Option Option
	Value  string
}

// extra keeps what else is attached to the diagnostic reachable for
// hcl.DiagnosticExtra.
type extra struct {
	advice Advice
	inner  any
}

func (e extra) UnwrapDiagnosticExtra() any { return e.inner }

// Add attaches an option to a diagnostic: one for each value, or one without.
func Add(d *hcl.Diagnostic, option Option, values ...string) {
	if len(values) == 0 {
		values = []string{""}
	}
	for _, value := range values {
		d.Extra = extra{Advice{option, value}, d.Extra}
	}
}

// Of is the advice that was attached to a diagnostic, in the order it was added.
func Of(d *hcl.Diagnostic) []Advice {
	var all []Advice
	for e := d.Extra; e != nil; {
		if own, ok := e.(extra); ok {
			all = append([]Advice{own.advice}, all...)
		}
		unwrap, ok := e.(hcl.DiagnosticExtraUnwrapper)
		if !ok {
			return all
		}
		e = unwrap.UnwrapDiagnosticExtra()
	}
	return all
}
