// Package option spells the options of kplan's commands that messages mention, so
// that packages below the command line can recommend one without knowing how it is
// written. A test holds them against docs/commands.md.
package option

// Option is the name of an option, with its dash.
type Option string

// The options that messages mention, by what they do.
const (
	Adopt            Option = "-adopt"               // adopts the object at an address
	AllowDataLoss    Option = "-allow-data-loss"     // lets the object at an address be deleted with data
	AllowExecPlugins Option = "-allow-exec-plugins"  // runs programs that a configuration names
	CompactWarnings  Option = "-compact-warnings"    // shows warnings as a line each
	Context          Option = "-context"             // chooses a context of the kubeconfig
	Drift            Option = "-drift"               // chooses what to do about what others changed
	Exclude          Option = "-exclude"             // leaves an address out
	Force            Option = "-force"               // stores a state that does not follow the stored one
	ForceConflicts   Option = "-force-conflicts"     // takes fields of the object at an address from others
	GenerateConfig   Option = "-generate-config-out" // writes the blocks that import blocks lack
	JSON             Option = "-json"                // prints JSON
	Kubeconfig       Option = "-kubeconfig"          // chooses a kubeconfig
	Out              Option = "-out"                 // saves the plan
	RefreshOnly      Option = "-refresh-only"        // shows what changed in the cluster
	Replace          Option = "-replace"             // replaces the object at an address
	Stack            Option = "-stack"               // names a stack by its ID
	State            Option = "-state"               // names the file of the state
	Target           Option = "-target"              // limits the plan to an address
	Upgrade          Option = "-upgrade"             // takes newer versions of modules
	Var              Option = "-var"                 // sets a variable
	VarFile          Option = "-var-file"            // reads a file of variables
	WaitTimeout      Option = "-wait-timeout"        // bounds the wait for each object
)

// With is the option with a value as it is typed in a shell, in quotes since addresses
// may hold brackets: -replace='Pod.web["a"]'.
func (o Option) With(value string) string {
	if o == Var {
		return string(o) + " '" + value + "'"
	}
	return string(o) + "='" + value + "'"
}
