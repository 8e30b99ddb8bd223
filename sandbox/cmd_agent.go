package main

import (
	"context"

	"kplan.dev/kplan/sandbox/kubelets"
	"kplan.dev/kplan/sandbox/namespaces"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// cmdAgent is the one part that is ours: it simulates what a cluster needs besides a control plane, and for
// what the controllers do too slowly for a test.
func cmdAgent(ctx context.Context, c *call) error {
	var opts kubelets.Options
	kubeconfig := c.flags.String("kubeconfig", "", "")
	c.flags.IntVar(&opts.Nodes, "nodes", 0, "")
	c.flags.IntVar(&opts.Port, "port", 0, "")
	c.flags.StringVar(&opts.CertFile, "cert", "", "")
	c.flags.StringVar(&opts.KeyFile, "key", "", "")
	c.flags.StringVar(&opts.ClientCAFile, "ca", "", "")
	if _, err := c.parse(0); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1                           // no limit
	config.WarningHandler = rest.NoWarnings{} // of deprecated kinds, which namespaces are emptied of, too

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return kubelets.Run(ctx, config, opts) })
	group.Go(func() error { return namespaces.Run(ctx, rest.CopyConfig(config)) })
	return group.Wait()
}
