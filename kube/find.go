package kube

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"kplan.dev/kplan/internal/words"

	// OpenID Connect is the one kind of credentials that kubectl still has
	// built in besides plugins.
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc"
)

// found is where the cluster is and how to get in.
type found struct {
	config  *rest.Config
	context string
}

func badConfig(advice, format string, args ...any) *Error {
	return &Error{Op: "connect", Reason: BadConfiguration, Message: fmt.Sprintf(format, args...), Advice: advice}
}

// find applies kubectl's rules.
func find(opts Options) (*found, error) {
	if opts.Host != "" {
		if opts.ConfigPath != "" || opts.Context != "" {
			return nil, badConfig("Give either a host or a kubeconfig and its context.",
				"both a host and a kubeconfig or context say which cluster")
		}
		host := opts.Host
		if !strings.Contains(host, "://") {
			host = "https://" + host
		}
		return withOptions(&found{config: &rest.Config{Host: host}}, opts)
	}
	rules, err := kubeconfigs(opts)
	if err != nil {
		return nil, err
	}
	if rules == nil {
		return inCluster(opts)
	}
	raw, err := rules.Load()
	if err != nil {
		return nil, unreadable(err)
	}
	f, err := fromKubeconfig(raw, rules, opts)
	if err != nil {
		return nil, err
	}
	return withOptions(f, opts)
}

// kubeconfigs names the files to read, nil when there are none.
func kubeconfigs(opts Options) (*clientcmd.ClientConfigLoadingRules, error) {
	if path := opts.ConfigPath; path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, badConfig("Check the path.", "the kubeconfig %s can't be read: %s", path, plainPathError(err))
		}
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: path}, nil
	}
	if list := filepath.SplitList(os.Getenv("KUBECONFIG")); len(list) > 0 {
		list = slices.DeleteFunc(list, func(p string) bool { return p == "" })
		if !slices.ContainsFunc(list, exists) {
			// Going on to another cluster would be worse than stopping.
			return nil, badConfig("Correct KUBECONFIG, or unset it to use ~/.kube/config.",
				"KUBECONFIG names no file that exists: %s", strings.Join(list, ", "))
		}
		return &clientcmd.ClientConfigLoadingRules{Precedence: list}, nil
	}
	if home := homeKubeconfig(); home != "" && exists(home) {
		return &clientcmd.ClientConfigLoadingRules{Precedence: []string{home}}, nil
	}
	return nil, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !os.IsNotExist(err)
}

func plainPathError(err error) string {
	if p, ok := err.(*os.PathError); ok {
		return p.Err.Error()
	}
	return err.Error()
}

func homeKubeconfig() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".kube", "config")
}

// unreadable keeps the file's content out of the error: it holds credentials.
func unreadable(err error) *Error {
	reason, _, _ := strings.Cut(err.Error(), "' is missing in '")
	return badConfig("Check the file's permissions and that it is a kubeconfig.", "%s", reason)
}

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

func inCluster(opts Options) (*found, error) {
	token := filepath.Join(serviceAccountDir, "token")
	if os.Getenv("KUBERNETES_SERVICE_HOST") == "" || os.Getenv("KUBERNETES_SERVICE_PORT") == "" || !exists(token) {
		return nil, &Error{Op: "connect", Reason: NoConfiguration,
			Message: "nothing says which cluster to use: there is no host or config_path in the cluster block, no -kubeconfig, " +
				"KUBECONFIG is not set, " + orUnknown(homeKubeconfig()) + " does not exist, and this is not a pod of a cluster",
			Advice: "Name a kubeconfig with -kubeconfig or KUBECONFIG, or write a cluster block."}
	}
	if opts.Context != "" {
		return nil, badConfig("Name the kubeconfig that has it, or leave the context out.",
			"there is no kubeconfig, so there is no context %q", opts.Context)
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, badConfig("", "the pod's service account can't be used: %s", err)
	}
	return withOptions(&found{config: config}, opts)
}

func orUnknown(path string) string {
	if path == "" {
		return "~/.kube/config"
	}
	return path
}

// fromKubeconfig picks the context and checks that it leads somewhere, since
// client-go would go on with an empty cluster or user.
func fromKubeconfig(raw *clientcmdapi.Config, rules *clientcmd.ClientConfigLoadingRules, opts Options) (*found, error) {
	files := strings.Join(rules.GetLoadingPrecedence(), ", ")
	name := opts.Context
	if name == "" {
		name = raw.CurrentContext
	}
	names := slices.Sorted(maps.Keys(raw.Contexts))
	if name == "" {
		return nil, badConfig("Set one with kubectl config use-context, or name it: context in the cluster block or -context. "+haveContexts(names, ""),
			"%s has no current context", files)
	}
	ctx, ok := raw.Contexts[name]
	if !ok {
		return nil, badConfig(haveContexts(names, name), "%s has no context %q", files, name)
	}
	cluster, ok := raw.Clusters[ctx.Cluster]
	if !ok {
		return nil, badConfig("Add the cluster to the kubeconfig or correct the context.",
			"the context %q names the cluster %q, which %s does not have", name, ctx.Cluster, files)
	}
	if cluster.Server == "" {
		return nil, badConfig("Give its server in the kubeconfig.", "the cluster %q in %s has no server address", ctx.Cluster, files)
	}
	user, ok := raw.AuthInfos[ctx.AuthInfo]
	if !ok && ctx.AuthInfo != "" {
		return nil, badConfig("Add the user to the kubeconfig or correct the context.",
			"the context %q names the user %q, which %s does not have", name, ctx.AuthInfo, files)
	}
	if user != nil {
		if err := guardUser(ctx.AuthInfo, user, opts); err != nil {
			return nil, err
		}
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*raw, name, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return nil, badConfig("", "the context %q in %s can't be used: %s", name, files, err)
	}
	return &found{config: config, context: name}, nil
}

func haveContexts(names []string, given string) string {
	if len(names) == 0 {
		return "There are no contexts in it."
	}
	have := "It has: " + strings.Join(names, ", ") + "."
	return strings.TrimPrefix(words.Suggest(given, names)+" "+have, " ")
}

// guardUser refuses what a kubeconfig from an untrusted directory could do with
// this machine: run a program, or send one of its files to a server as a token.
func guardUser(name string, user *clientcmdapi.AuthInfo, opts Options) error {
	if opts.WorkDir == "" || opts.AllowExec || !inside(opts.WorkDir, user.LocationOfOrigin) {
		return nil
	}
	const advice = "If you trust it, allow it with -allow-exec-plugins, or use a kubeconfig outside the working directory."
	if user.Exec != nil {
		return badConfig(advice, "the user %q of the kubeconfig %s would run the program %q, and that kubeconfig lies in the working directory, where a pull request could have put it",
			name, user.LocationOfOrigin, user.Exec.Command)
	}
	for _, file := range []string{user.TokenFile, user.ClientCertificate, user.ClientKey} {
		if file != "" && !inside(opts.WorkDir, file) {
			return badConfig(advice, "the user %q of the kubeconfig %s would send the file %s, and that kubeconfig lies in the working directory, where a pull request could have put it",
				name, user.LocationOfOrigin, file)
		}
	}
	return nil
}

// inside says whether path lies in dir once symbolic links are followed.
func inside(dir, path string) bool {
	dir, path = realPath(dir), realPath(path)
	rel, err := filepath.Rel(dir, path)
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

// withOptions lays the options over what was found.
func withOptions(f *found, opts Options) (*found, error) {
	cfg := f.config
	if opts.Insecure {
		cfg.Insecure, cfg.CAData, cfg.CAFile = true, nil, ""
	}
	if opts.ClusterCACertificate != "" {
		cfg.CAData, cfg.CAFile = []byte(opts.ClusterCACertificate), ""
	}
	if opts.TLSServerName != "" {
		cfg.ServerName = opts.TLSServerName
	}
	if opts.hasCredentials() {
		cfg.BearerToken, cfg.BearerTokenFile = opts.Token, ""
		cfg.Username, cfg.Password = opts.Username, opts.Password
		cfg.CertFile, cfg.CertData = "", []byte(opts.ClientCertificate)
		cfg.KeyFile, cfg.KeyData = "", []byte(opts.ClientKey)
		cfg.ExecProvider, cfg.AuthProvider = nil, nil
	}
	if opts.Exec != nil {
		if opts.WorkDir != "" && !opts.AllowExec {
			return nil, badConfig("If you trust it, allow it with -allow-exec-plugins, or put it into a kubeconfig outside the working directory.",
				"the configuration would run the program %q for credentials, and a pull request could have written that", opts.Exec.Command)
		}
		cfg.ExecProvider = opts.Exec.provider()
	}
	if opts.ImpersonateUser != "" || len(opts.ImpersonateGroups) > 0 {
		cfg.Impersonate = rest.ImpersonationConfig{UserName: opts.ImpersonateUser, Groups: opts.ImpersonateGroups}
	}
	cfg.UserAgent = opts.UserAgent
	if cfg.UserAgent == "" {
		cfg.UserAgent = "kplan"
	}
	cfg.QPS = -1 // the server has priority and fairness; slots bound what is in flight
	return f, nil
}

func (o Options) hasCredentials() bool {
	return o.Token != "" || o.Username != "" || o.ClientCertificate != "" || o.Exec != nil
}

func (e *Exec) provider() *clientcmdapi.ExecConfig {
	cfg := &clientcmdapi.ExecConfig{APIVersion: e.APIVersion, Command: e.Command, Args: e.Args,
		InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode}
	if cfg.APIVersion == "" {
		cfg.APIVersion = "client.authentication.k8s.io/v1"
	}
	for _, name := range slices.Sorted(maps.Keys(e.Env)) {
		cfg.Env = append(cfg.Env, clientcmdapi.ExecEnvVar{Name: name, Value: e.Env[name]})
	}
	return cfg
}
