// Package faulttest injects faults: it runs the real program against a real API server,
// with a proxy between the two, and then checks whether kplan kept its guarantees
// (docs/reliability.md).
//
// A Proxy injects everything that can go wrong between a program and its cluster. What it
// does is a list of Faults, each of which selects requests and defines what happens to
// them. A list is data: it is generated from a seed, printed as JSON when a test fails,
// replayed from there, and shrunk by leaving faults out as long as the test still fails.
//
// The oracles are the cluster itself, read past the proxy, and the API server's
// audit log.
package faulttest
