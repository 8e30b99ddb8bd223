package kube_test

import (
	"errors"
	"fmt"
	"testing"

	"kplan.dev/kplan/kube"
)

func TestEvents(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	live := create(t, c, "ReplicationController", `
metadata: {name: rc, namespace: NS}
spec:
  replicas: 1
  selector: {app: rc}
  template:
    metadata: {labels: {app: rc}}
    spec: {serviceAccountName: nobody, containers: [{name: app, image: registry.example/app:1}]}`, ns)
	eventually(t, func() error {
		events, err := c.Events(t.Context(), ns, string(live.GetUID()))
		if err == nil && (len(events) == 0 || events[0].Reason != "FailedCreate") {
			err = fmt.Errorf("events %v", events)
		}
		return err
	})
}

func TestLogs(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	_, err := c.Logs(t.Context(), ns, "not-there", "", 10, false)
	wantReason(t, err, kube.NotFound)
	live := create(t, c, "Pod", sampleManifests["Pod"], ns)
	_, err = c.Logs(t.Context(), ns, live.GetName(), "other", 10, false)
	e := wantReason(t, err, kube.Invalid)
	if e.Message == "" {
		t.Error(e)
	}
	eventually(t, func() error {
		text, err := c.Logs(t.Context(), ns, live.GetName(), "app", 5, false)
		if err == nil && text == "" {
			err = errors.New("there are no lines")
		}
		return err
	})
}
