package apply

import (
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
)

// TestTimeoutExplained: of the wait block and the option, the one that applies is named.
func TestTimeoutExplained(t *testing.T) {
	web, db := addrs.Resource{Type: "Pod", Name: "web"}, addrs.Resource{Type: "Pod", Name: "db"}
	times := newTimeouts(&config.Config{Resources: []*config.Resource{
		{Addr: web, Wait: config.Wait{Timeout: 2 * time.Minute}}, {Addr: db},
	}}, 5*time.Minute)
	for addr, want := range map[addrs.Resource]string{
		web: "kplan waited for 2m0s, the timeout of the wait block of Pod.web.",
		db:  "kplan waited for 5m0s. Set another timeout with -wait-timeout,",
	} {
		if got := times.explain(addr.Instance(addrs.Key{})); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", addr, got)
		}
	}
}
