package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	strictjson "sigs.k8s.io/json"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/state"
)

// sourcesOf are the SHA-256 digests of the configuration's files by name.
func sourcesOf(c *config.Config) map[string]string {
	sources := make(map[string]string, len(c.Files))
	for name, file := range c.Files {
		sum := sha256.Sum256(file.Bytes)
		sources[name] = "sha256:" + hex.EncodeToString(sum[:])
	}
	return sources
}

// variablesOf records the values that a configuration is evaluated with.
func variablesOf(values config.Values, s *state.State) map[string]Variable {
	recorded := map[string]Variable{}
	for name, v := range values.JSON() {
		r := Variable{Sensitive: v.Sensitive, Digest: s.Digest(v.Value)}
		if !v.Sensitive {
			r.Value = v.Value
		}
		recorded[name] = r
	}
	return recorded
}

// jsonForm is a value as JSON decodes it, so that values of different origins
// can be compared: whole numbers to the last digit.
func jsonForm(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		panic("plan: a value in JSON form has no JSON form: " + err.Error())
	}
	var decoded any
	if err := strictjson.UnmarshalCaseSensitivePreserveInts(data, &decoded); err != nil {
		panic("plan: JSON that was just written can't be read: " + err.Error())
	}
	return decoded
}
