package state

import (
	"cmp"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"

	"kplan.dev/kplan/addrs"
)

// maxSerial keeps a serial that was tampered with from overflowing, and serials exact
// for programs that read all numbers as floating point.
const maxSerial = 1 << 53

// check finds what no state may contain, whether read or about to be written. A wrong
// entry could make a plan delete what it should not.
func (s *State) check() error {
	switch {
	case s.Format < 1 || s.Format > Format:
		return fmt.Errorf("its format is %d, not %d", s.Format, Format)
	case s.Serial > maxSerial:
		return fmt.Errorf("its serial %d is higher than any number of writes", s.Serial)
	case s.Lineage == "":
		return fmt.Errorf("its lineage is missing")
	case !isUUID(s.Lineage):
		return fmt.Errorf("its lineage %q is not a UUID", s.Lineage)
	case len(s.Key) != keySize:
		return fmt.Errorf("its key has %d bytes, not %d", len(s.Key), keySize)
	}
	if err := s.checkObjects(); err != nil {
		return err
	}
	return s.checkPending()
}

func isUUID(text string) bool {
	parsed, err := uuid.Parse(text)
	return err == nil && parsed.String() == text // Parse takes other spellings too
}

func (s *State) checkObjects() error {
	byAddr := make(map[addrs.Instance]struct{}, len(s.Objects))
	byIdentity := make(map[addrs.Object]addrs.Instance, len(s.Objects))
	for _, o := range s.Objects {
		if err := checkEntry(o.Addr, o.Object, o.Dependencies); err != nil {
			return err
		}
		if o.UID == "" {
			return fmt.Errorf("%s has no uid", o.Addr)
		}
		if _, twice := byAddr[o.Addr]; twice && !o.Deposed {
			return fmt.Errorf("the address %s occurs twice", o.Addr)
		}
		if !o.Deposed {
			byAddr[o.Addr] = struct{}{}
		}
		identity := o.Object.Identity()
		if other, twice := byIdentity[identity]; twice {
			return fmt.Errorf("%s and %s are both the object %s", other, o.Addr, o.Object)
		}
		byIdentity[identity] = o.Addr
	}
	return nil
}

func (s *State) checkPending() error {
	type entry struct {
		addr     addrs.Instance
		identity addrs.Object
	}
	seen := make(map[entry]struct{}, len(s.Pending))
	for _, p := range s.Pending {
		if err := checkEntry(p.Addr, p.Object, p.Dependencies); err != nil {
			return fmt.Errorf("pending: %w", err)
		}
		switch {
		case p.Action != PendingCreate && p.Action != PendingReplace && p.Action != PendingDelete:
			return fmt.Errorf("pending: %s has the unknown action %q", p.Addr, p.Action)
		case p.Action != PendingCreate && p.UID == "":
			return fmt.Errorf("pending: the %s of %s has no uid", p.Action, p.Addr)
		}
		e := entry{p.Addr, p.Object.Identity()}
		if _, twice := seen[e]; twice {
			return fmt.Errorf("pending: %s, %s occurs twice", p.Addr, p.Object)
		}
		seen[e] = struct{}{}
	}
	return nil
}

// checkEntry makes sure that the names of an entry come back as they are when
// they are read again: addresses are plain structs that anyone can fill in.
func checkEntry(addr addrs.Instance, object addrs.Object, needs []addrs.Instance) error {
	if err := checkAddr(addr); err != nil {
		return err
	}
	text := object.String()
	if parsed, err := addrs.ParseObject(text); err != nil || parsed != object || !utf8.ValidString(text) {
		return fmt.Errorf("%s: %q does not name an object", addr, text)
	}
	for _, need := range needs {
		if err := checkAddr(need); err != nil {
			return fmt.Errorf("%s has a dependency without an address: %w", addr, err)
		}
	}
	return nil
}

func checkAddr(addr addrs.Instance) error {
	text := addr.String()
	if parsed, err := addrs.ParseInstance(text); err != nil || parsed != addr || !utf8.ValidString(text) {
		return fmt.Errorf("%q is not an address", text)
	}
	return nil
}

func comparePending(a, b Pending) int {
	return cmp.Or(a.Addr.Compare(b.Addr), a.Object.Compare(b.Object), cmp.Compare(a.Action, b.Action))
}
