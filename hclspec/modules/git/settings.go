package git

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// setting is one line of a configuration of git.
type setting struct{ key, value string }

type settings []setting

// fixed are ours. They come after the user's, so they win.
var fixed = settings{
	{"core.hooksPath", os.DevNull},
	{"core.attributesFile", os.DevNull},
	{"core.fsmonitor", "false"},
	{"core.symlinks", "false"},
	{"core.bigFileThreshold", "1m"}, // larger files are not held in memory
	{"core.askPass", ""},
	{"credential.interactive", "false"},
	{"protocol.version", "2"},
	{"protocol.ext.allow", "never"},
	{"fetch.recurseSubmodules", "false"},
	{"fetch.writeCommitGraph", "false"},
	{"submodule.recurse", "false"},
	{"transfer.bundleURI", "false"}, // the server would choose another address
	{"gc.auto", "0"},
	{"maintenance.auto", "false"},
	{"pack.threads", "1"},
	{"http.followRedirects", "initial"},
	{"http.lowSpeedLimit", "100"},
	{"http.lowSpeedTime", "60"},
}

// reaching reports whether a setting of the user is one for reaching a server. Everything else git does without.
func reaching(key string) bool {
	section, rest, _ := strings.Cut(key, ".")
	switch strings.ToLower(section) {
	case "credential", "http":
		return true
	case "url":
		return strings.HasSuffix(strings.ToLower(rest), ".insteadof")
	case "core":
		return strings.EqualFold(rest, "sshCommand")
	case "ssh":
		return strings.EqualFold(rest, "variant")
	}
	return false
}

// settings reads what the user has set for reaching servers: for the machine, for the user, or in the environment. The
// configuration of the repository that kplan runs in is not read, nor that of any other.
func (r *Repository) settings(ctx context.Context, dir string) (settings, error) {
	cmd := exec.CommandContext(ctx, r.options.Program, "config", "--list", "--null", "--show-scope", "--includes")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_DIR="+dir, "LC_ALL=C")
	cmd.WaitDelay = r.options.Timeout
	var out, complaint bounded
	out.max, complaint.max = maxOutput, 64<<10
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case context.Cause(ctx) != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, explain(err, complaint.String())
	}
	return append(parseSettings(out.Bytes()), fixed...), nil
}

// parseSettings reads pairs of a scope and a setting, which end in zero bytes.
func parseSettings(text []byte) (all settings) {
	fields := bytes.Split(bytes.TrimSuffix(text, []byte{0}), []byte{0})
	for pair := range slices.Chunk(fields, 2) {
		if len(pair) < 2 || string(pair[0]) == "local" || string(pair[0]) == "worktree" {
			continue
		}
		key, value, hasValue := strings.Cut(string(pair[1]), "\n")
		if !hasValue {
			value = "true"
		}
		if reaching(key) {
			all = append(all, setting{key, value})
		}
	}
	return all
}

// environment are the variables that give the settings to git, and bound what it may do.
func (s settings) environment(address string) []string {
	env := []string{
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=" + os.DevNull, "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_LFS_SKIP_SMUDGE=1",
		"GIT_OPTIONAL_LOCKS=0", "GIT_ALLOW_PROTOCOL=" + protocols(address), "LC_ALL=C", "LANGUAGE=",
		"GIT_CONFIG_COUNT=" + strconv.Itoa(len(s)),
	}
	hasSSH := os.Getenv("GIT_SSH_COMMAND") != "" || os.Getenv("GIT_SSH") != ""
	for i, one := range s {
		hasSSH = hasSSH || strings.EqualFold(one.key, "core.sshCommand")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, one.key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, one.value))
	}
	if !hasSSH {
		env = append(env, "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=30")
	}
	if os.Getenv("GIT_ASKPASS") == "" { // else SSH_ASKPASS, which opens a window
		env = append(env, "GIT_ASKPASS=")
	}
	return env
}

// protocols are those that git may speak, also after its settings have rewritten the address, or a server redirected it.
func protocols(address string) string {
	if u, err := url.Parse(address); err == nil && u.Scheme == "http" {
		return "http:https:ssh"
	}
	return "https:ssh"
}

// kept are the variables for git that come from the user: how it gets to a server, and the program that knows the password.
var kept = []string{"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_CERT",
	"GIT_SSL_KEY", "GIT_SSL_VERSION", "GIT_PROXY_SSL_CAINFO", "GIT_EXEC_PATH"}

// environment is the one that kplan was started with, without what would change what git does.
func environment() (env []string) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "GIT_") && name != "SSH_ASKPASS" || slices.Contains(kept, name) {
			env = append(env, variable)
		}
	}
	return env
}
