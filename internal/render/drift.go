package render

import "kplan.dev/kplan/plan"

// driftOf is what was changed outside of kplan about an object, as a change from what
// was applied last to what is there now; ok reports whether there is any.
func driftOf(e entry, mode plan.Mode) (drift entry, ok bool) {
	c := e.Drifted(mode)
	if c == nil {
		return entry{}, false
	}
	return entry{Change: c, symbol: symbolOfAction(c)}, true
}
