package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The audit log of the control plane records what a script's commands have really
// sent: that a plan writes nothing, that an apply does what was planned.

const auditLog = "KPLAN_TEST_AUDIT_LOG"

// auditSize is how long the audit log is now; what a script does comes after.
func auditSize() string {
	info, err := os.Stat(os.Getenv(auditLog))
	if err != nil {
		return "0"
	}
	return strconv.FormatInt(info.Size(), 10)
}

// auditEvent is a request as the audit log records it.
type auditEvent struct {
	Stage          string
	Verb           string
	RequestURI     string
	UserAgent      string
	ResponseStatus struct{ Code int }
}

// mutations checks how many objects kplan has created, changed or deleted since
// the script began, by the objects' requests with the script's prefix in them.
func mutations(ts *testscript.TestScript, neg bool, args []string) {
	path := os.Getenv(auditLog)
	if path == "" {
		return
	}
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mutations NUMBER")
	}
	time.Sleep(200 * time.Millisecond) // the log is written in batches
	from, err := strconv.ParseInt(ts.Getenv("AUDIT_FROM"), 10, 64)
	ts.Check(err)
	file, err := os.Open(path)
	ts.Check(err)
	defer file.Close()
	_, err = file.Seek(max(from-1, 0), io.SeekStart)
	ts.Check(err)
	log := bufio.NewReader(file)
	if from > 0 {
		_, err = log.ReadBytes('\n') // the rest of a line that was half-written when the script began
		ts.Check(err)
	}
	found, err := readMutations(log, ts.Getenv("NS"))
	ts.Check(err)
	if fmt.Sprint(len(found)) != args[0] {
		ts.Fatalf("%d mutations, not %s:\n%s", len(found), args[0], strings.Join(found, "\n"))
	}
}

func readMutations(log io.Reader, prefix string) (found []string, err error) {
	lines := bufio.NewReaderSize(log, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, err
		}
		writes := slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
		if !writes || e.Stage != "ResponseComplete" || e.ResponseStatus.Code >= 300 ||
			!strings.HasPrefix(e.UserAgent, "kplan/") || !strings.Contains(e.RequestURI, prefix) ||
			strings.Contains(e.RequestURI, "dryRun=All") {
			continue
		}
		found = append(found, e.Verb+" "+e.RequestURI)
	}
}
