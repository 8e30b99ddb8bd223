package apply

import "kplan.dev/kplan/graph"

// background runs what goes on beside the visits: writing results, and reporting
// what takes long. A panic there ends the run like one in a visit does, once what
// is in flight has finished.
type background struct {
	trap graph.Trap
	stop func() // lets nothing new start
}

func (b *background) run(f func()) { b.trap.Run(b.stop, f) }
