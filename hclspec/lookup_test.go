package hclspec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/kinds"
)

// silentKinds are those of a cluster of which a part does not answer.
type silentKinds struct{}

func (silentKinds) Lookup(kind, apiVersion string) (*kinds.Kind, error) {
	return nil, fmt.Errorf("look up: %w", &kinds.UnknownError{Kind: kind, APIVersion: apiVersion,
		Unavailable: []string{"a.example.com/v1", "b.example.com/v1"}})
}

// TestUnknownKindOfSilentAPI: what is not found may be where nobody answers.
func TestUnknownKindOfSilentAPI(t *testing.T) {
	finder := newKindFinder(silentKinds{})
	for apiVersion, want := range map[string]string{
		"":                 `There is no kind "Widget". A custom kind needs its CustomResourceDefinition`,
		"a.example.com/v1": `There is no kind "Widget" in API version a.example.com/v1. A custom kind needs its CustomResourceDefinition`,
	} {
		_, err := finder.find("Widget", apiVersion)
		detail := problemOfKind(err, "Widget", hcl.Range{})[0].Detail
		if !strings.HasPrefix(detail, want) || !strings.HasSuffix(detail,
			" It may also be in a.example.com/v1 or b.example.com/v1, from which the cluster gets no answer now: kubectl get "+
				"apiservices shows why.") {
			t.Errorf("in API version %q: %s", apiVersion, detail)
		}
	}
}
