package main

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"kplan.dev/kplan/internal/cli"
)

// refusedPairs are the pairs of options that contradict one another, by what the
// refusal is called. Each pair that is not here is accepted.
var refusedPairs = map[string]map[string][]string{
	"plan": {
		"Invalid combination of arguments": {
			"target exclude", "target exclude-file", "target-file exclude", "target-file exclude-file",
			"json json-into",
			"offline kubeconfig", "offline context", "offline refresh-only", "offline replace", "offline adopt",
			"offline generate-config-out",
		},
		"Incompatible plan mode options": {
			"destroy refresh-only", "destroy replace", "destroy adopt", "destroy force-conflicts",
			"refresh-only replace", "refresh-only adopt", "refresh-only allow-data-loss",
			"refresh-only force-conflicts", "refresh-only drift",
		},
	},
	"apply": {
		"Invalid combination of arguments": {
			"target exclude", "target exclude-file", "target-file exclude", "target-file exclude-file",
			"json json-into",
		},
		"Incompatible plan mode options": {
			"destroy refresh-only", "destroy replace", "destroy adopt", "destroy force-conflicts",
			"refresh-only replace", "refresh-only adopt", "refresh-only allow-data-loss",
			"refresh-only force-conflicts", "refresh-only drift",
		},
		"Plan file or auto-approve required": everyPairOf("json", "auto-approve"),
	},
	"apply a.plan": {
		"Invalid mode option": everyPairOf("destroy refresh-only " +
			"target exclude target-file exclude-file replace adopt allow-data-loss force-conflicts drift"),
		"Invalid combination of arguments": {"json json-into"},
	},
	"destroy": {
		"Invalid combination of arguments": {
			"target exclude", "target exclude-file", "target-file exclude", "target-file exclude-file",
			"json json-into",
		},
		"Plan file or auto-approve required": everyPairOf("json", "auto-approve"),
	},
}

// everyPairOf stands for all pairs that hold one of these options, except with
// some others.
func everyPairOf(options string, except ...string) []string {
	return append([]string{"*", options}, except...)
}

// TestOptionPairs gives every command that plans every pair of its options, in
// either order. What contradicts is refused before anything is read; all else
// gets as far as reading the configuration, or the saved plan, which is not
// there.
func TestOptionPairs(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("addresses", []byte("Pod.a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pairs, refused := 0, 0
	for command, refusals := range refusedPairs {
		words := strings.Fields(command)
		accepted := "No configuration files"
		if len(words) > 1 {
			accepted = "Can't read the plan"
		}
		flags := cli.Find(testLine().Commands, words[0]).Flags
		for _, a := range flags {
			want := "Error: " + expected(refusals, accepted, a.Names()[0], a.Names()[0])
			if said := saidTo(append(words, sample(t, a))); !strings.Contains(said, want) {
				t.Errorf("kplan %s %s: %s", command, sample(t, a), said)
			}
			for _, b := range flags {
				if a.Names()[0] == b.Names()[0] {
					continue
				}
				pairs++
				want := expected(refusals, accepted, a.Names()[0], b.Names()[0])
				if want != accepted {
					refused++
				}
				if said := saidTo(append(words, sample(t, a), sample(t, b))); !strings.Contains(said, "Error: "+want) {
					t.Errorf("kplan %s %s %s: want %s, got %s", command, sample(t, a), sample(t, b), want, said)
				}
			}
		}
	}
	t.Logf("%d pairs, %d refused", pairs, refused)
}

// expected is the error that two options come to.
func expected(refusals map[string][]string, accepted, a, b string) string {
	// What comes first in the code is what is said.
	for _, summary := range []string{
		"Invalid mode option", "Invalid combination of arguments",
		"Incompatible plan mode options", "Plan file or auto-approve required",
	} {
		listed := refusals[summary]
		if len(listed) > 0 && listed[0] == "*" {
			with, except := strings.Fields(listed[1]), listed[2:]
			if (slices.Contains(with, a) || slices.Contains(with, b)) && !slices.Contains(except, a) && !slices.Contains(except, b) {
				return summary
			}
		} else if slices.Contains(listed, a+" "+b) || slices.Contains(listed, b+" "+a) {
			return summary
		}
	}
	return accepted
}

// sample is a flag as it may be given.
func sample(t *testing.T, f cli.Flag) string {
	t.Helper()
	head := cli.Head(f)
	if !cli.TakesValue(f) {
		return head
	}
	_, placeholder, _ := strings.Cut(head, "=")
	value := map[string]string{
		"FILE": "addresses", "ADDRESS": "Pod.a", "'NAME=VALUE'": "a=b", "NAME": "x", "N": "3", "PATH": "x.json", "DURATION": "5s",
		"FILE.kplan.hcl": "x.kplan.hcl",
		"MODE":           "refuse",
	}[placeholder]
	switch name := f.Names()[0]; {
	case name == "json-into":
		value = "events"
	case value == "":
		t.Fatalf("%s needs a value of which there is no sample", head)
	}
	return "-" + f.Names()[0] + "=" + value
}

// saidTo is all that kplan prints for a command line.
func saidTo(line []string) string {
	var said bytes.Buffer
	s := testSession(&said, &said)
	s.env = noEnv
	runApp(context.Background(), s, line)
	return said.String()
}
