package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Status is the state of a sandbox: what status.json holds and `status -json` prints.
type Status struct {
	State      State        `json:"state"`
	Dir        string       `json:"dir"`
	Kubeconfig string       `json:"kubeconfig"`
	Server     string       `json:"server"`     // URL of the API server
	Kubernetes string       `json:"kubernetes"` // version of the API server, once it has answered
	AuditLog   string       `json:"auditLog"`
	Nodes      int          `json:"nodes"`
	Started    time.Time    `json:"started"`
	Supervisor ProcessID    `json:"supervisor"`
	Parts      []PartStatus `json:"parts"`
}

// PartStatus is the state of one part.
type PartStatus struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Health string `json:"health,omitempty"` // "ok" or what is wrong; only in an answer to `status`, not in status.json
	Port   int    `json:"port"`
	ProcessID
	Path string `json:"path"`
	Log  string `json:"log"`
}

// State is one word for how a sandbox or a part of it is doing.
type State string

const (
	Starting State = "starting"
	Ready    State = "ready"    // sandbox: every part runs, nodes are ready
	Degraded State = "degraded" // sandbox: a part has ended unexpectedly
	Running  State = "running"  // part
	Crashed  State = "crashed"  // part: ended unexpectedly
	Stopped  State = "stopped"
)

// healthy reports whether everything runs and answers.
func (s Status) healthy() bool {
	for _, p := range s.Parts {
		if p.State != Running || p.Health != "ok" {
			return false
		}
	}
	return s.State == Ready && len(s.Parts) > 0
}

// print writes the status for people.
func (s Status) print(w io.Writer) {
	fmt.Fprintf(w, "sandbox %s: %s\n", s.State, s.Dir)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PART\tSTATE\tPID\tPORT\tHEALTH")
	for _, p := range s.Parts {
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\n", p.Name, p.State, p.PID, p.Port, orDash(p.Health))
	}
	table.Flush()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
