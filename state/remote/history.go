package remote

import (
	"context"

	"kplan.dev/kplan/state"
)

// History lists the versions of the head.
func (s *Store) History(ctx context.Context) ([]state.Stored, error) {
	h, _, err := readHead(ctx, s.place)
	switch {
	case err != nil:
		return nil, err
	case h.Current == nil:
		return nil, state.ErrNotExist
	}
	all := []state.Stored{h.Current.stored(true)}
	for _, v := range h.Earlier {
		all = append(all, v.stored(false))
	}
	return all, nil
}

func (v version) stored(current bool) state.Stored {
	return state.Stored{Version: state.Version{Lineage: v.Lineage, Serial: v.Serial}, Written: v.Written, By: v.By, Current: current}
}

// ReadSerial reads the version of the head that has the serial.
func (s *Store) ReadSerial(ctx context.Context, serial uint64) (*state.State, error) {
	h, _, err := readHead(ctx, s.place)
	if err != nil {
		return nil, err
	}
	versions := h.Earlier
	if h.Current != nil {
		versions = append([]version{*h.Current}, versions...)
	}
	for _, v := range versions {
		if v.Serial == serial {
			st, _, err := get(ctx, s.place, &v, s.codec)
			if err != nil {
				return nil, s.unreadable(err)
			}
			return st, nil
		}
	}
	return nil, state.ErrNotExist
}
