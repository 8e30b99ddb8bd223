package modules

import "context"

// Newer are the versions of a source that are newer than the one that a call has: the newest that its constraint allows,
// and the newest of all. Each is "" if there is none.
type Newer struct{ Allowed, Newest string }

// Newer asks for the newer versions of a call that was resolved to a version.
func (r *Resolver) Newer(ctx context.Context, call Call, now string) (n Newer, err error) {
	has, err := ParseVersion(now)
	if err != nil {
		return n, err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	from, err := r.remote(call.Source)
	if err != nil {
		return n, err
	}
	tags, err := from.tags(ctx)
	if err != nil {
		return n, err
	}
	all := versionsOf(tags)
	if v, found := newest(all, call.Version); found && v.v.GreaterThan(has.v) {
		n.Allowed = v.String()
	}
	if v, found := newest(all, Constraint{}); found && v.v.GreaterThan(has.v) {
		n.Newest = v.String()
	}
	return n, nil
}
