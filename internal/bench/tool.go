package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// scenario is a situation in which the tools are compared.
type scenario string

const (
	start        scenario = "version"
	planNew      scenario = "plan, all new"
	applyNew     scenario = "apply, all new"
	planSame     scenario = "plan, nothing changed"
	applySame    scenario = "apply, nothing changed"
	planQuarter  scenario = "plan, a quarter changed"
	applyQuarter scenario = "apply, a quarter changed"
	destroy      scenario = "destroy"
)

// scenarios are in the order they are gone through: each finds what the one
// before has left.
var scenarios = []scenario{start, planNew, applyNew, planSame, applySame, planQuarter, applyQuarter, destroy}

// tool is a program under comparison.
type tool struct {
	name string
	// program is looked for in PATH, unless it has slashes.
	program string
	// write makes the tool's files of a workload in an empty directory.
	write func(w workload, dir string) error
	// prepare is run once in the tool's directory, nil for nothing. A tool that it
	// fails for is left out.
	prepare []string
	// commands are what is measured; a scenario without any is not for this tool.
	commands map[scenario][]command
}

// command is one thing to measure.
type command struct {
	label string // which of several in the same scenario, "" for the only one
	argv  []string
	// alsoFine are exit codes that mean success besides 0.
	alsoFine []int
}

func one(argv ...string) []command { return []command{{argv: argv}} }

// tools are all that can be compared, the bare client first: its figures are
// what the API server itself takes, with as many requests in flight as kplan has.
func tools(bin, self string) []tool {
	kplan := filepath.Join(bin, "kplan")
	return []tool{
		bareTool(self),
		{name: "kplan", program: kplan, write: workload.writeBlocks, commands: kplanCommands(kplan)},
		{name: "kplan, for_each", program: kplan, write: workload.writeForEach, commands: kplanCommands(kplan)},
		kubectlTool(filepath.Join(bin, "sandbox", "kubectl")),
		terraformTool(),
		kappTool(),
		helmTool(),
	}
}

func bareTool(self string) tool {
	bare := func(label, what string) command {
		return command{label: label, argv: []string{self, "-bare", what}}
	}
	return tool{
		name: "bare client", program: self, write: workload.writeObjects,
		commands: map[scenario][]command{
			planNew:      {bare("dry-runs of namespaces", "dry-run-namespaces")},
			applyNew:     {bare("creates", "create")},
			planSame:     {bare("lists", "list"), bare("dry-runs of all", "dry-run")},
			planQuarter:  {bare("lists, dry-runs of those", "list,dry-run-changed")},
			applySame:    {bare("lists", "list")},
			applyQuarter: {bare("lists, applies of those", "list,apply-changed")},
			destroy:      {bare("deletes of namespaces", "delete")},
		},
	}
}

func kplanCommands(kplan string) map[scenario][]command {
	return map[scenario][]command{
		start:        one(kplan, "version"),
		planNew:      one(kplan, "plan"),
		applyNew:     one(kplan, "apply", "-auto-approve", "-wait=false"),
		planSame:     one(kplan, "plan"),
		applySame:    one(kplan, "apply", "-auto-approve", "-wait=false"),
		planQuarter:  one(kplan, "plan"),
		applyQuarter: one(kplan, "apply", "-auto-approve", "-wait=false"),
		destroy:      one(kplan, "destroy", "-auto-approve"),
	}
}

// kubectlTool has no plan of new objects: kubectl diff fails for objects whose
// namespace does not exist.
func kubectlTool(kubectl string) tool {
	return tool{
		name: "kubectl", program: kubectl, write: workload.writeYAML,
		commands: map[scenario][]command{
			start:        one(kubectl, "version", "--client"),
			applyNew:     one(kubectl, "apply", "--server-side", "-f", "."),
			planSame:     one(kubectl, "diff", "--server-side", "-f", "."),
			applySame:    one(kubectl, "apply", "--server-side", "-f", "."),
			planQuarter:  {{argv: []string{kubectl, "diff", "--server-side", "-f", "."}, alsoFine: []int{1}}},
			applyQuarter: one(kubectl, "apply", "--server-side", "-f", "."),
			destroy:      one(kubectl, "delete", "-f", ".", "--ignore-not-found"),
		},
	}
}

func terraformTool() tool {
	terraform := func(args ...string) []command { return one(append([]string{"terraform"}, args...)...) }
	return tool{
		name: "Terraform", program: "terraform", write: workload.writeTerraform,
		prepare: []string{"terraform", "init", "-input=false"},
		commands: map[scenario][]command{
			start:        terraform("version"),
			planNew:      terraform("plan", "-input=false"),
			applyNew:     terraform("apply", "-input=false", "-auto-approve"),
			planSame:     terraform("plan", "-input=false"),
			applySame:    terraform("apply", "-input=false", "-auto-approve"),
			planQuarter:  terraform("plan", "-input=false"),
			applyQuarter: terraform("apply", "-input=false", "-auto-approve"),
			destroy:      terraform("destroy", "-input=false", "-auto-approve"),
		},
	}
}

func kappTool() tool {
	kapp := func(args ...string) []command {
		return one(append([]string{"kapp", "-a", "bench", "-n", "default", "-y"}, args...)...)
	}
	return tool{
		name: "kapp", program: "kapp", write: workload.writeYAML,
		commands: map[scenario][]command{
			start:        one("kapp", "version"),
			planNew:      kapp("deploy", "-f", ".", "--diff-run"),
			applyNew:     kapp("deploy", "-f", ".", "--wait=false"),
			planSame:     kapp("deploy", "-f", ".", "--diff-run"),
			applySame:    kapp("deploy", "-f", ".", "--wait=false"),
			planQuarter:  kapp("deploy", "-f", ".", "--diff-run"),
			applyQuarter: kapp("deploy", "-f", ".", "--wait=false"),
			destroy:      kapp("delete"),
		},
	}
}

func helmTool() tool {
	return tool{
		name: "Helm", program: "helm", write: workload.writeChart,
		commands: map[scenario][]command{
			start:        one("helm", "version"),
			planNew:      one("helm", "upgrade", "--install", "bench", ".", "--dry-run=server"),
			applyNew:     one("helm", "upgrade", "--install", "bench", "."),
			planSame:     one("helm", "upgrade", "--install", "bench", ".", "--dry-run=server"),
			applySame:    one("helm", "upgrade", "--install", "bench", "."),
			planQuarter:  one("helm", "upgrade", "--install", "bench", ".", "--dry-run=server"),
			applyQuarter: one("helm", "upgrade", "--install", "bench", "."),
			destroy:      one("helm", "uninstall", "bench", "--wait"),
		},
	}
}

// trial is one tool at work on one workload, in a directory of its own.
type trial struct {
	tool
	workload
	dir string
}

// begin writes the tool's files. It says why the tool can't take part.
func (t *trial) begin(ctx context.Context, m *meter) error {
	if _, err := exec.LookPath(t.program); err != nil {
		return err
	}
	if err := t.rewrite(false); err != nil {
		return err
	}
	if t.prepare == nil {
		return nil
	}
	_, err := m.run(ctx, t.dir, command{argv: t.prepare})
	return err
}

// rewrite writes the files again, with or without the change.
func (t *trial) rewrite(changed bool) error {
	t.changed = changed
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return err
	}
	return t.write(t.workload, t.dir)
}
