package git

import (
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"unicode"

	"kplan.dev/kplan/internal/words"
)

// failure is what git said.
type failure struct{ message, complaint string }

func (f *failure) Error() string { return f.message }

// meanings are what to say instead of git, by a part of what it says.
var meanings = []struct{ part, message string }{
	{"terminal prompts disabled", noCredentials},
	{"could not read Username", noCredentials},
	{"could not read Password", noCredentials},
	{"Authentication failed", "the server refuses the credentials that git has for it. Renew them in the credential helper of git"},
	{"Permission denied (publickey", "the server accepts none of the SSH keys. Add the right one to the SSH agent, or to the account"},
	{"Host key verification failed", "the key of the host is not known, or another one than before. Connect to it once with ssh, " +
		"and compare the key with what its owner publishes"},
	{"returned error: 403", "the server forbids it to the account whose credentials git has"},
	{"returned error: 429", "the server gets too many requests. Wait a while"},
	{"could not resolve host", "there is no such host, or no name server answers"},
	{"Could not resolve hostname", "there is no such host, or no name server answers"},
	{"SSL certificate problem", "the certificate of the server is not trusted. Git's http.sslCAInfo can name the authority that signed it"},
	{"' not allowed", "it leads to a protocol that kplan does not allow; it allows https and ssh. A setting url.<base>.insteadOf of git, or " +
		"a redirect, may have changed the address"},
	{"does not appear to be a git repository", noRepository},
	{"Repository not found", noRepository},
	{"repository not found", noRepository},
	{"' not found", noRepository},
	{"returned error: 404", noRepository},
	{"not valid: is this a git repository", "the server's answer is not that of a git repository"},
	{"bad line length", "the server's answer is not that of a git repository"},
	{"Operation too slow", "the server sends next to nothing"},
}

const (
	noCredentials = "the server wants credentials, and git has none for it. Store them in a credential helper of git; kplan never asks"
	noRepository  = "there is no such repository, or these credentials may not read it"
)

// notAdvertised are what servers say that give single commits to nobody.
var notAdvertised = []string{"not our ref", "unadvertised object", "does not support shallow", "dumb http transport does not support",
	"couldn't find remote ref"}

func isNotAdvertised(err error) bool {
	var f *failure
	return errors.As(err, &f) && contains(f.complaint, notAdvertised...)
}

// explain is the error of a command that failed.
func explain(err error, complaint string) error {
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("it takes the git program, which is not installed here, or in no directory of PATH")
	}
	var exited *exec.ExitError
	if !errors.As(err, &exited) {
		return err
	}
	for _, m := range meanings {
		if contains(complaint, m.part) {
			return &failure{m.message, complaint}
		}
	}
	if said := clean(complaint); said != "" {
		return &failure{"git says: " + said, complaint}
	}
	return &failure{"git failed (" + exited.Error() + ")", complaint}
}

func contains(text string, parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(strings.ToLower(text), strings.ToLower(part)) {
			return true
		}
	}
	return false
}

// userinfo is the part of an address that may be a password. Git's settings may put one in.
var userinfo = regexp.MustCompile(`://[^/\s'"]*@`)

// clean is what git said as part of a sentence, without passwords. What the server made it say is shortened.
func clean(complaint string) string {
	var said []string
	for line := range strings.Lines(complaint) {
		line = strings.TrimSpace(strings.Map(printable, userinfo.ReplaceAllString(line, "://")))
		line = strings.TrimPrefix(strings.TrimPrefix(line, "fatal: "), "error: ")
		if line != "" && !strings.HasPrefix(line, "hint: ") && len(said) < 4 {
			said = append(said, line)
		}
	}
	return words.Shorten(strings.TrimRight(strings.Join(said, "; "), "."), 400)
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}
