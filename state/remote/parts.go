package remote

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"kplan.dev/kplan/state"
)

func isNone(err error) bool { return errors.Is(err, state.ErrNotExist) }

// atOnce is how many parts are read or written at the same time.
const atOnce = 8

// put stores a state's text in parts, and returns the version that has them.
func put(ctx context.Context, place Place, of state.Version, text []byte, by string) (version, error) {
	v := version{Lineage: of.Lineage, Serial: of.Serial, Written: time.Now().UTC(), By: by, SHA256: sumOf(text), Size: len(text)}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is valid
	}
	w.Write(text)
	w.Close()
	run := uuid.NewString()[:8]
	var pieces [][]byte
	for rest := packed.Bytes(); len(rest) > 0; {
		n := min(len(rest), place.MaxPart())
		v.Parts = append(v.Parts, fmt.Sprintf("%d-%s-%d", of.Serial, run, len(pieces)))
		pieces, rest = append(pieces, rest[:n]), rest[n:]
	}
	return v, each(len(pieces), func(i int) error { return place.Put(ctx, v.Parts[i], pieces[i]) })
}

// get reads the state of a version. What the place has instead of it is a *state.DecodeError.
func get(ctx context.Context, place Place, v *version, codec state.Codec) (*state.State, state.Base, error) {
	pieces := make([][]byte, len(v.Parts))
	err := each(len(pieces), func(i int) (err error) {
		pieces[i], err = place.Get(ctx, v.Parts[i])
		return err
	})
	if err != nil {
		return nil, state.Base{}, err
	}
	text, err := unpack(bytes.Join(pieces, nil), v)
	if err != nil {
		return nil, state.Base{}, &state.DecodeError{Path: place.String(), Problem: "is damaged: " + err.Error(), Advice: adviseEarlier}
	}
	return codec.DecodeAt(text, place.String(), adviseEarlier)
}

// adviseEarlier is what to do about a version that can't be read.
const adviseEarlier = "the place keeps earlier versions, which kplan state history lists; without one, recreate it from the cluster: " +
	"kplan state rebuild"

func unpack(packed []byte, v *version) ([]byte, error) {
	if v.Size > state.MaxSize {
		return nil, fmt.Errorf("it is said to have %d bytes, more than a state can have", v.Size)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(v.Size)+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) != v.Size || sumOf(text) != v.SHA256:
		return nil, errors.New("it is not what was written: its digest differs")
	}
	return text, nil
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// each does n things, several at the same time, and returns what went wrong first.
func each(n int, do func(i int) error) error {
	errs := make([]error, n)
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		running.Go(func() {
			errs[i] = do(i)
			<-slots
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
