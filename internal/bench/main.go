// Command bench compares kplan with other tools, and with a client that does
// nothing but send the requests, side by side on one sandbox. docs/performance.md
// says how to read what it prints.
//
// Absolute times depend on the machine and on what else it does; the ratios of
// one run are the result. So every round goes through all tools and scenarios
// once, and what is printed are medians over the rounds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	mode        string
	tenants     int
	sizes       string
	unmanaged   int
	rounds      int
	waitTimeout time.Duration
	replicas    int
	tools       string
	without     string
	bin         string
	sandbox     string
	bare        string
}

func main() {
	var o options
	flag.StringVar(&o.mode, "mode", "compare",
		"compare tools, sweep sizes, or fill the cluster with unmanaged objects: `compare, sweep or unmanaged`")
	flag.IntVar(&o.tenants, "tenants", 250, "tenants in the modes compare and unmanaged, each of 4 objects")
	flag.StringVar(&o.sizes, "sizes", "25,250,2500", "numbers of tenants in the mode sweep")
	flag.IntVar(&o.unmanaged, "unmanaged", 20_000, "unmanaged objects in the mode unmanaged")
	flag.IntVar(&o.rounds, "rounds", 3, "how often everything is measured")
	flag.DurationVar(&o.waitTimeout, "timeout", 0,
		"a tool whose commands take longer than this in one round sits out the other rounds; 0 for none")
	flag.IntVar(&o.replicas, "replicas", 1, "replicas of each replication controller")
	flag.StringVar(&o.tools, "tools", "", "only these tools, by the beginnings of their names: `kplan,kubectl`")
	flag.StringVar(&o.without, "without", "", "leave out scenarios, by the beginnings of their names: `destroy`, which takes kubectl minutes")
	flag.StringVar(&o.bin, "bin", "bin", "`directory` of kplan, kplan-sandbox and sandbox/kubectl")
	flag.StringVar(&o.sandbox, "sandbox", "", "`directory` of a running sandbox to use; without it one is started")
	flag.StringVar(&o.bare, "bare", "", "what to do as the bare client: for this program's own use")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.bare != "" {
		return runBare(ctx, o.bare)
	}
	b, end, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer end()
	fmt.Printf("%s/%s, %d CPUs, load %s; audit log: requests only; %d replicas; medians of %d rounds\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load(), o.replicas, o.rounds)
	switch o.mode {
	case "compare":
		return b.compare(ctx)
	case "sweep":
		return b.sweep(ctx)
	case "unmanaged":
		return b.amongUnmanaged(ctx)
	}
	return fmt.Errorf("there is no mode %q", o.mode)
}

// load is how busy the machine is, where the system reports it.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// bench is what all modes need.
type bench struct {
	options
	cluster *cluster
	relay   *relay
	meter   *meter
	own     *bareClient // for what is not measured
	dir     string
	tools   []tool
	excused map[string]bool // tools that can't take part, or no more
	trials  int
	used    bool // the cluster, by a trial
	others  int  // pods in the cluster that are no trial's
}

func newBench(ctx context.Context, o options) (*bench, func(), error) {
	var err error
	if o.bin, err = filepath.Abs(o.bin); err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "kplan-bench-")
	if err != nil {
		return nil, nil, err
	}
	b := &bench{options: o, dir: dir, tools: chosen(tools(o.bin, self), o.tools), excused: map[string]bool{}}
	end := func() { b.disconnect(); os.RemoveAll(dir) }
	if err := b.connect(ctx); err != nil {
		end()
		return nil, nil, err
	}
	return b, end, nil
}

// connect opens the cluster, puts the relay before it and warms it up.
func (b *bench) connect(ctx context.Context) (err error) {
	if b.cluster, err = openCluster(ctx, b.bin, b.sandbox); err != nil {
		return err
	}
	var through string
	if b.relay, through, err = startRelay(b.cluster.kubeconfig, b.dir); err != nil {
		return err
	}
	if b.own, err = newBareClient(b.cluster.kubeconfig, ownAgent); err != nil {
		return err
	}
	b.meter = &meter{relay: b.relay, audit: b.cluster.audit, env: append(os.Environ(), "NO_COLOR=1"), direct: b.cluster.kubeconfig,
		through: through}
	b.used, b.others = false, 0
	if b.sandbox != "" {
		return nil // it is the user's
	}
	return b.warmUp(ctx)
}

// warmUp has the bare client make a few tenants, which stay: an API server is slow
// with the first objects of each kind.
func (b *bench) warmUp(ctx context.Context) error {
	few := workload{prefix: "bench-warm", tenants: 20, replicas: 1}
	dir, bare := filepath.Join(b.dir, "warm"), b.tools[0]
	if err := bare.write(few, dir); err != nil {
		return err
	}
	if _, err := b.meter.run(ctx, dir, bare.commands[applyNew][0]); err != nil {
		return err
	}
	b.others = few.pods()
	return b.own.settle(ctx, b.others)
}

func (b *bench) disconnect() {
	if b.relay != nil {
		b.relay.listener.Close()
	}
	if b.cluster != nil {
		b.cluster.stop()
	}
}

// renew goes on with a new cluster if this one has been used: a sandbox starts
// sooner than hundreds of namespaces are gone, and no tool has to pay for what
// the one before it left to an API server that has grown.
func (b *bench) renew(ctx context.Context) error {
	if !b.used {
		return nil
	}
	b.disconnect()
	b.relay, b.cluster = nil, nil
	return b.connect(ctx)
}

// chosen are the tools whose names begin with one of the words, all for none.
// The bare client always takes part.
func chosen(all []tool, words string) []tool {
	if words == "" {
		return all
	}
	var some []tool
	for _, t := range all {
		if t.name == "bare client" || isMeant(words, t.name) {
			some = append(some, t)
		}
	}
	return some
}

// isMeant reports whether one of the words is the beginning of a name.
func isMeant(words, name string) bool {
	for word := range strings.SplitSeq(words, ",") {
		if word = strings.TrimSpace(word); word != "" && strings.HasPrefix(strings.ToLower(name), strings.ToLower(word)) {
			return true
		}
	}
	return false
}

func numbers(list string) ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of tenants", word)
		}
		all = append(all, n)
	}
	return all, nil
}
