package kubelets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// workers is how many pods are worked on at once: about what the API server takes.
const workers = 32

// firstPodIP begins the pods' addresses, which count upwards from there.
var firstPodIP = netip.MustParseAddr("10.128.0.1")

// podWorker reports the status of pods and removes those that are deleted.
type podWorker struct {
	client   kubernetes.Interface
	informer coreinformers.PodInformer
	queue    workqueue.TypedRateLimitingInterface[cache.ObjectName]
	events   record.EventBroadcaster
	recorder record.EventRecorder

	mu     sync.Mutex // guards nextIP
	nextIP netip.Addr
}

func newPodWorker(client kubernetes.Interface, informer coreinformers.PodInformer) (*podWorker, error) {
	w := &podWorker{
		client:   client,
		informer: informer,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[cache.ObjectName](20*time.Millisecond, time.Second)),
		events: record.NewBroadcaster(),
		nextIP: firstPodIP,
	}
	w.recorder = w.events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet"})
	_, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    w.add,
		UpdateFunc: func(_, pod any) { w.add(pod) },
	})
	return w, err
}

// add queues a pod, if it has a node.
func (w *podWorker) add(obj any) {
	pod := obj.(*corev1.Pod)
	if pod.Spec.NodeName != "" {
		w.queue.Add(cache.MetaObjectToName(pod))
	}
}

// run works on pods until the context ends.
func (w *podWorker) run(ctx context.Context) error {
	w.events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: w.client.CoreV1().Events("")})
	defer w.events.Shutdown()
	if !cache.WaitForCacheSync(ctx.Done(), w.informer.Informer().HasSynced) {
		return ctx.Err()
	}
	w.resumeIPs()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { w.work(ctx) })
	}
	<-ctx.Done()
	w.queue.ShutDown()
	wg.Wait()
	return nil
}

func (w *podWorker) work(ctx context.Context) {
	for {
		name, shutdown := w.queue.Get()
		if shutdown {
			return
		}
		again, err := w.sync(ctx, name)
		switch {
		case err != nil:
			w.queue.AddRateLimited(name)
		case again > 0:
			w.queue.AddAfter(name, again)
			fallthrough
		default:
			w.queue.Forget(name)
		}
		w.queue.Done(name)
	}
}

// sync does what is to be done for a pod now, and says when there will be more.
func (w *podWorker) sync(ctx context.Context, name cache.ObjectName) (again time.Duration, err error) {
	pod, err := w.informer.Lister().Pods(name.Namespace).Get(name.Name)
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if pod.DeletionTimestamp != nil {
		return w.remove(ctx, pod)
	}
	if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return 0, nil
	}
	status, again := nextStatus(pod, time.Now())
	w.giveAddress(pod, &status)
	if equality.Semantic.DeepEqual(status, pod.Status) {
		return again, nil
	}
	if err := w.report(ctx, pod, status); err != nil {
		return 0, err
	}
	w.tell(pod, status)
	return again, nil
}

// remove deletes a pod whose containers have stopped: at once, or at the end of its grace period.
func (w *podWorker) remove(ctx context.Context, pod *corev1.Pod) (again time.Duration, err error) {
	for _, c := range pod.Spec.Containers {
		if left := time.Until(pod.DeletionTimestamp.Time); behaviourOf(c.Image).stubborn && left > 0 {
			return left, nil
		}
	}
	options := metav1.NewDeleteOptions(0)
	options.Preconditions = metav1.NewUIDPreconditions(string(pod.UID))
	err = w.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, *options)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return 0, nil // gone already, or another pod has its name by now
	}
	return 0, err
}

// report patches the pod's status. The patch names the uid and the version that it was made for: it fails if the pod
// has changed, and is tried again when we have heard of that. It leaves alone what others report, like the scheduler.
func (w *podWorker) report(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	before, err := json.Marshal(corev1.Pod{Status: pod.Status})
	if err != nil {
		return err
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: pod.UID, ResourceVersion: pod.ResourceVersion}, Status: status})
	if err != nil {
		return err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
	if err != nil {
		return err
	}
	_, err = w.client.CoreV1().Pods(pod.Namespace).Patch(
		ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// tell records the events by which a user learns why a pod doesn't run.
func (w *podWorker) tell(pod *corev1.Pod, status corev1.PodStatus) {
	for _, s := range append(status.InitContainerStatuses, status.ContainerStatuses...) {
		if s.State.Waiting == nil {
			continue
		}
		switch s.State.Waiting.Reason {
		case reasonErrImagePull:
			w.recorder.Eventf(pod, corev1.EventTypeWarning, "Failed", "Failed to pull image %q: %s", s.Image, s.State.Waiting.Message)
		case reasonImagePullBackOff:
			w.recorder.Eventf(pod, corev1.EventTypeNormal, "BackOff", "Back-off pulling image %q", s.Image)
		case reasonCrashLoopBackOff:
			w.recorder.Eventf(pod, corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container %s in pod %s_%s(%s)",
				s.Name, pod.Name, pod.Namespace, pod.UID)
		}
	}
}

// giveAddress gives a pod its address, once its containers may run.
func (w *podWorker) giveAddress(pod *corev1.Pod, status *corev1.PodStatus) {
	const host = "127.0.0.1"
	status.HostIP, status.HostIPs = host, []corev1.HostIP{{IP: host}}
	if status.PodIP != "" {
		return
	}
	status.PodIP = host
	if !pod.Spec.HostNetwork {
		status.PodIP = w.takeIP().String()
	}
	status.PodIPs = []corev1.PodIP{{IP: status.PodIP}}
}

func (w *podWorker) takeIP() netip.Addr {
	w.mu.Lock()
	defer w.mu.Unlock()
	ip := w.nextIP
	w.nextIP = ip.Next()
	return ip
}

// resumeIPs goes on counting after the highest address in use.
func (w *podWorker) resumeIPs() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, obj := range w.informer.Informer().GetStore().List() {
		ip, err := netip.ParseAddr(obj.(*corev1.Pod).Status.PodIP)
		if err == nil && !ip.Less(w.nextIP) {
			w.nextIP = ip.Next()
		}
	}
}

// logs is what a container of a pod has written.
func (w *podWorker) logs(namespace, name, container string) (string, error) {
	pod, err := w.informer.Lister().Pods(namespace).Get(name)
	if err != nil {
		return "", err
	}
	for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		if c.Name == container {
			return logText(c), nil
		}
	}
	return "", errors.New("no container " + container)
}

func logText(c corev1.Container) string {
	switch b := behaviourOf(c.Image); {
	case b.unpullable:
		return ""
	case b.exits && b.exitCode != 0:
		return fmt.Sprintf("%s: starting\n%s: fatal: exit %d, as the image's name says\n", c.Name, c.Name, b.exitCode)
	}
	return fmt.Sprintf("%s: starting\n", c.Name)
}
