package kube

import (
	"context"
	"net/http"
	"strconv"

	"kplan.dev/kplan/kinds"
)

const logBytes = 256 << 10

// Logs returns the last lines that a container wrote, at most tail of them, and at most
// 256 KiB, whatever a node sends: it may end within a line, or within a character.
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
	var text string
	r := c.client.request(op, http.MethodGet, k.Object(namespace, pod), resourcePath(k, namespace, pod)+"/log")
	r.isText, r.limit = true, logBytes
	r.ask.SetHeader("Accept", "*/*").Param("tailLines", strconv.Itoa(tail)).Param("limitBytes", strconv.Itoa(logBytes))
	if container != "" {
		r.ask.Param("container", container)
	}
	if previous {
		r.ask.Param("previous", "true")
	}
	r.decode = func(body []byte) error { text = string(body); return nil }
	if err := c.client.do(ctx, r); err != nil {
		return "", err
	}
	return text, nil
}
