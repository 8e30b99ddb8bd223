package auth

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"kplan.dev/kplan/internal/words"

	// OpenID Connect is the one kind of credentials that kubectl still has
	// built in besides plugins.
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc"
)

// fromFiles reads the kubeconfigs or, where there are none, the service account
// of the pod that this process runs in.
func fromFiles(opts Options) (config *rest.Config, context string, err error) {
	rules, err := kubeconfigs(opts)
	if err != nil {
		return nil, "", err
	}
	if rules == nil {
		config, err := inCluster(opts)
		return config, "", err
	}
	for _, path := range rules.GetLoadingPrecedence() {
		if err := checkFile("the kubeconfig", path, !opts.Named); err != nil {
			return nil, "", err
		}
	}
	raw, err := rules.Load()
	if err != nil {
		opts.Secrets.Add(secretsInText(rules)...)
		return nil, "", unreadable(err)
	}
	opts.Secrets.Add(secretsIn(raw)...)
	return fromKubeconfig(raw, rules, opts)
}

// kubeconfigs names the files to read, nil when there are none.
func kubeconfigs(opts Options) (*clientcmd.ClientConfigLoadingRules, error) {
	if path := opts.ConfigPath; path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, invalid("Check the path.", "the kubeconfig %s can't be read: %s", path, plainPathError(err))
		}
		return &clientcmd.ClientConfigLoadingRules{ExplicitPath: path}, nil
	}
	if list := filepath.SplitList(os.Getenv("KUBECONFIG")); len(list) > 0 {
		list = slices.DeleteFunc(list, func(p string) bool { return p == "" })
		if !slices.ContainsFunc(list, exists) {
			// Going on to another cluster would be worse than stopping.
			return nil, invalid("Correct KUBECONFIG, or unset it to use ~/.kube/config.",
				"KUBECONFIG names no file that exists: %s", strings.Join(list, ", "))
		}
		return &clientcmd.ClientConfigLoadingRules{Precedence: list}, nil
	}
	if exists(homeKubeconfig()) {
		return &clientcmd.ClientConfigLoadingRules{Precedence: []string{homeKubeconfig()}}, nil
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

// maxFileSize bounds a kubeconfig and the files that it names, in bytes.
const maxFileSize = 4 << 20

// checkFile refuses a file that has no end or is no file, before anything reads it. One that
// does not exist is left to who reads it. A person may give a pipe.
func checkFile(what, path string, pipe bool) error {
	info, err := os.Stat(path)
	switch {
	case path == "", err != nil, pipe && info.Mode()&os.ModeNamedPipe != 0:
		return nil
	case !info.Mode().IsRegular():
		return invalid("Check the path.", "%s %s, which is not a regular file", what, path)
	case info.Size() > maxFileSize:
		return invalid("Check the path.", "%s %s, which is larger than %d MiB", what, path, maxFileSize>>20)
	}
	return nil
}

func homeKubeconfig() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".kube", "config")
}

// goType is how the decoder of JSON says that a value does not fit.
var goType = regexp.MustCompile(`(?s)(?:couldn't get version/kind; )?(?:json parse error: )?json: cannot unmarshal (\w+) into Go .*`)

// twice is how client-go says that a list of a kubeconfig has a name twice, with all
// that is in the list.
var twice = regexp.MustCompile(`(?s)error converting \*\[\]Named(\w+) into .*duplicate name ("[^"]*") in list: .*`)

var listsOf = map[string]string{"AuthInfo": "users", "Cluster": "clusters", "Context": "contexts", "Extension": "extensions"}

// unreadable keeps the file's content out of the error: it holds credentials.
func unreadable(err error) *Error {
	reason, _, _ := strings.Cut(err.Error(), "' is missing in '")
	if found := twice.FindStringSubmatchIndex(reason); found != nil {
		list := listsOf[reason[found[2]:found[3]]]
		reason = reason[:found[0]] + "two of the " + list + " have the name " + reason[found[4]:found[5]]
		return invalid("Remove one of them.", "%s", reason)
	}
	reason = goType.ReplaceAllString(reason, "it is no kubeconfig: a value of the type $1 is in the wrong place")
	return invalid("Check the file's permissions and that it is a kubeconfig.", "%s", reason)
}

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

func inCluster(opts Options) (*rest.Config, error) {
	token := filepath.Join(serviceAccountDir, "token")
	if os.Getenv("KUBERNETES_SERVICE_HOST") == "" || os.Getenv("KUBERNETES_SERVICE_PORT") == "" || !exists(token) {
		home := homeKubeconfig()
		if home == "" {
			home = "~/.kube/config"
		}
		return nil, &Error{Reason: NotConfigured,
			Message: "nothing says which cluster to use: no host and no kubeconfig is given, KUBECONFIG is not set, " +
				home + " does not exist, and this is not a pod of a cluster",
			Advice: "Name a kubeconfig in KUBECONFIG, or declare a cluster block."}
	}
	if opts.Context != "" {
		return nil, invalid("Name the kubeconfig that has it, or leave the context out.",
			"there is no kubeconfig, so there is no context %q", opts.Context)
	}
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, invalid("", "the pod's service account can't be used: %s", err)
	}
	return config, nil
}

// fromKubeconfig picks the context and checks that it leads somewhere, since
// client-go would go on with an empty cluster or user.
func fromKubeconfig(raw *clientcmdapi.Config, rules *clientcmd.ClientConfigLoadingRules, opts Options) (*rest.Config, string, error) {
	files := strings.Join(rules.GetLoadingPrecedence(), ", ")
	name := opts.Context
	if name == "" {
		name = raw.CurrentContext
	}
	names := slices.Sorted(maps.Keys(raw.Contexts))
	if name == "" {
		return nil, "", invalid("Set one with kubectl config use-context, or name it. "+haveContexts(names, ""),
			"%s has no current context", files)
	}
	ctx, ok := raw.Contexts[name]
	if !ok {
		return nil, "", invalid(haveContexts(names, name), "%s has no context %q", files, name)
	}
	cluster, ok := raw.Clusters[ctx.Cluster]
	if !ok {
		return nil, "", invalid("Add the cluster to the kubeconfig or correct the context.",
			"the context %q names the cluster %q, which %s does not have", name, ctx.Cluster, files)
	}
	if cluster.Server == "" {
		return nil, "", invalid("Give its server in the kubeconfig.", "the cluster %q in %s has no server address", ctx.Cluster, files)
	}
	user, ok := raw.AuthInfos[ctx.AuthInfo]
	if !ok && ctx.AuthInfo != "" {
		return nil, "", invalid("Add the user to the kubeconfig or correct the context.",
			"the context %q names the user %q, which %s does not have", name, ctx.AuthInfo, files)
	}
	if user != nil {
		if err := guardUser(ctx.AuthInfo, user, opts); err != nil {
			return nil, "", err
		}
		for _, path := range []string{user.ClientCertificate, user.ClientKey, user.TokenFile} {
			if err := checkFile("the user "+strconv.Quote(ctx.AuthInfo)+" has the file", path, false); err != nil {
				return nil, "", err
			}
		}
	}
	what := "the cluster " + strconv.Quote(ctx.Cluster) + " has the certificate authority"
	if err := checkFile(what, cluster.CertificateAuthority, false); err != nil {
		return nil, "", err
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*raw, name, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return nil, "", invalid("", "the context %q in %s can't be used: %s", name, files, err)
	}
	return config, name, nil
}

func haveContexts(names []string, given string) string {
	if len(names) == 0 {
		return "There are no contexts in it."
	}
	return strings.TrimPrefix(words.Suggest(given, names)+" It has: "+strings.Join(names, ", ")+".", " ")
}
