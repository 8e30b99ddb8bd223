// Package faulttest attacks kplan: it runs the real program against a real API
// server, with a proxy between the two that breaks what it is told to break,
// and then looks whether kplan kept its promises (docs/reliability.md).
//
// A Proxy stands for everything between a program and its cluster that can go
// wrong. What it does is a list of Faults, each of which names a request and
// what happens to it. A list is data: it comes from a seed, is printed as JSON
// when a test fails, is played again from there, and shrinks by leaving faults
// out as long as the test still fails.
//
// The oracles are the cluster itself, read past the proxy, and the API server's
// audit log.
package faulttest
