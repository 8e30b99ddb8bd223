package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// compare goes through all scenarios with all tools, tool by tool, round by
// round.
func (b *bench) compare(ctx context.Context) error {
	found := results{}
	defer found.print(fmt.Sprintf("%d tenants, %d objects", b.tenants, b.tenants*objectsPerTenant), "kplan") // also when it is interrupted
	for round := range b.rounds {
		for _, t := range b.tools {
			if err := b.goThrough(ctx, t, b.tenants, round, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep goes through the sizes with kplan, and shows how cost grows.
func (b *bench) sweep(ctx context.Context) error {
	sizes, err := numbers(b.sizes)
	if err != nil {
		return err
	}
	found := results{}
	smallest := fmt.Sprintf("kplan, %d", sizes[0]*objectsPerTenant)
	defer found.print("objects as written behind the names", smallest) // also when it is interrupted
	for round := range b.rounds {
		for _, size := range sizes {
			for _, t := range b.tools {
				if t.name != "kplan" && t.name != "bare client" {
					continue
				}
				t.name = fmt.Sprintf("%s, %d", t.name, size*objectsPerTenant)
				if err := b.goThrough(ctx, t, size, round, found); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// amongForeign plans before and after the cluster is filled with objects that
// are not the stack's.
func (b *bench) amongUnmanaged(ctx context.Context) error {
	found := results{}
	title := fmt.Sprintf("%d tenants, %d objects", b.tenants, b.tenants*objectsPerTenant)
	defer found.print(title, "kplan, 0 unmanaged") // also when it is interrupted
	for _, filled := range []int{0, b.unmanaged} {
		if filled > 0 {
			progress("making %d unmanaged objects", filled)
			if err := b.own.makeUnmanaged(ctx, filled); err != nil {
				return err
			}
		}
		for round := range b.rounds {
			for _, t := range b.tools {
				if t.name != "kplan" && t.name != "bare client" {
					continue
				}
				t.name = fmt.Sprintf("%s, %d unmanaged", t.name, filled)
				if err := b.goThrough(ctx, t, b.tenants, round, found); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// goThrough takes one tool through all scenarios, with new objects, and where
// that can be in a cluster of its own.
func (b *bench) goThrough(ctx context.Context, t tool, tenants, round int, found results) error {
	if b.excused[t.name] {
		return nil
	}
	b.trials++
	trial := &trial{tool: t, dir: filepath.Join(b.dir, fmt.Sprint(b.trials)),
		workload: workload{prefix: fmt.Sprintf("bench-%d", b.trials), tenants: tenants, replicas: b.replicas}}
	defer os.RemoveAll(trial.dir)
	if err := trial.begin(ctx, b.meter); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		progress("%s is left out: %s", t.name, reason)
		b.excused[t.name] = true
		return nil
	}
	if b.mode == "unmanaged" || b.sandbox != "" {
		defer b.clearAway(ctx, trial)
	} else if err := b.renew(ctx); err != nil {
		return err
	}
	b.used = true
	b.meter.countsBytes = round == 0
	var took time.Duration
	for _, s := range scenarios {
		if isMeant(b.without, string(s)) {
			continue
		}
		wall, err := b.play(ctx, trial, s, round, found)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", t.name, s, err)
		}
		took += wall
	}
	b.excused[t.name] = b.waitTimeout > 0 && took > b.waitTimeout
	return nil
}

// clearAway deletes what is left when destroy is left out, or something failed.
func (b *bench) clearAway(ctx context.Context, t *trial) {
	if err := b.own.deleteNamespaces(context.WithoutCancel(ctx), t.prefix+"-"); err != nil {
		progress("namespaces are left behind: %v", err)
	}
}

// play measures a tool in one scenario, in the state that the scenario before
// has left, and says how long all of its commands took.
func (b *bench) play(ctx context.Context, t *trial, s scenario, round int, found results) (wall time.Duration, err error) {
	if s == planQuarter {
		if err := t.rewrite(true); err != nil {
			return 0, err
		}
	}
	for _, c := range t.commands[s] {
		took, err := b.meter.run(ctx, t.dir, c)
		if err != nil {
			return 0, err
		}
		wall += took.wall
		progress("round %d: %s: %s: %.2f s", round+1, row{t.name, c.label}, s, took.wall.Seconds())
		found.add(s, t.name, c.label, took)
	}
	if s == applyNew {
		err = b.own.settle(ctx, t.pods()+b.others)
	}
	return wall, err
}

// unmanagedObjects are objects of the kinds that a tenant has, and others, which
// nothing acts on: no scheduler takes the pods, no controller makes more. They
// are made one by one, since a large parent makes its children look large: see
// peakMemory.
func unmanagedObjects(n int) iter.Seq[object] {
	return func(yield func(object) bool) {
		if !yield(object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": unmanagedNamespace}}) {
			return
		}
		for i := range n {
			if !yield(unmanagedObject(i)) {
				return
			}
		}
	}
}

func unmanagedObject(i int) object {
	metadata := object{"name": fmt.Sprintf("unmanaged-%05d", i), "namespace": unmanagedNamespace, "labels": object{"app": "unmanaged"}}
	pod := object{"schedulerName": "nobody", "containers": []any{object{"name": "app", "image": "registry.example/app:1"}}}
	o := object{"apiVersion": "v1", "metadata": metadata}
	switch i % 4 {
	case 0:
		o["kind"], o["data"] = "ConfigMap", object{"key": "value"}
	case 1:
		o["kind"], o["spec"] = "Pod", pod
	case 2:
		labels := object{"app": "unmanaged-controller"}
		o["kind"], o["spec"] = "ReplicationController", object{"replicas": 0, "selector": labels,
			"template": object{"metadata": object{"labels": labels}, "spec": pod}}
	case 3:
		o["kind"], o["spec"] = "Service", object{"clusterIP": "None", "ports": []any{object{"port": 80}}}
	}
	return o
}

// makeUnmanaged makes the unmanaged objects, first the namespace they are in.
func (c *bareClient) makeUnmanaged(ctx context.Context, n int) error {
	if err := c.applyAll(ctx, unmanagedObjects(0), ""); err != nil {
		return err
	}
	return c.applyAll(ctx, unmanagedObjects(n), "")
}

const unmanagedNamespace = "bench-unmanaged"

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
