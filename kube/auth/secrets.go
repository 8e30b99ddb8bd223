package auth

import (
	"net/url"
	"os"
	"regexp"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// secrets are the credentials that the options hold.
func (o Options) secrets() []string {
	all := []string{o.Token, o.Password, o.ClientKey, passwordIn(o.ProxyURL), passwordIn(o.Host)}
	if o.Exec != nil {
		for name, value := range o.Exec.Env {
			if namesSecret.MatchString(name) {
				all = append(all, value)
			}
		}
	}
	return all
}

// namesSecret is what the name of a setting has in it whose value is a credential; others
// are regions and profiles.
var namesSecret = regexp.MustCompile(`(?i)token|secret|passw|key|credential`)

// secretsIn are the credentials in kubeconfigs, also of users that are not in use.
func secretsIn(config *clientcmdapi.Config) []string {
	var all []string
	for _, user := range config.AuthInfos {
		all = append(all, user.Token, user.Password, string(user.ClientKeyData))
		if user.AuthProvider != nil {
			for name, value := range user.AuthProvider.Config {
				if namesSecret.MatchString(name) {
					all = append(all, value)
				}
			}
		}
		if user.Exec != nil {
			for _, e := range user.Exec.Env {
				if namesSecret.MatchString(e.Name) {
					all = append(all, e.Value)
				}
			}
		}
	}
	for _, cluster := range config.Clusters {
		all = append(all, passwordIn(cluster.ProxyURL), passwordIn(cluster.Server))
	}
	return all
}

// credentialLine is a line of a kubeconfig, in YAML or JSON, that holds one.
var credentialLine = regexp.MustCompile(`(?i)["']?(?:token|password|[a-z-]*secret|client-key-data)["']?\s*:\s*` +
	`("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}\]]+)`)

// secretsInText are what seem to be the credentials in kubeconfigs that can't be read.
func secretsInText(rules *clientcmd.ClientConfigLoadingRules) []string {
	var all []string
	for _, path := range rules.GetLoadingPrecedence() {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // a pipe gives nothing twice
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for _, found := range credentialLine.FindAllStringSubmatch(string(text), -1) {
			all = append(all, strings.Trim(found[1], `"'`))
		}
	}
	return all
}

// userInfo is the part of an address, also of a broken one, that names a user and a password.
var userInfo = regexp.MustCompile(`//[^/@:]*:([^/@]*)@`)

func passwordIn(address string) string {
	if found := userInfo.FindStringSubmatch(address); found != nil {
		if plain, err := url.PathUnescape(found[1]); err == nil && plain != found[1] {
			return plain
		}
		return found[1]
	}
	return ""
}
