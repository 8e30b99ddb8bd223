package auth

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func notTrusted(format string, args ...any) *Error {
	return &Error{Reason: UntrustedConfiguration, Message: fmt.Sprintf(format, args...),
		Advice: "Use a kubeconfig outside the repository, by KUBECONFIG or on the command line."}
}

// guardUser refuses what a kubeconfig from an untrusted directory could do with
// this machine: run a program, or send one of its files to a server as a token.
func guardUser(name string, user *clientcmdapi.AuthInfo, opts Options) error {
	if opts.trusts(user.LocationOfOrigin) {
		return nil
	}
	why := "and that kubeconfig is in a repository, where a pull request could have put it"
	if !opts.isInside(user.LocationOfOrigin) {
		why = "and the configuration names that kubeconfig, which is none of those that kubectl would use"
	}
	if user.Exec != nil {
		return notTrusted("the user %q of the kubeconfig %s would run the program %q, "+why, name, user.LocationOfOrigin, user.Exec.Command)
	}
	for _, file := range []string{user.TokenFile, user.ClientCertificate, user.ClientKey} {
		if file != "" && !opts.isInside(file) {
			return notTrusted("the user %q of the kubeconfig %s would send the file %s, "+why, name, user.LocationOfOrigin, file)
		}
	}
	return nil
}

// guardExec refuses a program that the configuration itself names.
func guardExec(opts Options) error {
	if len(opts.Untrusted) == 0 || opts.AllowExec {
		return nil
	}
	return notTrusted("the configuration would run the program %q for credentials, and a pull request could have written that",
		opts.Exec.Command)
}

// trusts reports whether the kubeconfig may run programs.
func (o Options) trusts(kubeconfig string) bool {
	switch {
	case len(o.Untrusted) == 0, o.AllowExec:
		return true
	case o.isInside(kubeconfig):
		return false
	}
	return !o.Named || slices.ContainsFunc(ownKubeconfigs(), func(own string) bool { return realPath(own) == realPath(kubeconfig) })
}

// ownKubeconfigs are the files that kubectl would read without being told of any.
func ownKubeconfigs() []string {
	if list := filepath.SplitList(os.Getenv("KUBECONFIG")); len(list) > 0 {
		return list
	}
	return []string{homeKubeconfig()}
}

func (o Options) isInside(path string) bool {
	return slices.ContainsFunc(o.Untrusted, func(dir string) bool { return inside(dir, path) })
}

// inside reports whether path is in dir once symbolic links are followed.
func inside(dir, path string) bool {
	rel, err := filepath.Rel(realPath(dir), realPath(path))
	return err == nil && filepath.IsLocal(rel)
}

func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path
}
