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
	Dir       string
	Settings  Settings
	Variables []*Variable
	Locals    []*Local
	Outputs   []*Output
	Resources []*Resource
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

// Resource is a resource block: one kind of object, once or many times.
type Resource struct {
	Addr      addrs.Resource
	ForEach   hcl.Expression // nil unless set; never together with Count
	Count     hcl.Expression
	DependsOn []Reference
	Lifecycle Lifecycle
	Wait      Wait
	// Body is what remains of the block: the manifest.
	Body  hcl.Body
	Range hcl.Range // the block's head
}

// Reference is a reference to a resource or one of its instances in a
// depends_on list.
type Reference struct {
	Resource addrs.Resource
	Range    hcl.Range
}

// Lifecycle is the lifecycle block of a resource.
type Lifecycle struct {
	PreventDestroy bool
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
