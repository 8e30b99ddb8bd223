package main

import "kplan.dev/kplan/internal/cli"

// What kplan ends with. Scripts rely on these numbers.
const (
	exitOK          cli.ExitCode = 0 // or exitFailure, if the command returns errors
	exitFailure     cli.ExitCode = 1
	exitChanges     cli.ExitCode = 2 // plan -detailed-exitcode: there is something to do
	exitUnparsable  cli.ExitCode = 2 // fmt: a file can't be parsed or read
	exitUnformatted cli.ExitCode = 3 // fmt -check: a file is not in canonical form
	exitHungUp      cli.ExitCode = 129
	exitInterrupted cli.ExitCode = 130
	exitTerminated  cli.ExitCode = 143
)
