package plan

// onlyRefresh turns a plan into one that changes nothing in the cluster: it
// shows what has changed outside of kplan and, applied, makes the state say so.
func onlyRefresh(p *Plan) {
	var changes []*Change
	for _, c := range p.Changes {
		switch {
		case c.Action == Forget:
		case c.Action == Create && c.Reason == BecauseDeleted:
			c.Action, c.Reason = Forget, BecauseGone
		case c.Action == Create || c.Action == Adopt:
			continue // never ours: nothing could have changed
		case len(c.Drift) > 0:
			c.Action, c.Before, c.After = Keep, c.After, c.Before
		default:
			c.Action = Keep
		}
		c.Blocked = false
		changes = append(changes, c)
	}
	p.Changes = changes
	p.Outputs = nil
}
