// Command kplan-sandbox runs a real Kubernetes control plane on this machine, for tests, demos and benchmarks of
// kplan: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, each a process of its own, built from
// their Go modules; and, instead of machines, an agent, which makes nodes ready and pods run (cmd_agent.go).
//
// One process, the supervisor, starts the parts, watches them and takes commands (control.go). Everything of a
// sandbox is one directory (dir.go), and any number of sandboxes run side by side.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// command is one verb of the command line.
type command struct {
	name    string
	args    string // what follows the flags, for the help
	summary string
	run     func(ctx context.Context, c *call) error
}

// call is what a command gets: its flags, where to talk to, and the arguments it was called with.
type call struct {
	flags       *flag.FlagSet
	args        []string
	out, errOut io.Writer
}

func commands() []command {
	return []command{
		{"up", "", "start a sandbox and say when it is ready", cmdUp},
		{"down", "", "stop it", cmdDown},
		{"status", "", "say how it is; exit 0 only if all is well", cmdStatus},
		{"kubeconfig", "", "print a kubeconfig for a new user", cmdKubeconfig},
		{"restart", "PART", "stop a part and start it again", cmdRestart},
		{"kill", "PART", "crash a part", cmdKill},
		{"build", "", "build the parts from source", cmdBuild},
		{"forge", "up|down", "start or stop a forge for tests", cmdForge},
		{"agent", "", "", cmdAgent}, // not in the help: a part
	}
}

// errUsage marks a mistake in the command line; the exit code is 2.
var errUsage = errors.New("usage")

// errSilent is for a command that has already said what is wrong.
var errSilent = errors.New("")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		usage(out)
		return 0
	}
	for _, cmd := range commands() {
		if cmd.name == args[0] {
			return finish(invoke(ctx, cmd, args[1:], out, errOut), errOut)
		}
	}
	return finish(fmt.Errorf("%w: no command %q; see `kplan-sandbox help`", errUsage, args[0]), errOut)
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: kplan-sandbox COMMAND [FLAGS], where COMMAND is one of")
	for _, cmd := range commands() {
		if cmd.summary != "" {
			fmt.Fprintf(w, "  %-16s %s\n", cmd.name+" "+cmd.args, cmd.summary)
		}
	}
	fmt.Fprintln(w, "and `kplan-sandbox COMMAND -h` lists its flags.")
}

func invoke(ctx context.Context, cmd command, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("kplan-sandbox "+cmd.name, flag.ContinueOnError)
	flags.SetOutput(errOut)
	return cmd.run(ctx, &call{flags: flags, args: args, out: out, errOut: errOut})
}

// parse reads the flags, which the command has declared, and returns the arguments after them. A flag may also
// follow an argument.
func (c *call) parse(arguments int) ([]string, error) {
	var words []string
	for rest := c.args; ; {
		if err := c.flags.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, fmt.Errorf("%w: %w", errUsage, err)
		}
		if c.flags.NArg() == 0 {
			break
		}
		words, rest = append(words, c.flags.Arg(0)), c.flags.Args()[1:]
	}
	if len(words) != arguments {
		return nil, fmt.Errorf("%w: %s takes %d arguments besides its flags, not %d",
			errUsage, c.flags.Name(), arguments, len(words))
	}
	return words, nil
}

// dirFlag declares -dir.
func (c *call) dirFlag() *string {
	return c.flags.String("dir", ".sandbox", "the sandbox's `directory`")
}

// finish says what went wrong and chooses the exit code.
func finish(err error, errOut io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case err == errSilent:
		return 1
	}
	fmt.Fprintln(errOut, "kplan-sandbox:", err)
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}
