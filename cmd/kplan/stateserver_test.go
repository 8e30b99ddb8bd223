package main

import (
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"kplan.dev/kplan/state/httpstore/httpstoretest"
)

// stateServers are those of the scripts that are running, by URL.
var stateServers sync.Map

// stateServer is a server of Terraform's http protocol for a script, whose address is $STATES:
//
//	stateserver start
//	stateserver fail get|post|lock|unlock STATUS|cut|cut-after|login
//	stateserver heal
//	stateserver steal /path [ID]
//	stateserver holder VARIABLE /path
func stateServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: stateserver start|fail|heal|steal|holder ...")
	}
	if args[0] == "start" {
		s := httpstoretest.Start()
		stateServers.Store(s.URL, s)
		ts.Defer(s.Close)
		ts.Setenv("STATES", s.URL)
		return
	}
	found, _ := stateServers.Load(ts.Getenv("STATES"))
	s, ok := found.(*httpstoretest.Server)
	switch {
	case !ok:
		ts.Fatalf("no stateserver was started")
	case args[0] == "fail" && len(args) == 3:
		s.Fail(faultNamed(ts, args[2]).Of(httpstoretest.Op(args[1])))
	case args[0] == "heal":
		s.Fail()
	case args[0] == "steal" && len(args) == 2:
		s.Steal(args[1], "")
	case args[0] == "steal" && len(args) == 3:
		s.Steal(args[1], args[2])
	case args[0] == "holder" && len(args) == 3:
		ts.Setenv(args[1], s.Holder(args[2]))
	default:
		ts.Fatalf("unknown: stateserver %q", args)
	}
}

func faultNamed(ts *testscript.TestScript, name string) *httpstoretest.Fault {
	switch name {
	case "cut":
		return httpstoretest.Cut()
	case "cut-after":
		return httpstoretest.CutAfter()
	case "login":
		return httpstoretest.Answer(200, "text/html", "<html>")
	}
	status, err := strconv.Atoi(name)
	ts.Check(err)
	return httpstoretest.Answer(status, "text/plain", "")
}
