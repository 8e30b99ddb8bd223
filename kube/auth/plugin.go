package auth

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	clientauthentication "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"kplan.dev/kplan/internal/redact"
)

// plugin runs a kubeconfig's credential plugin:
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
//
// client-go runs plugins, too, but waits for one that hangs for ever, lets it write
// secrets to standard error, and runs it again for each request that is refused.
type plugin struct {
	config      *clientcmdapi.ExecConfig
	input       string // KUBERNETES_EXEC_INFO
	interactive bool
	timeout     time.Duration   // of each run
	secrets     *redact.Secrets // learn what it gives

	mu       sync.Mutex
	current  *credentials
	failure  error // of the last run
	failedAt time.Time
	refused  bool   // the newest credentials were refused; there are no better ones
	idle     func() // closes connections that use an old certificate
}

type credentials struct {
	token       string
	certificate *tls.Certificate
	expires     time.Time // zero: never
}

// PluginError explains why a plugin returned no credentials.
type PluginError struct{ Message, Advice string }

func (e *PluginError) Error() string { return e.Message }

const (
	pluginTimeout      = time.Minute
	interactiveTimeout = 10 * time.Minute // people log in in a browser meanwhile
	pluginPause        = 10 * time.Second // after a failure: what is in flight would ask one by one
	pluginStderr       = 4 << 10
	pluginStdout       = 1 << 20
)

func newPlugin(cfg *rest.Config, opts Options) (*plugin, error) {
	config := cfg.ExecProvider
	switch config.APIVersion {
	case "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1": // alike in all that is used here
	default:
		return nil, invalid("Use client.authentication.k8s.io/v1; a newer plugin may be needed.",
			"the credential plugin %q asks for the API version %q, which is not known", config.Command, config.APIVersion)
	}
	p := &plugin{config: config, timeout: pluginTimeout, secrets: opts.Secrets,
		interactive: opts.InteractiveExec && config.InteractiveMode != clientcmdapi.NeverExecInteractiveMode}
	if p.interactive {
		p.timeout = interactiveTimeout
	}
	if config.InteractiveMode == clientcmdapi.AlwaysExecInteractiveMode && !p.interactive {
		return nil, invalid("Use other credentials here, such as a service account's token.",
			"the credential plugin %q needs a terminal, and there is none", config.Command)
	}
	in := clientauthentication.ExecCredential{TypeMeta: metav1.TypeMeta{APIVersion: config.APIVersion, Kind: "ExecCredential"}}
	in.Spec.Interactive = p.interactive
	if config.ProvideClusterInfo {
		cluster, err := rest.ConfigToExecCluster(cfg)
		if err != nil {
			return nil, invalid("", "the credential plugin %q can't be given the cluster: %s", config.Command, err)
		}
		in.Spec.Cluster = &clientauthentication.Cluster{}
		if err := clientauthentication.Convert_clientauthentication_Cluster_To_v1_Cluster(cluster, in.Spec.Cluster, nil); err != nil {
			return nil, invalid("", "the credential plugin %q can't be given the cluster: %s", config.Command, err)
		}
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, invalid("", "the credential plugin %q can't be given the cluster: %s", config.Command, err)
	}
	p.input = string(text)
	return p, nil
}

// wrap puts the plugin's token on requests.
func (p *plugin) wrap(next http.RoundTripper) http.RoundTripper {
	p.idle = func() { utilnet.CloseIdleConnectionsFor(next) }
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		creds, err := p.credentials(req.Context())
		if err != nil {
			return nil, err
		}
		if creds.token != "" {
			req = req.Clone(req.Context())
			req.Header.Set("Authorization", "Bearer "+creds.token)
		}
		res, err := next.RoundTrip(req)
		if err == nil {
			p.judge(creds, res.StatusCode != http.StatusUnauthorized)
		}
		return res, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// certificate is called for each new connection.
func (p *plugin) certificate() (*tls.Certificate, error) {
	creds, err := p.credentials(context.Background())
	if err != nil {
		return nil, err
	}
	return creds.certificate, nil
}

// judge forgets credentials that were refused, so that the plugin runs once
// more. It does so only once: fresh credentials are not refused for their age.
func (p *plugin) judge(used *credentials, accepted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case used != p.current:
	case accepted:
		p.refused = false
	case !p.refused:
		p.refused, p.current = true, nil
	}
}

func (p *plugin) credentials(ctx context.Context) (*credentials, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil && (p.current.expires.IsZero() || time.Now().Before(p.current.expires)) {
		return p.current, nil
	}
	if p.failure != nil && time.Since(p.failedAt) < pluginPause {
		return nil, p.failure
	}
	hadCertificate := p.current != nil && p.current.certificate != nil
	creds, err := p.run(ctx)
	if err != nil {
		p.failure, p.failedAt = err, time.Now()
		return nil, err
	}
	p.current, p.failure = creds, nil
	if hadCertificate {
		p.idle()
	}
	return creds, nil
}

func (p *plugin) run(ctx context.Context) (*credentials, error) {
	// The plugin may log in for all requests to come: one that is given up must
	// not stop it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.config.Command, p.config.Args...)
	cmd.WaitDelay = time.Second
	cmd.Env = append(os.Environ(), "KUBERNETES_EXEC_INFO="+p.input)
	for _, e := range p.config.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	stdout, stderr := &bounded{left: pluginStdout}, &bounded{left: pluginStderr}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if p.interactive {
		cmd.Stdin, cmd.Stderr = os.Stdin, io.MultiWriter(os.Stderr, stderr)
	}
	if err := cmd.Run(); err != nil {
		return nil, p.failed(ctx, err, string(stderr.kept))
	}
	return p.read(stdout.kept)
}

// bounded keeps the first bytes and drops the rest. It embeds no buffer: io.Copy
// would find the buffer's ReadFrom, which has no bound.
type bounded struct {
	kept []byte
	left int
}

func (b *bounded) Write(text []byte) (int, error) {
	keep := text[:min(len(text), b.left)]
	b.left -= len(keep)
	b.kept = append(b.kept, keep...)
	return len(text), nil
}

func (p *plugin) failed(ctx context.Context, err error, stderr string) error {
	e := &PluginError{Advice: "Run the program by hand to see what is wrong, and log in again if it asks for that."}
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, os.ErrNotExist):
		e.Message = fmt.Sprintf("the credential plugin %q is not installed", p.config.Command)
		e.Advice = "Install it, or use other credentials."
		if p.config.InstallHint != "" {
			e.Advice = strings.TrimSpace(p.config.InstallHint)
		}
		return e
	case ctx.Err() != nil:
		e.Message = fmt.Sprintf("the credential plugin %q did not end in time", p.config.Command)
	default:
		e.Message = fmt.Sprintf("the credential plugin %q failed: %s", p.config.Command, err)
	}
	if said := strings.TrimSpace(p.mask(stderr)); said != "" {
		e.Message += "; it said: " + said
	}
	return e
}

// mask hides the values that the plugin was given, and tokens, in what it printed.
func (p *plugin) mask(text string) string {
	var given []string
	for _, e := range p.config.Env {
		given = append(given, e.Value)
	}
	return redact.Tokens(redact.New(given...).Hide(text))
}

func (p *plugin) read(stdout []byte) (*credentials, error) {
	fail := func(format string, args ...any) (*credentials, error) {
		return nil, &PluginError{
			Message: fmt.Sprintf("the credential plugin %q ", p.config.Command) + fmt.Sprintf(format, args...),
			Advice:  "Check the plugin's version and its arguments in the kubeconfig.",
		}
	}
	var out clientauthentication.ExecCredential
	if err := json.Unmarshal(stdout, &out); err != nil {
		return fail("printed something that is no ExecCredential") // err could show a token
	}
	switch s := out.Status; {
	case out.Kind != "ExecCredential" || out.APIVersion != p.config.APIVersion:
		return fail("printed %s %q where %s ExecCredential is asked for", out.APIVersion, out.Kind, p.config.APIVersion)
	case s == nil, s.Token == "" && s.ClientCertificateData == "":
		return fail("gave neither a token nor a certificate")
	case (s.ClientCertificateData == "") != (s.ClientKeyData == ""):
		return fail("gave a certificate without its key, or a key without its certificate")
	}
	p.secrets.Add(out.Status.Token, out.Status.ClientKeyData)
	creds := &credentials{token: out.Status.Token}
	if at := out.Status.ExpirationTimestamp; at != nil {
		creds.expires = at.Time
	}
	if out.Status.ClientCertificateData != "" {
		cert, err := tls.X509KeyPair([]byte(out.Status.ClientCertificateData), []byte(out.Status.ClientKeyData))
		if err != nil {
			return fail("gave a certificate and key that do not fit")
		}
		creds.certificate = &cert
	}
	return creds, nil
}
