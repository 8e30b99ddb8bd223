// Package namespaces empties and removes namespaces that are deleted, with the code that the controller manager
// does it with, but without its waits: five seconds before it begins, as other API servers may not have heard yet,
// and then half the time that pods may take to stop. Here is one API server and pods stop at once, and tests delete
// many namespaces.
package namespaces

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/kubernetes/pkg/controller/namespace/deletion"
)

const (
	workers    = 16
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second // for a namespace that a finalizer holds
)

// Run removes namespaces until the context ends.
func Run(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	objects, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	deleter := deletion.NewNamespacedResourcesDeleter(ctx, client.CoreV1().Namespaces(), objects, client.CoreV1(),
		client.Discovery().ServerPreferredNamespacedResources, corev1.FinalizerKubernetes)

	queue := workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](firstRetry, lastRetry))
	add := func(obj any) {
		if ns := obj.(*corev1.Namespace); ns.DeletionTimestamp != nil {
			queue.Add(ns.Name)
		}
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	_, err = factory.Core().V1().Namespaces().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, ns any) { add(ns) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())

	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { work(ctx, queue, deleter) })
	}
	<-ctx.Done()
	queue.ShutDown()
	wg.Wait()
	return nil
}

func work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[string], d deletion.NamespacedResourcesDeleterInterface) {
	for {
		name, shutdown := queue.Get()
		if shutdown {
			return
		}
		if err := d.Delete(ctx, name); err != nil { // also while something is left
			queue.AddRateLimited(name)
		} else {
			queue.Forget(name)
		}
		queue.Done(name)
	}
}
