package main

import (
	"os/exec"
	"syscall"
	"testing"
)

func TestStartTimeIsReadBehindTheProgramsName(t *testing.T) {
	const rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"
	for _, name := range []string{"etcd", "a b", "odd) S 1 2"} {
		got, err := statStartTime("12 (" + name + ") " + rest)
		if err != nil || got != "4711" {
			t.Errorf("start time of %q is %q, %v", name, got, err)
		}
	}
	if _, err := statStartTime("12 (etcd) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711"); err == nil {
		t.Error("a zombie counts as running")
	}
}

func TestSignalSparesAProcessThatOnlyHasThePID(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()

	id, err := identify(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	stale := ProcessID{PID: id.PID, Start: "1"}
	if stale.signal(syscall.SIGKILL) {
		t.Fatal("killed a process that started at another time")
	}
	if !id.alive() {
		t.Error("a running process counts as gone")
	}
}
