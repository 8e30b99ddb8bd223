package kube_test

import (
	"testing"
	"time"

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
	var reasons []string
	for range 100 {
		events, err := c.Events(t.Context(), ns, string(live.GetUID()))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			reasons = append(reasons, e.Reason)
		}
		if len(reasons) > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if len(reasons) == 0 || reasons[0] != "FailedCreate" {
		t.Errorf("events %q", reasons)
	}
}

func TestLogs(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	_, err := c.Logs(t.Context(), ns, "not-there", "", 10, false)
	wantKind(t, err, kube.NotFound)
	live := create(t, c, "Pod", sampleManifests["Pod"], ns)
	_, err = c.Logs(t.Context(), ns, live.GetName(), "other", 10, false)
	e := wantKind(t, err, kube.Invalid)
	if e.Message == "" {
		t.Error(e)
	}
	var text string
	for range 100 {
		if text, err = c.Logs(t.Context(), ns, live.GetName(), "app", 5, false); err == nil && text != "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil || text == "" {
		t.Errorf("%q %v", text, err)
	}
}
