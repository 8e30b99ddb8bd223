package auth

import (
	"fmt"
	"path/filepath"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func notTrusted(format string, args ...any) *Error {
	return &Error{Reason: UntrustedConfiguration, Message: fmt.Sprintf(format, args...),
		Advice: "Use a kubeconfig outside the working directory."}
}

// guardUser refuses what a kubeconfig from an untrusted directory could do with
// this machine: run a program, or send one of its files to a server as a token.
func guardUser(name string, user *clientcmdapi.AuthInfo, opts Options) error {
	if opts.WorkDir == "" || opts.AllowExec || !inside(opts.WorkDir, user.LocationOfOrigin) {
		return nil
	}
	const why = "and that kubeconfig is in the working directory, where a pull request could have put it"
	if user.Exec != nil {
		return notTrusted("the user %q of the kubeconfig %s would run the program %q, "+why, name, user.LocationOfOrigin, user.Exec.Command)
	}
	for _, file := range []string{user.TokenFile, user.ClientCertificate, user.ClientKey} {
		if file != "" && !inside(opts.WorkDir, file) {
			return notTrusted("the user %q of the kubeconfig %s would send the file %s, "+why, name, user.LocationOfOrigin, file)
		}
	}
	return nil
}

// guardExec refuses a program that the configuration itself names.
func guardExec(opts Options) error {
	if opts.WorkDir == "" || opts.AllowExec {
		return nil
	}
	return notTrusted("the configuration would run the program %q for credentials, and a pull request could have written that",
		opts.Exec.Command)
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
