package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kplan.dev/kplan/state/remote"
)

// heeds are the conditions that the server was seen to heed. One that does not know them writes nevertheless, and
// two runs would hold the lock.
type heeds struct{ ifMatch, ifNoneMatch bool }

// noTag is an ETag that no object has: digests of 128 zero bits are not known.
var noTag = strings.Repeat("0", 32)

// checkHeeds makes sure, once, that the server refuses what it must: on an object beside the head, so that one that
// does not refuse harms nothing. It costs a request, or two where a head is created.
func (p *Place) checkHeeds(ctx context.Context, creates bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.heeds.ifMatch {
		if err := p.mustRefuse(ctx, "If-Match", noTag, 1); err != nil {
			return err
		}
		p.heeds.ifMatch = true
	}
	if creates && !p.heeds.ifNoneMatch {
		if err := p.mustRefuse(ctx, "If-None-Match", "", 2); err != nil { // the first may create it
			return err
		}
		p.heeds.ifNoneMatch = true
	}
	return nil
}

// mustRefuse writes under a condition up to n times, of which the last one can't hold.
func (p *Place) mustRefuse(ctx context.Context, header, version string, n int) error {
	for range n {
		_, err := p.putIf(ctx, p.key+".check", []byte("kplan checks here that the server heeds conditions of writes.\n"), version)
		if errors.Is(err, remote.ErrChanged) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("the server does not heed the header %s of writes, so two runs could hold the lock of %s at once: "+
		"use a server with conditional writes, as Amazon's has since 2024, or another backend", header, p)
}
