package main

// exitCode is what the program ends with. Scripts rely on these numbers.
type exitCode int

const (
	exitOK          exitCode = 0
	exitFailure     exitCode = 1
	exitChanges     exitCode = 2 // plan -detailed-exitcode: there is something to do
	exitUnparsable  exitCode = 2 // fmt: a file can't be parsed or read
	exitUnformatted exitCode = 3 // fmt -check: a file is not in canonical form
	exitHungUp      exitCode = 129
	exitInterrupted exitCode = 130
	exitTerminated  exitCode = 143
)
