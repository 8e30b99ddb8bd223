package apply

import (
	"fmt"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/option"
)

// timeouts are how long to wait for a change of an object, also of one that is to
// be deleted.
type timeouts struct {
	resources map[addrs.Resource]time.Duration // by their wait blocks, which are declared there
	other     time.Duration
}

func newTimeouts(config *config.Config, other time.Duration) timeouts {
	t := timeouts{map[addrs.Resource]time.Duration{}, other}
	if t.other == 0 {
		t.other = DefaultWaitTimeout
	}
	if config != nil {
		for addr, resource := range config.AllResources() {
			if resource.Wait.Timeout > 0 {
				t.resources[addr] = resource.Wait.Timeout
			}
		}
	}
	return t
}

// explain is how long kplan waited, and what sets that: a wait block prevails over the option.
func (t timeouts) explain(addr addrs.Instance) string {
	if timeout, set := t.resources[addr.Resource.Declared()]; set {
		return fmt.Sprintf("kplan waited for %s, the timeout of the wait block of %s. Increase it there: it prevails over %s.",
			timeout, addr.Resource, option.WaitTimeout)
	}
	return fmt.Sprintf("kplan waited for %s. Set another timeout with %s, or in a wait block for this resource only.",
		t.other, option.WaitTimeout)
}

func (t timeouts) of(addr addrs.Instance) time.Duration {
	if timeout, set := t.resources[addr.Resource.Declared()]; set {
		return timeout
	}
	return t.other
}
