// Package kubelets plays the kubelets of a cluster that has no machines. It keeps a number of nodes ready, and
// takes every pod that the scheduler puts on one of them through its life as a kubelet reports it: no container is
// started, but pods get addresses, become Running and Ready, complete if a Job owns them, fail if their image
// says so (behaviour.go), have logs, and go when they are deleted.
//
// Many workers share the pods; with a client that has no limit of its own, a thousand run within seconds.
package kubelets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Options say what Run plays.
type Options struct {
	Nodes int // number of nodes
	Port  int // on 127.0.0.1, where all nodes answer the API server; see server.go

	// PEM files for that port: its certificate, and the authority of those who may ask.
	CertFile, KeyFile, ClientCAFile string
}

// Run plays the kubelets until the context ends.
func Run(ctx context.Context, config *rest.Config, opts Options) error {
	config = rest.CopyConfig(config)
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, err := newPodWorker(client, factory.Core().V1().Pods())
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return serve(ctx, opts, pods) })
	group.Go(func() error { return pods.run(ctx) })
	for i := range opts.Nodes {
		group.Go(func() error { return keepNode(ctx, client, fmt.Sprintf("node-%d", i), opts.Port) })
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// retry calls until it succeeds or the context ends: the API server may be down for a while, as tests do that.
func retry(ctx context.Context, call func(context.Context) error) error {
	return wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		return call(ctx) == nil, nil
	})
}
