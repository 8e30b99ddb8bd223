package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/ui"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan"
)

// console evaluates expressions, one after another.
type console struct {
	s    *session
	opts consoleOptions
	definition
	// configured is what the configuration alone has, and observed what the cluster adds to it; nil
	// until an expression needs that.
	configured, observed *hclspec.Scope
	// failed reports whether anything went wrong so far, and unsound whether that is the
	// configuration.
	failed, unsound bool
}

// expression is one that was given on the command line, typed, or read.
type expression struct {
	text string
	file string // what diagnostics call the place that it is from
	line int    // where it begins there
}

// openConsole evaluates the configuration, as far as it is sound. In a directory that has none, functions
// can be called all the same.
func (s *session) openConsole(ctx context.Context, opts consoleOptions) (*console, hcl.Diagnostics) {
	d, diags := s.define(ctx, opts.variables)
	if diags.HasErrors() && diags[0].Summary == source.NoFiles {
		d, diags = definition{config: s.quoted.config}, nil
	}
	if diags.HasErrors() {
		return nil, diags
	}
	preview, diags := hclspec.NewPreview(ctx, d.config, hclspec.Options{Variables: d.values, Kinds: kinds.OpenSet{Set: kinds.Builtin()}})
	plan.LearnSecrets(&s.ui.Secrets, preview.Desired()...)
	c := &console{s: s, opts: opts, definition: d, configured: preview.Scope(), failed: diags.HasErrors(), unsound: diags.HasErrors()}
	if c.unsound {
		s.ui.Report(append(diags, warning("Expressions may give less than they should",
			"The configuration has errors, and the cluster is not asked. What the errors concern is (known after apply) here.")...))
	}
	return c, nil
}

// scope is what an expression is evaluated in.
func (c *console) scope(ctx context.Context, e *hclspec.Expression) (*hclspec.Scope, hcl.Diagnostics) {
	switch {
	case c.observed != nil:
		return c.observed, nil
	case c.opts.offline || c.unsound || !e.ReadsObjects():
		return c.configured, nil
	}
	k, diags := c.s.open(ctx, c.definition, c.opts.planningOptions, "console")
	if diags.HasErrors() {
		return nil, diags
	}
	c.observed, diags = plan.Observe(ctx, k.input(c.opts.selection))
	if c.observed == nil {
		return nil, diags
	}
	c.report(diags)
	return c.observed, nil
}

// latest is the scope that is there already.
func (c *console) latest() *hclspec.Scope {
	if c.observed != nil {
		return c.observed
	}
	return c.configured
}

// evaluate prints the value of an expression or what is wrong with it, and reports whether there
// is a value.
func (c *console) evaluate(ctx context.Context, of expression) bool {
	if source.IsBlank([]byte(of.text)) {
		return true
	}
	before := c.s.quoted.lists[of.file]
	c.s.quoted.lists[of.file] = &hcl.File{Bytes: []byte(strings.Repeat("\n", of.line-1) + of.text)}
	defer func() { c.s.quoted.lists[of.file] = before }()
	e, value, diags := c.value(ctx, of)
	moveTo(of, diags)
	if !diags.HasErrors() {
		c.report(diags)
		diags = c.show(e, value)
	}
	c.report(diags)
	return !diags.HasErrors()
}

func (c *console) value(ctx context.Context, of expression) (*hclspec.Expression, cty.Value, hcl.Diagnostics) {
	e, diags := c.latest().Parse(ctx, []byte(of.text), of.file)
	if e != nil {
		c.s.ui.Secrets.Add(e.Secrets()...)
	}
	if diags.HasErrors() {
		return nil, cty.DynamicVal, diags
	}
	scope, diags := c.scope(ctx, e)
	if diags.HasErrors() {
		return nil, cty.DynamicVal, diags
	}
	if e, diags = scope.Parse(ctx, []byte(of.text), of.file); diags.HasErrors() {
		return nil, cty.DynamicVal, diags
	}
	value, more := e.Value()
	return e, value, append(diags, more...)
}

// moveTo has diagnostics about an expression point at where it is from. Those about the
// configuration stay as they are.
func moveTo(of expression, diags hcl.Diagnostics) {
	for _, d := range diags {
		for _, r := range []*hcl.Range{d.Subject, d.Context} {
			if r != nil && r.Filename == of.file {
				for _, pos := range []*hcl.Pos{&r.Start, &r.End} {
					pos.Line, pos.Byte = pos.Line+of.line-1, pos.Byte+of.line-1
				}
			}
		}
	}
}

// show prints a value.
func (c *console) show(e *hclspec.Expression, value cty.Value) hcl.Diagnostics {
	hide := c.s.ui.Secrets.Hide
	if e.Reveals() {
		hide = func(text string) string { return text }
	}
	switch {
	case c.opts.json:
		return c.showJSON(e, value, hide)
	case e.AsksForType:
		render.TypeOf(c.s.ui.Out, value, c.s.ui.Options())
	default:
		render.Value(c.s.ui.Out, value, hide, c.s.ui.Options())
	}
	return nil
}

// showJSON prints a value for a program, which would take a mask for the value.
func (c *console) showJSON(e *hclspec.Expression, value cty.Value, hide func(string) string) hcl.Diagnostics {
	out, diags := e.Output(value)
	switch {
	case diags.HasErrors():
		return diags
	case out.Sensitive || holds(out.Value, hide):
		return failure("Value is sensitive", "It is not printed. If it is no secret, wrap it in nonsensitive().")
	case out.Unknown:
		return failure("Value is not known", "It is known after apply, or to the cluster only, so it can't be printed as JSON.")
	case e.AsksForType:
		return failure("Type has no JSON form", "type() prints a type for people: leave out -json.")
	}
	return notWritten(c.s.ui.Wrote(render.OutputJSON(c.s.ui.Out, render.Output{Value: out.Value, Type: out.Type})))
}

// holds reports whether one of the texts in a JSON value is not shown as it is.
func holds(value any, hide func(string) string) bool {
	isHidden := func(text string) bool { return hide(text) != text }
	switch v := value.(type) {
	case string:
		return isHidden(v)
	case []any:
		return slices.ContainsFunc(v, func(inner any) bool { return holds(inner, hide) })
	case map[string]any:
		for name, inner := range v {
			if isHidden(name) || holds(inner, hide) {
				return true
			}
		}
	}
	return false
}

func (c *console) report(diags hcl.Diagnostics) {
	c.failed = c.failed || diags.HasErrors()
	c.s.ui.Report(diags)
}

// lines evaluates the lines of standard input up to the first error.
func (c *console) lines(ctx context.Context) {
	from := bufio.NewReaderSize(files.Reader(ctx, c.s.ui.In), 64<<10)
	var input source.Lines
	for number := 1; ; number++ {
		line, err := readBounded(from, source.MaxFileSize-input.Len())
		if err != nil && err != io.EOF {
			c.report(notRead(ctx, fmt.Sprintf("line %d", number), "standard input", err, ""))
			return
		}
		ended := err == io.EOF
		if !input.Add(line) && !ended {
			continue
		}
		text := input.Take()
		if strings.TrimSpace(text) == "exit" {
			return
		}
		of := expression{text: text, file: "<stdin>", line: number - strings.Count(strings.TrimSuffix(text, "\n"), "\n")}
		if !c.evaluate(ctx, of) || ended || ctx.Err() != nil {
			return
		}
	}
}

var errLongLine = errors.New("the expression is longer than kplan reads")

// readBounded reads a line of at most so many bytes.
func readBounded(from *bufio.Reader, limit int) (string, error) {
	var line []byte
	for {
		part, err := from.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > limit {
			return "", errLongLine
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return strings.TrimRight(string(line), "\r\n"), err
		}
	}
}

// prompt evaluates what is typed. An error is no reason to leave.
func (c *console) prompt(ctx context.Context) {
	p := c.s.ui.NewPrompt(ctx, func(before string) (string, []string) { return c.latest().Complete(ctx, before) })
	var input source.Lines
	for ctx.Err() == nil {
		prompt := "> "
		if input.Len() > 0 {
			prompt = ": "
		}
		line, err := p.Line(prompt)
		switch {
		case errors.Is(err, ui.ErrCleared):
			input.Take()
			continue
		case errors.Is(err, ui.ErrLineTooLong):
			input.Take()
			c.report(failure("Line too long", "No more than 4,096 characters can be typed or pasted in a line. "+
				"For longer ones: kplan console < FILE"))
			continue
		case err != nil:
			fmt.Fprintln(c.s.ui.Out)
			return
		}
		if !input.Add(line) {
			continue
		}
		switch text := input.Take(); strings.TrimSpace(text) {
		case "exit", "quit":
			return
		case "help":
			fmt.Fprint(c.s.ui.Out, consoleHelp)
		default:
			c.evaluateTyped(ctx, text)
		}
	}
}

const consoleHelp = `Type an expression to see its value: 1 + 2, upper("a"), var.name, local.labels,
Namespace.a.metadata.uid. type(…) shows the type. Tab completes names.
Ctrl-C clears the line or ends an evaluation. To leave: exit, or Ctrl-D.
`

// evaluateTyped evaluates an expression until it is done or Ctrl-C ends it.
func (c *console) evaluateTyped(ctx context.Context, text string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer c.s.signals.divertInterrupts(cancel)()
	c.evaluate(ctx, expression{text: text, file: "<console>", line: 1})
}
