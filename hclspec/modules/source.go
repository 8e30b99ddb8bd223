package modules

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kplan.dev/kplan/internal/words"
)

// Kind is where the files of a module come from.
type Kind int

const (
	Local Kind = iota // a directory, relative to that of the caller
	Git
	OCI
)

// Source is a parsed source of a module. Two are equal if they mean the same. It has no passwords.
type Source struct {
	Kind Kind
	// Path is that of a local module, with slashes: "../modules/app" for "./../modules/app/".
	Path string
	// Address is what git gets, "https://host/repo.git", or the name of a repository in a registry, "host/team/app".
	Address string
	// Sub is the directory of the module in what is fetched, with slashes, "" for all of it.
	Sub string
	// Ref is the branch, tag or commit that a git source names, "" for none.
	Ref string
}

const maxSource = 2048

var errSpace = errors.New("it begins or ends with a space")

// ParseSource reads the source argument of a module. An error is part of a sentence that says what to write instead.
func ParseSource(text string) (Source, error) {
	switch {
	case text == "":
		return Source{}, errors.New("it is empty. " + known)
	case len(text) > maxSource:
		return Source{}, fmt.Errorf("it has more than %d bytes", maxSource)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isControl):
		return Source{}, errors.New("it has a character that is not visible")
	case strings.TrimSpace(text) != text:
		return Source{}, errSpace
	}
	if isLocal(text) {
		return parseLocal(text)
	}
	if rest, is := strings.CutPrefix(text, "git::"); is {
		return parseGit(rest)
	}
	if rest, is := strings.CutPrefix(text, "oci://"); is {
		return parseOCI(rest)
	}
	return Source{}, errors.New(instead(text))
}

func isControl(r rune) bool { return !unicode.IsPrint(r) }

const known = `Sources are "./directory" and "../directory", "git::https://host/repository.git//directory?ref=v1.2.0" and ` +
	`"oci://registry/repository"`

func isLocal(text string) bool {
	return text == "." || text == ".." || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../")
}

func parseLocal(text string) (Source, error) {
	switch {
	case strings.ContainsRune(text, '\\'):
		return Source{}, errors.New("it has a backslash. A path is written with slashes, on Windows too")
	case strings.ContainsRune(text, '?'):
		return Source{}, errors.New("a local path has no arguments such as ?ref: it is what is there")
	}
	clean := path.Clean(text)
	if strings.HasSuffix(clean, " ") {
		return Source{}, errSpace
	}
	if clean != "." && clean != ".." && !strings.HasPrefix(clean, "../") {
		clean = "./" + clean
	}
	return Source{Kind: Local, Path: clean}, nil
}

func parseGit(text string) (Source, error) {
	if match := scpLike.FindStringSubmatch(text); match != nil {
		return Source{}, fmt.Errorf("write the address of SSH in full: %q", "git::ssh://"+match[1]+"/"+match[2])
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return Source{}, errors.New("behind git:: comes an address that begins with https:// or ssh://")
	}
	text, query, hasQuery := strings.Cut(rest, "?")
	address, sub, err := splitSub(text)
	if err != nil {
		return Source{}, err
	}
	s := Source{Kind: Git, Sub: sub}
	if s.Address, err = gitAddress(scheme, address); err != nil {
		return Source{}, err
	}
	if hasQuery {
		s.Ref, err = parseRef(query)
	}
	return s, err
}

// scpLike is the short form of ssh: git@host:team/repository.git.
var scpLike = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*@[\w.-]+):([^/].*)$`)

// splitSub splits the directory behind two slashes off.
func splitSub(text string) (address, sub string, err error) {
	address, sub, found := strings.Cut(text, "//")
	if !found {
		return text, "", nil
	}
	clean := path.Clean(sub)
	switch {
	case strings.Trim(sub, "/") == "":
		return "", "", errors.New("behind the two slashes comes the directory of the module, and there is none")
	case strings.HasPrefix(sub, "/"), clean == "..", strings.HasPrefix(clean, "../"):
		return "", "", fmt.Errorf("its directory %q leads out of the repository", sub)
	case strings.HasSuffix(clean, " "):
		return "", "", errSpace
	case strings.ContainsRune(sub, '\\'):
		return "", "", errors.New("it has a backslash. A path is written with slashes, on Windows too")
	case strings.Contains(sub, "//"):
		return "", "", errors.New("it has two slashes more than once; behind the first comes the directory of the module")
	case clean == ".":
		return address, "", nil
	}
	return address, clean, nil
}

// gitAddress checks an address and writes it in its one form, as git gets it.
func gitAddress(scheme, rest string) (string, error) {
	u, err := url.Parse(scheme + "://" + rest)
	switch scheme = strings.ToLower(scheme); {
	case scheme == "file":
		return "", errors.New("a repository in the file system is no source. Write the path of its directory, as in \"../modules/app\"")
	case scheme != "https" && scheme != "ssh" && scheme != "http":
		return "", fmt.Errorf("git is used over https and ssh, not over %q", words.Shorten(scheme, 20))
	case err != nil:
		return "", errors.New("its address is not well-formed")
	case strings.Contains(rest, "%"), strings.ContainsAny(rest, ` "'<>\^{}|`+"`"), u.Fragment != "":
		return "", errors.New("its address has a character that none has: one of % \" ' < > \\ ^ { } | # or a space")
	}
	if err := checkHost(u); err != nil {
		return "", err
	}
	password, hasPassword := u.User.Password()
	switch {
	case hasPassword || password != "" || scheme != "ssh" && u.User != nil:
		return "", errors.New("it has a user or a password before the host, which everyone who reads the configuration would see. " +
			"Leave it out: git's credential helpers know it, or GIT_ASKPASS names a program that does")
	case scheme == "ssh" && u.User != nil && !userName.MatchString(u.User.Username()):
		return "", errors.New("the user before its host is none of SSH")
	case scheme == "http" && !isLoopback(u.Hostname()):
		return "", errors.New("whoever is on the way could change what is sent over http. Write https")
	case strings.Trim(u.Path, "/") == "":
		return "", errors.New("it has a host and no repository")
	case path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/"):
		return "", errors.New("its path is not clean: it has a part that is empty or made of dots")
	case strings.HasPrefix(u.Path, "/-"):
		return "", errors.New("its path begins with a dash")
	}
	u.Host, u.Path = strings.ToLower(u.Host), strings.TrimSuffix(u.Path, "/")
	text := u.String()
	if strings.Contains(text, "%") { // the lock file would have it escaped, and refuse that
		return "", errors.New("its address has a character that is not in ASCII, or one that would have to be escaped")
	}
	return text, nil
}

var (
	hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$`)
	userName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

func checkHost(u *url.URL) error {
	host := u.Hostname()
	switch {
	case host == "":
		return errors.New("it has no host")
	case net.ParseIP(host) == nil && !hostName.MatchString(host):
		return fmt.Errorf("%q is not the name of a host", words.Shorten(host, 60))
	case strings.HasSuffix(u.Host, ":"):
		return errors.New("it has a colon without a port behind it")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func parseRef(query string) (string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("what is behind the question mark is not well-formed")
	}
	for name := range values {
		switch {
		case name == "depth":
			return "", errors.New("kplan fetches one commit and no history, so leave the argument depth out")
		case name == "sshkey":
			return "", errors.New("a private key is no part of a source. SSH knows the key, from its agent or its configuration")
		case name != "ref":
			return "", fmt.Errorf("a git source has the argument ref, and not %q", words.Shorten(name, 40))
		}
	}
	switch refs := values["ref"]; {
	case len(refs) > 1:
		return "", errors.New("it has the argument ref more than once")
	case len(refs) == 0, refs[0] == "":
		return "", errors.New("the argument ref is empty. Without it the default branch is meant")
	default:
		return refs[0], checkRef(refs[0])
	}
}

var refName = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z_./+@#=,-]*$`)

// checkRef is at least as strict as git check-ref-format.
func checkRef(ref string) error {
	bad := func(part string) bool {
		return part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock")
	}
	switch {
	case strings.HasPrefix(ref, "-"):
		return fmt.Errorf("the ref %q begins with a dash", words.Shorten(ref, 60))
	case len(ref) > 250, !refName.MatchString(ref), strings.Contains(ref, ".."), strings.Contains(ref, "@{"), strings.HasSuffix(ref, "."),
		slices.ContainsFunc(strings.Split(ref, "/"), bad):
		return fmt.Errorf("%q is no name of a branch, a tag or a commit", words.Shorten(ref, 60))
	}
	return nil
}

func parseOCI(text string) (Source, error) {
	if strings.ContainsRune(text, '?') {
		return Source{}, errors.New("an OCI source has no arguments. Its tag is the argument version of the module: version = \"1.4.2\"")
	}
	text, sub, err := splitSub(text)
	if err != nil {
		return Source{}, err
	}
	host, repository, _ := strings.Cut(text, "/")
	u, err := url.Parse("https://" + host)
	last := repository[strings.LastIndexByte(repository, '/')+1:]
	switch {
	case err != nil:
		return Source{}, errors.New("its registry is not well-formed")
	case u.User != nil:
		return Source{}, errors.New("it has a user or a password before the registry, which everyone who reads the configuration would see. " +
			"Leave it out, and log in with docker login or oras login")
	case repository == "":
		return Source{}, errors.New("it has a registry and no repository, as in \"oci://registry.example/team/app\"")
	case strings.Contains(last, "@"):
		return Source{}, errors.New("it has a digest. Leave it out and write version = \"1.4.2\"; the lock file keeps the digest")
	case strings.Contains(last, ":"):
		_, tag, _ := strings.Cut(last, ":")
		return Source{}, fmt.Errorf("it has a tag. Leave it out and write version = %q", strings.TrimPrefix(words.Shorten(tag, 40), "v"))
	case !repositoryName.MatchString(repository) || len(host)+len(repository) > 255:
		return Source{}, fmt.Errorf("%q is not the name of a repository, which has small letters, digits, and single . _ - and / between them",
			words.Shorten(repository, 60))
	}
	if err := checkHost(u); err != nil {
		return Source{}, err
	}
	return Source{Kind: OCI, Address: strings.ToLower(host) + "/" + repository, Sub: sub}, nil
}

// repositoryName is that of the OCI distribution specification.
var repositoryName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

// String is the source as it is written in a configuration.
func (s Source) String() string {
	text := s.root()
	if s.Sub != "" {
		base, query, hasQuery := strings.Cut(text, "?")
		text = base + "//" + s.Sub
		if hasQuery {
			text += "?" + query
		}
	}
	return text
}

// root is the source of all that is fetched, without the directory in it.
func (s Source) root() string {
	switch {
	case s.Kind == Local:
		return s.Path
	case s.Kind == OCI:
		return "oci://" + s.Address
	case s.Ref != "":
		return "git::" + s.Address + "?ref=" + strings.ReplaceAll(url.QueryEscape(s.Ref), "%2F", "/")
	}
	return "git::" + s.Address
}

// IsRemote reports whether a Resolver is needed for it.
func (s Source) IsRemote() bool { return s.Kind != Local }
