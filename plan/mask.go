package plan

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec"
)

// shortestSecret is the length below which a secret is not looked for in a
// message: it would be found in innocent words.
const shortestSecret = 4

// MaskSecrets takes an object's sensitive values out of what the server said
// about it: a refusal repeats the value that it refuses.
func MaskSecrets(diags hcl.Diagnostics, d *hclspec.Desired) hcl.Diagnostics {
	secrets := secretsOf(d)
	if len(secrets) == 0 {
		return diags
	}
	var pairs []string
	for _, secret := range secrets {
		pairs = append(pairs, secret, Mask)
	}
	replacer := strings.NewReplacer(pairs...)
	for _, diagnostic := range diags {
		diagnostic.Detail = replacer.Replace(diagnostic.Detail)
	}
	return diags
}

// secretsOf are the spellings in which an object's sensitive values may be
// repeated, the longest first.
func secretsOf(d *hclspec.Desired) []string {
	var secrets []string
	for path := range d.Sensitive {
		if value, ok := ValueAt(d.Fields, path); ok {
			secrets = appendTexts(secrets, value)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(secrets)
}

func appendTexts(texts []string, value any) []string {
	switch v := value.(type) {
	case string:
		if len(v) >= shortestSecret {
			texts = append(texts, v)
		}
		if plain, err := base64.StdEncoding.DecodeString(v); err == nil && len(plain) >= shortestSecret {
			texts = append(texts, string(plain))
		}
	case map[string]any:
		for _, inner := range v {
			texts = appendTexts(texts, inner)
		}
	case []any:
		for _, inner := range v {
			texts = appendTexts(texts, inner)
		}
	}
	return texts
}
