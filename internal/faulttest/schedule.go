package faulttest

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Trial is one random test: two configurations, of which the first is applied without
// faults, and what happens to runs of the second. It is printed when it fails, and can be
// replayed from that.
type Trial struct {
	Seed   uint64  `json:"seed"`
	Before Stack   `json:"before"`
	After  Stack   `json:"after"`
	Faults []Fault `json:"faults"`
	// Runs is how many runs the faults are spread over.
	Runs int `json:"runs"`
}

// RandomTrial makes a trial of up to size objects with 1 to 12 faults.
func RandomTrial(seed uint64, size int) Trial {
	rng := rand.New(rand.NewPCG(seed, 1))
	t := Trial{Seed: seed, Runs: 1}
	t.Before, t.After = RandomStack(rng, size)
	for range 1 + rng.IntN(12) {
		t.Faults = append(t.Faults, randomFault(rng, 3*size))
	}
	return t
}

// verbs of faults; "" is any call.
var verbs = []string{"", "", "get", "list", "watch", "create", "update", "transfer", "delete", "dry-run", "discover"}

func randomFault(rng *rand.Rand, calls int) Fault {
	f := Fault{Verb: pick(rng, verbs), When: pick(rng, []When{Before, After})}
	reach := calls
	if f.Verb != "" {
		reach = calls / 6
	}
	f.Nth = 1 + rng.IntN(reach)
	f.Times = 1 + rng.IntN(3)
	switch n := rng.IntN(20); {
	case n < 3:
		f.Do = Cut
	case n < 5:
		f.Do = Hang
	case n < 7:
		f.Do, f.Delay = Delay, time.Duration(rng.IntN(1500))*time.Millisecond
	case n < 9:
		f.Do, f.When = Truncate, After
	case n < 10:
		f.Do = Garbage
	case n < 11:
		f.Do, f.When = Twice, After
	case n < 12:
		f.Do, f.When, f.Times = Kill, pick(rng, []When{Before, After, Replied}), 1
	case n < 13:
		f.Do, f.When, f.Times = pick(rng, []Do{Interrupt, Terminate}), pick(rng, []When{Before, After, Replied}), 1
	default:
		randomAnswer(rng, &f)
	}
	return f
}

// Answers are the error responses of API servers and of load balancers before them.
var Answers = []Fault{
	{Status: 401, Reason: "Unauthorized", Message: "Unauthorized"},
	{Status: 403, Reason: "Forbidden", Message: `User "faulttest" cannot do this`},
	{Status: 404, Reason: "NotFound"},
	{Status: 409, Reason: "Conflict", Message: "the object has been modified; please apply your changes to the latest version and try again"},
	{Status: 410, Reason: "Expired", Message: "too old resource version"},
	{Status: 413, Reason: "RequestEntityTooLarge", Message: "limit is 3145728"},
	{Status: 422, Reason: "Invalid", Message: "is invalid"},
	{Status: 429, Reason: "TooManyRequests", Message: "too many requests, please try again later", RetryAfter: "1"},
	{Status: 429, Reason: "TooManyRequests", Message: "too many requests, please try again later"},
	{Status: 500, Reason: "InternalError", Message: "Internal error occurred: etcdserver: leader changed"},
	{Status: 500, Message: "failed to create typed patch object (default/x; v1, Kind=ConfigMap): .x: field not declared in schema"},
	{Status: 500, Reason: "InternalError",
		Message: `Internal error occurred: failed calling webhook "w.example.com": context deadline exceeded`},
	{Status: 502, Plain: true},
	{Status: 503, Plain: true},
	{Status: 503, Reason: "ServiceUnavailable", Message: "apiserver is shutting down", RetryAfter: "1"},
	{Status: 504, Reason: "Timeout", Message: "request did not complete within the allotted timeout"},
}

func randomAnswer(rng *rand.Rand, f *Fault) {
	a := pick(rng, Answers)
	f.Do, f.Status, f.Reason, f.Message, f.RetryAfter, f.Plain = Answer, a.Status, a.Reason, a.Message, a.RetryAfter, a.Plain
	// Except for a timeout, an API server sends none of these once it has carried a call
	// out; a load balancer before it may.
	if !f.Plain && f.Status != 504 {
		f.When = Before
	}
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// Shrink leaves faults and then objects out of a trial that fails, as long as
// it fails.
func Shrink(t Trial, fails func(Trial) bool) Trial {
	for again := true; again; {
		again = false
		for i := range t.Faults {
			smaller := t
			smaller.Faults = without(t.Faults, i)
			if fails(smaller) {
				t, again = smaller, true
				break
			}
		}
	}
	return shrinkStacks(t, fails)
}

// shrinkStacks leaves objects out of both configurations: half of them at once,
// then a quarter, in the end single ones.
func shrinkStacks(t Trial, fails func(Trial) bool) Trial {
	for part := len(t.addrs()) / 2; part > 0; part /= 2 {
		for from := 0; from < len(t.addrs()); {
			addrs := t.addrs()
			smaller := t
			for _, addr := range addrs[from:min(from+part, len(addrs))] {
				smaller.Before, smaller.After = smaller.Before.without(addr), smaller.After.without(addr)
			}
			if fails(smaller) {
				t = smaller
			} else {
				from += part
			}
		}
	}
	return t
}

// addrs are the addresses of all objects, in the order in which they are given.
func (t Trial) addrs() []string {
	var all []string
	for _, item := range slices.Concat(t.Before, t.After) {
		if !slices.Contains(all, item.addr()) {
			all = append(all, item.addr())
		}
	}
	return all
}

func without[T any](list []T, i int) []T {
	return append(append([]T{}, list[:i]...), list[i+1:]...)
}
