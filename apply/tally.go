package apply

import (
	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// tally sorts what the plan has and was not done into what failed, what may have
// failed and what was skipped: each such change is in one of these, once. What was
// done and is not ready is apart.
func (s *Summary) tally(p *plan.Plan, visited []hclspec.Visited[*applied], deletions map[*plan.Change]error) {
	seen := map[addrs.Instance]bool{}
	for _, v := range visited {
		seen[v.Desired.Addr] = true
		switch {
		case v.Err == nil:
		case v.Result != nil:
			s.NotReady = append(s.NotReady, v.Desired.Addr)
		case v.Err == errNotStarted:
			s.Skipped = append(s.Skipped, v.Desired.Addr)
		default:
			s.fail(v.Desired.Addr, v.Err)
		}
	}
	for _, c := range p.Changes {
		switch {
		case c.Action == plan.Delete || c.Action == plan.Forget:
			err, started := deletions[c]
			switch {
			case !started, isSkipped(err):
				s.Skipped = append(s.Skipped, c.Addr)
			case err != nil:
				s.fail(c.Addr, err)
			}
		case p.Mode == plan.Normal && !seen[c.Addr] && (c.Action != plan.NoOp || c.Moved()):
			s.Skipped = append(s.Skipped, c.Addr)
		}
	}
}

func (s *Summary) fail(addr addrs.Instance, err error) {
	if kube.ReasonOf(err) == kube.OutcomeUnknown {
		s.Unknown = append(s.Unknown, addr)
	} else {
		s.Failed = append(s.Failed, addr)
	}
}
