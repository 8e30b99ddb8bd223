package main

import (
	"context"

	kubelet "kplan.dev/kplan/sandbox/kubelets"

	"k8s.io/client-go/tools/clientcmd"
)

func cmdKubelets(ctx context.Context, c *call) error {
	var opts kubelet.Options
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
	return kubelet.Run(ctx, config, opts)
}
