package kube

import (
	"log/slog"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube/auth"
)

// Options selects the cluster, the user and how to connect.
type Options struct {
	// Auth finds the cluster and the credentials; its zero value is what kubectl
	// would use in the same place.
	Auth auth.Options

	// RequestTimeout is how long a request may go unanswered, all its attempts
	// together; 0 is 60 seconds.
	RequestTimeout time.Duration
	// Parallelism bounds the requests in flight; 0 is DefaultParallelism.
	Parallelism int
	// Warn is given each text of the API server's Warning headers once, with the
	// object it was first said about, if it was about one. It may be called from
	// several goroutines at the same time.
	Warn func(about addrs.Object, text string)
	// Notice is given, in a sentence, what keeps the user waiting: a server that
	// does not answer, or is busy. It may be called from several goroutines.
	Notice func(text string)
	// Log is where requests are logged; nil for nowhere.
	Log *slog.Logger
	// Sensitive are the fields of an object that are not logged, besides those that its kind has as
	// secrets. Where that is not known, it is nil, and no bodies are logged.
	Sensitive func(addrs.Object) addrs.PathSet
}

// DefaultParallelism is how many requests are in flight at most unless the user
// says so. A request that creates something mostly waits inside the API server:
// docs/decisions/0016-sixty-four-at-once.md has the figures.
const DefaultParallelism = 64
