package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"kplan.dev/kplan/kube"
)

// ownAgent is the user agent of the requests that belong to no command, such as
// those that wait for pods.
const ownAgent = "kplan-bench-itself"

const (
	bareLabel   = "kplan-bench"           // on the bare client's objects
	objectsFile = "objects.json"          // what it sends
	bareWorkers = kube.DefaultParallelism // the requests it has in flight, as kplan by default
)

var plurals = map[string]string{
	"Namespace": "namespaces", "Pod": "pods", "ReplicationController": "replicationcontrollers", "Service": "services",
	"ConfigMap": "configmaps",
}

// bareClient sends requests and reads the answers, and does not even decode
// them: what it takes is what the API server takes. It is the floor under every
// tool's figures.
type bareClient struct {
	http *http.Client
	base string
}

func newBareClient(kubeconfig, agent string) (*bareClient, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.UserAgent = agent
	client, err := rest.HTTPClientFor(config)
	return &bareClient{client, config.Host}, err
}

// runBare does what the words say with the objects of the current directory.
func runBare(ctx context.Context, words string) error {
	c, err := newBareClient(os.Getenv("KUBECONFIG"), "kplan-bench-bare")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(objectsFile)
	if err != nil {
		return err
	}
	var objects []object
	if err := json.Unmarshal(text, &objects); err != nil {
		return err
	}
	for _, word := range strings.Split(words, ",") {
		if err := c.do(ctx, word, objects); err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
	}
	return nil
}

func (c *bareClient) do(ctx context.Context, word string, objects []object) error {
	switch word {
	case "list":
		return c.lists(ctx, labelOf(objects[0]))
	case "create":
		return c.create(ctx, objects)
	case "dry-run":
		return c.applyAll(ctx, slices.Values(objects), "&dryRun=All")
	case "dry-run-namespaces":
		return c.applyAll(ctx, ofKind(objects, "Namespace"), "&dryRun=All")
	case "dry-run-changed":
		return c.applyAll(ctx, ofKind(objects, "ReplicationController"), "&dryRun=All")
	case "apply-changed":
		return c.applyAll(ctx, ofKind(objects, "ReplicationController"), "")
	case "delete":
		return c.deleteNamespaces(ctx, prefixOf(objects[0]))
	}
	return fmt.Errorf("it is not known what that is")
}

func ofKind(objects []object, kind string) iter.Seq[object] {
	return func(yield func(object) bool) {
		for _, o := range objects {
			if o["kind"] == kind && !yield(o) {
				return
			}
		}
	}
}

// labelOf is the selector of the objects that belong together with this one.
func labelOf(o object) string {
	labels := o["metadata"].(object)["labels"].(object)
	return bareLabel + "=" + labels[bareLabel].(string)
}

// prefixOf is what the names of the namespaces begin with.
func prefixOf(o object) string {
	return o["metadata"].(object)["labels"].(object)[bareLabel].(string) + "-"
}

// create makes the objects kind by kind, those last that give the cluster work.
func (c *bareClient) create(ctx context.Context, objects []object) error {
	for _, kind := range []string{"Namespace", "Service", "Pod", "ReplicationController"} {
		if err := c.applyAll(ctx, ofKind(objects, kind), ""); err != nil {
			return err
		}
	}
	return nil
}

// applyAll applies objects side by side.
func (c *bareClient) applyAll(ctx context.Context, objects iter.Seq[object], query string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(bareWorkers)
	for o := range objects {
		g.Go(func() error {
			body, err := json.Marshal(o)
			if err != nil {
				return err
			}
			_, err = c.ask(ctx, http.MethodPatch, pathOf(o)+"?fieldManager=bare&force=true"+query, body)
			return err
		})
	}
	return g.Wait()
}

func pathOf(o object) string {
	metadata := o["metadata"].(object)
	kind, name := plurals[o["kind"].(string)], metadata["name"].(string)
	if namespace, ok := metadata["namespace"].(string); ok {
		return "/api/v1/namespaces/" + namespace + "/" + kind + "/" + name
	}
	return "/api/v1/" + kind + "/" + name
}

// lists reads the objects of all four kinds, 500 at a time.
func (c *bareClient) lists(ctx context.Context, selector string) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, kind := range []string{"Namespace", "Pod", "ReplicationController", "Service"} {
		g.Go(func() error {
			return c.list(ctx, "/api/v1/"+plurals[kind], url.Values{"labelSelector": {selector}}, func([]byte) error { return nil })
		})
	}
	return g.Wait()
}

// list reads page after page, without decoding them, and hands each on.
func (c *bareClient) list(ctx context.Context, path string, query url.Values, read func(page []byte) error) error {
	query.Set("limit", "500")
	for {
		page, err := c.ask(ctx, http.MethodGet, path+"?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		if err := read(page); err != nil {
			return err
		}
		_, rest, more := bytes.Cut(page[:min(len(page), 4096)], []byte(`"continue":"`))
		if !more {
			return nil
		}
		next, _, _ := bytes.Cut(rest, []byte(`"`))
		query.Set("continue", string(next))
	}
}

// deleteNamespaces deletes the namespaces whose names begin so, and with them
// all that is in them, and waits until they are gone.
func (c *bareClient) deleteNamespaces(ctx context.Context, prefix string) error {
	names, err := c.namespaces(ctx, prefix)
	if err != nil {
		return err
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(bareWorkers)
	for _, name := range names {
		g.Go(func() error {
			_, err := c.ask(inner, http.MethodDelete, "/api/v1/namespaces/"+name, nil)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return until(ctx, func() (bool, error) {
		left, err := c.namespaces(ctx, prefix)
		return len(left) == 0, err
	})
}

func (c *bareClient) namespaces(ctx context.Context, prefix string) ([]string, error) {
	all, err := c.names(ctx, "/api/v1/namespaces", url.Values{})
	return slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, prefix) }), err
}

// names are those of the objects of a list. It holds one page at a time: a
// large parent makes its children look large, see peakMemory.
func (c *bareClient) names(ctx context.Context, path string, query url.Values) (names []string, err error) {
	err = c.list(ctx, path, query, func(page []byte) error {
		var list struct {
			Items []struct {
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
			} `json:"items"`
		}
		err := json.Unmarshal(page, &list)
		for _, item := range list.Items {
			names = append(names, item.Metadata.Name)
		}
		return err
	})
	return names, err
}

// settle waits until that many pods run and no others are on their way, and then
// until nothing has been written for a second, so that the work of controllers
// does not weigh on what is measured next.
func (c *bareClient) settle(ctx context.Context, pods int) error {
	if err := c.waitForPods(ctx, pods); err != nil {
		return err
	}
	written := ""
	return until(ctx, func() (bool, error) {
		time.Sleep(time.Second)
		before := written
		var err error
		written, err = c.lastWrite(ctx)
		return written == before, err
	})
}

// lastWrite is the version of what was written last, of whatever kind.
func (c *bareClient) lastWrite(ctx context.Context) (string, error) {
	answer, err := c.ask(ctx, http.MethodGet, "/api/v1/namespaces?limit=1", nil)
	if err != nil {
		return "", err
	}
	var list struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
	}
	err = json.Unmarshal(answer, &list)
	return list.Metadata.ResourceVersion, err
}

func (c *bareClient) waitForPods(ctx context.Context, pods int) error {
	const scheduled = "spec.schedulerName=default-scheduler"
	return until(ctx, func() (bool, error) {
		others, err := c.names(ctx, "/api/v1/pods", url.Values{"fieldSelector": {scheduled + ",status.phase!=Running"}})
		if err != nil || len(others) > 0 || pods == 0 {
			return len(others) == 0, err
		}
		running, err := c.names(ctx, "/api/v1/pods", url.Values{"fieldSelector": {scheduled + ",status.phase=Running"}})
		return len(running) >= pods, err
	})
}

// until asks again and again, for ten minutes at most.
func until(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the cluster does not come to rest: %w", ctx.Err())
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (c *bareClient) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/apply-patch+yaml")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode > 299 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, res.Status, tail(answer))
	}
	return answer, err
}
