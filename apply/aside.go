package apply

import "kplan.dev/kplan/graph"

// aside is what goes on beside the visits of a run: writing results, and telling
// what takes long. A panic there ends the run like one in a visit does, once what
// is in flight has finished.
type aside struct {
	trap graph.Trap
	end  func() // lets nothing new start
}

func (a *aside) run(f func()) { a.trap.Run(a.end, f) }
