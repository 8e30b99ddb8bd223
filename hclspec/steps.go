package hclspec

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/funcs"
)

// maxSteps bounds how often the values and conditions of for expressions are
// evaluated in one round. A few of them inside one another would otherwise keep
// a run busy until its memory is full.
//
// A variable for the tests, which could not wait so long.
var maxSteps int64 = 2_000_000

// stepFunction is put around the value and the condition of every for
// expression. No source can call a function of that name. HCL's evaluation
// can't be interrupted, but it does call functions.
const stepFunction = "\x00step"

// rewriting guards the expressions of configurations while stepFunction is put
// into them, which the first use of a configuration does.
var rewriting sync.Mutex

func countSteps(e *hclsyntax.ForExpr) {
	if isCounted(e.ValExpr) {
		return // nothing is written while others may be evaluating
	}
	e.ValExpr = counted(e.ValExpr)
	if e.CondExpr != nil {
		e.CondExpr = counted(e.CondExpr)
	}
}

func isCounted(expr hclsyntax.Expression) bool {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	return ok && call.Name == stepFunction
}

func counted(expr hclsyntax.Expression) hclsyntax.Expression {
	at := expr.Range()
	return &hclsyntax.FunctionCallExpr{
		Name: stepFunction, Args: []hclsyntax.Expression{expr},
		NameRange: at, OpenParenRange: at, CloseParenRange: at,
	}
}

// stepCounter is the function behind stepFunction. An error would not end the
// for expressions around it, which go on and collect more of them. So it ends
// the goroutine: see withinSteps.
func stepCounter(limit int64) function.Function {
	var steps atomic.Int64
	return function.New(&function.Spec{
		Params: []function.Parameter{funcs.Open(function.Parameter{Name: "value", Type: cty.DynamicPseudoType})},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if steps.Add(1) > limit {
				runtime.Goexit()
			}
			return args[0], nil
		},
	})
}

// withinSteps evaluates something, which may have loops, in a goroutine of its own.
// That ends without a result when the steps run out; ok is false then.
func withinSteps[T any](loops bool, evaluate func() T) (result T, ok bool) {
	if !loops {
		return evaluate(), true
	}
	done := make(chan T, 1)
	var trap graph.Trap
	go func() {
		defer close(done)
		trap.Run(nil, func() { done <- evaluate() })
	}()
	result, ok = <-done
	trap.Rethrow()
	return result, ok
}
