// Package config reads the files of a directory into a Config: blocks, variables,
// settings, what is imported, moved and removed. It evaluates no block, except for
// variables and the kplan block, which are needed before any object is known.
//
// A loader goes through the files; a parser reads one block after another and gathers
// what is wrong with them.
package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
)

// Config is the parsed and checked content of one directory. Its lists are in
// the order of the files' names and, in a file, of position.
type Config struct {
	Dir string
	// Shown is the directory as diagnostics name it.
	Shown     string
	Settings  Settings
	Variables []*Variable
	Locals    []*Local
	Outputs   []*Output
	Checks    []*CheckBlock
	Data      []*Data
	Resources []*Resource
	Calls     []*Call
	Imports   []*Import
	Moved     []*Moved
	Removed   []*Removed
	// Files are the parsed sources by name, as diagnostics name them.
	Files map[string]*hcl.File
	// Budget is what the evaluation of the configuration may take.
	Budget *budget.Budget
	// Broken reports whether a file could not be read or has a syntax error, so that declarations
	// may be missing.
	Broken bool

	isDefinition bool // that another configuration calls
}

// Settings is the content of the kplan blocks.
type Settings struct {
	RequiredVersion      string // a constraint such as ">= 0.1", "" for none
	RequiredVersionRange hcl.Range
	Cluster              *hcl.Block // cluster {}, nil when absent; see Config.Cluster
	Encryption           *hcl.Block // encryption {}, nil when absent; see Config.Encryption
	Backend              *hcl.Block // backend "type" {}, nil when absent; see Config.Backend
}

// Variable is a variable block.
type Variable struct {
	Name        string
	Description string
	Type        cty.Type           // cty.DynamicPseudoType where none is declared
	Optional    *typeexpr.Defaults // of optional() attributes, nil for none
	Default     cty.Value          // cty.NilVal where the variable is required
	Nullable    bool               // null is a value; true unless declared otherwise
	Sensitive   bool
	Validations []*Check
	Range       hcl.Range // the block's head

	defaultExpr hcl.Expression // as it is written, nil for none
	// literal: outside of files the value is plain text and not an expression.
	literal bool
}

// Local is one attribute of a locals block.
type Local struct {
	Name  string
	Expr  hcl.Expression
	Range hcl.Range

	nameRange hcl.Range
}

// Output is an output block.
type Output struct {
	Name          string
	Description   string
	Expr          hcl.Expression
	Sensitive     bool
	DependsOn     []Reference
	Preconditions []*Check
	Range         hcl.Range
}

// CheckBlock is a check block: what should be true of the whole, and is a warning where it is not.
type CheckBlock struct {
	Name    string
	Data    []*Data // what only its assertions refer to
	Asserts []*Check
	Range   hcl.Range // the block's head
}

// Resource is a resource block: one kind of object, once or many times; or a manifests block: objects of any
// kinds.
type Resource struct {
	Repetition
	Addr      addrs.Resource // without the module, which may be called several times
	DependsOn []Reference
	Lifecycle Lifecycle
	Wait      Wait
	// Body is what remains of the block: the manifest.
	Body hcl.Body
	// Objects is the list of objects of a manifests block, nil for a resource, and Namespace that of those that
	// name none, nil unless set.
	Objects, Namespace hcl.Expression
	Range              hcl.Range // the block's head
}

// Repetition is by what a block is repeated: one of the three or none.
type Repetition struct {
	ForEach, Count hcl.Expression // nil unless set
	// Enabled is whether there is the one object.
	Enabled hcl.Expression
}

// Argument is the name of the argument that gives the instances keys, "" for none.
func (r Repetition) Argument() string {
	switch {
	case r.ForEach != nil:
		return "for_each"
	case r.Count != nil:
		return "count"
	}
	return ""
}

// Call is a module block: the definition in another directory, with values for its variables.
type Call struct {
	Repetition
	Name string
	// Source is where the definition is, as it is written, and Version a constraint, "" for none.
	Source, Version           string
	SourceRange, VersionRange hcl.Range
	DependsOn                 []Reference
	// Arguments are the values of the definition's variables, in the order of the source.
	Arguments []*hcl.Attribute
	Range     hcl.Range // the block's head
	// Definition is what is called; nil until it is loaded, and where it could not be read.
	Definition *Config
}

// Reference is a reference to a resource, to one of its instances or to a module in a
// depends_on list.
type Reference struct {
	Resource addrs.Resource // the zero Resource where a module is named
	Call     string         // the name of the module
	Range    hcl.Range
}

// Lifecycle is the lifecycle block of a resource.
type Lifecycle struct {
	PreventDestroy bool
	// ProtectIf is prevent_destroy where that depends on other values.
	ProtectIf hcl.Expression
	// Retain means that the object is never deleted: destroy = false. Where it would be, kplan forgets it.
	Retain bool
	// Triggers are references to objects, or to values of them, whose change replaces the object.
	Triggers []hcl.Expression
	// Preconditions are true before the object is planned, and Postconditions once it is ready: they refer to
	// it as self.
	Preconditions, Postconditions []*Check
	// IgnoreChanges are fields that the configuration sets at creation and does not change
	// afterwards.
	IgnoreChanges []addrs.Path
	// ForceConflicts are fields whose ownership is transferred from other managers.
	ForceConflicts []addrs.Path
	// Exclusive are fields in which nothing else may be than what the configuration
	// sets: what other managers add there is removed.
	Exclusive []addrs.Path
	// ReplaceOn are fields whose change replaces the object.
	ReplaceOn []addrs.Path
	// Ranges are where each of these paths is written.
	Ranges map[addrs.Path]hcl.Range
	Range  hcl.Range
}
