package kube

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"kplan.dev/kplan/kinds"
)

// Events returns what the cluster noted about the object with that uid, the
// latest last. Namespace is that of the object, "" when it lives in none.
func (c *Cluster) Events(ctx context.Context, namespace, uid string) ([]corev1.Event, error) {
	k, err := kinds.Builtin().Lookup("Event", "v1")
	if err != nil {
		return nil, err
	}
	if namespace == "" {
		namespace = "default" // where the cluster notes what concerns no namespace
	}
	var list corev1.EventList
	r := c.client.about("list", http.MethodGet, k, namespace, "")
	r.ask.Param("fieldSelector", "involvedObject.uid="+uid).Param("limit", strconv.Itoa(pageSize))
	r.decode = func(body []byte) error {
		list = corev1.EventList{}
		return json.Unmarshal(body, &list)
	}
	if err := c.client.do(ctx, r); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return EventTime(a).Compare(EventTime(b)) })
	return list.Items, nil
}

// EventTime is when an event was last seen, which old and new clients write in
// different fields.
func EventTime(e corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}
