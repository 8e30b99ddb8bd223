package kube

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"kplan.dev/kplan/kinds"
)

const logBytes = 256 << 10

// Logs returns the last lines that a container wrote, at most tail of them.
// With previous they are those of the container's run before its last restart.
func (c *Cluster) Logs(ctx context.Context, namespace, pod, container string, tail int, previous bool) (string, error) {
	const op = "read the logs of"
	k, err := kinds.Builtin().Lookup("Pod", "v1")
	if err != nil {
		return "", err
	}
	if err := checkNamed(op, k, namespace, pod); err != nil {
		return "", err
	}
	query := url.Values{"tailLines": {strconv.Itoa(tail)}, "limitBytes": {strconv.Itoa(logBytes)}}
	if container != "" {
		query.Set("container", container)
	}
	if previous {
		query.Set("previous", "true")
	}
	var text string
	r := &request{op: op, object: k.Object(namespace, pod), method: http.MethodGet,
		path: resourcePath(k, namespace, pod) + "/log", query: query, accept: "*/*"}
	r.decode = func(body []byte) error { text = string(body); return nil }
	if err := c.do(ctx, r); err != nil {
		return "", err
	}
	return text, nil
}
