// Package budget bounds what the evaluation of a configuration takes. HCL's evaluator can't be
// interrupted and knows no limits: a few lines can ask for more memory than there is.
//
// A Budget is put into the syntax tree of every file right after it is parsed (Budget.Body,
// Budget.Expr): where a value can grow, a node is wrapped in one that spends before or after it is
// evaluated. Functions, and whoever walks through values, spend by themselves. When nothing is left, or
// the run was interrupted, evaluation leaves through a panic, because loops go on after an error and try
// would swallow it. Within, at the entrance, makes a problem of it.
package budget

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Limit is what one round of evaluation may spend: about the bytes of what it makes. More is granted for what is
// read from files, so that a large configuration is no problem, but one that makes much of little.
//
// A variable for the tests, which run out sooner.
var Limit int64 = 128 << 20

// The prices, in the unit of Limit, which is a byte of new text.
const (
	// Made is an element of a list, a map or an object that is made, and a turn of a loop.
	Made = 160
	// Seen is an element that is gone through, or stays shared, and that whoever uses the value goes through again.
	Seen = 32
	// Decoded is a part of an object.
	Decoded = 48
	// problem is an error, of which loops collect many.
	problem = 2 << 10
	// Instance is an object.
	Instance = 512
	// call is the call of a function.
	call = 192
	// perFileByte is granted for each byte of a file, once.
	perFileByte = 12
	// textShare is how much text that is shared costs less than text that is made.
	textShare = 4
)

// grace is how long evaluation goes on after an interrupt: what is nearly done may end.
const grace = 500 * time.Millisecond

// Budget is what the evaluation of one configuration may still spend. The nil budget is unlimited.
type Budget struct {
	ctx  context.Context
	left atomic.Int64
	// problem is why evaluation ended, nil as long as it goes on.
	problem atomic.Pointer[hcl.Diagnostic]

	mu          sync.Mutex
	granted     int64               // for files
	decodable   int64               // bytes of files that may still be decoded for nothing
	waived      int64               // what that would have cost
	files       map[string]struct{} // those granted for
	interrupted chan struct{}       // closed when an interrupt ends evaluation
	saved       int64               // what was left then
}

// New is a budget for a configuration whose evaluation ends with ctx.
func New(ctx context.Context) *Budget {
	b := &Budget{ctx: ctx, files: map[string]struct{}{}, interrupted: make(chan struct{})}
	b.left.Store(Limit)
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, b.interrupt) })
	return b
}

// Refill begins a round: as much may be spent as in the one before.
func (b *Budget) Refill() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isInterrupted() {
		return
	}
	b.problem.Store(nil)
	b.left.Store(Limit + b.granted)
	b.decodable = b.granted / perFileByte
}

// Measure evaluates something within the budget, and returns what it takes, each time again.
func (b *Budget) Measure(evaluate func()) (cost int64, diags hcl.Diagnostics) {
	before := b.spent()
	diags = b.Within(evaluate)
	return b.spent() - before, diags
}

// spent grows by all that is taken from the budget, or would be.
func (b *Budget) spent() int64 {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.granted + b.waived - b.left.Load()
}

// Grant allows to spend more: what was spent before, say, for what must be evaluated again.
func (b *Budget) Grant(n int64) {
	if b != nil {
		b.left.Add(n)
	}
}

// File allows to spend more for a file that was read, the first time.
func (b *Budget) File(name string, size int) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, again := b.files[name]; again {
		return
	}
	b.files[name] = struct{}{}
	b.granted += int64(size) * perFileByte
	b.decodable += int64(size)
	b.left.Add(int64(size) * perFileByte)
}

// Left is what may still be spent.
func (b *Budget) Left() int64 { return max(0, b.left.Load()) }

// Decode takes from the budget for a text that is decoded. To decode a file once, or all of its parts, is what a
// configuration is for, and however long that takes it is no more than the files have.
func (b *Budget) Decode(size int, perByte int64) {
	b.mu.Lock()
	free := min(b.decodable, int64(size))
	b.decodable -= free
	b.waived += free * perByte
	b.mu.Unlock()
	b.Spend((int64(size) - free) * perByte)
}

// ended is the panic by which evaluation is left.
type ended struct{ budget *Budget }

// Error is for the functions of cty, which recover from panics and make errors of them. A call's node
// panics again.
func (ended) Error() string { return "evaluation was ended" }

// IsExhausted reports whether evaluation was ended.
func (b *Budget) IsExhausted() bool { return b != nil && b.left.Load() < 0 }

// Within evaluates something, and returns what is wrong when that did not come to an end.
func (b *Budget) Within(evaluate func()) (diags hcl.Diagnostics) {
	if b == nil {
		evaluate()
		return nil
	}
	if b.ctx.Err() != nil {
		defer b.resume()()
	}
	defer func() {
		switch why := recover().(type) {
		case nil:
		case ended:
			b.exhaust(nil)
			diags = hcl.Diagnostics{b.problem.Load()}
		default:
			panic(why)
		}
	}()
	evaluate()
	return nil
}

// Spend takes from the budget. The nodes around know where that is.
func (b *Budget) Spend(n int64) {
	if b != nil && b.left.Add(-n) < 0 {
		panic(ended{b})
	}
}

// SpendAt takes from the budget for the expression at a range.
func (b *Budget) SpendAt(n int64, at hcl.Range) {
	if b != nil && b.left.Add(-n) < 0 {
		end := at // only this one escapes to the heap
		b.exhaust(&end)
		panic(ended{b})
	}
}

// check leaves the evaluation of an expression if nothing is left.
func (b *Budget) check(of hclsyntax.Expression) {
	if b.left.Load() < 0 {
		at := of.Range()
		b.exhaust(&at)
		panic(ended{b})
	}
}

// Summary is that of the problem that the budget is exhausted.
const Summary = "Too much to evaluate"

// exhaust records where the budget ran out, the first time.
func (b *Budget) exhaust(at *hcl.Range) {
	b.problem.CompareAndSwap(nil, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  Summary,
		Detail: fmt.Sprintf("Evaluated up to here, the values of this configuration take more than %d MiB, of which each element of a list or "+
			"map counts %d bytes. Reduce the collections and texts, in particular where one is nested in another or repeated.",
			(Limit+b.grants())>>20, Made),
		Subject: at,
	})
}

func (b *Budget) grants() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.granted
}

// Interrupted is the problem of an evaluation that was interrupted.
func Interrupted() *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Interrupted", Detail: "The configuration was not fully evaluated."}
}

// interrupt ends evaluation at its next step.
func (b *Budget) interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isInterrupted() {
		return
	}
	b.problem.CompareAndSwap(nil, Interrupted())
	b.saved = b.left.Swap(math.MinInt64 / 2)
	close(b.interrupted)
}

func (b *Budget) isInterrupted() bool {
	select {
	case <-b.interrupted:
		return true
	default:
		return false
	}
}

// resume lets something be evaluated after an interrupt, such as the outputs of what was applied, with a
// grace of its own.
func (b *Budget) resume() (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isInterrupted() {
		b.interrupted = make(chan struct{})
		b.problem.Store(nil)
		b.left.Store(b.saved)
	}
	timer := time.AfterFunc(grace, b.interrupt)
	return func() { timer.Stop() }
}

// Abandonable runs something that may take long and can't be interrupted by itself. After an interrupt
// it is left behind.
func (b *Budget) Abandonable(run func()) {
	if b == nil {
		run()
		return
	}
	b.mu.Lock()
	interrupted := b.interrupted
	b.mu.Unlock()
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		run()
	}()
	select {
	case panicked := <-done:
		if panicked != nil {
			panic(panicked)
		}
	case <-interrupted:
		panic(ended{b})
	}
}
