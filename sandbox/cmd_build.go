package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// modulePath is this module, whose go.mod names the version of every part.
const modulePath = "kplan.dev/kplan/sandbox"

// packages are the programs to build, by part.
var packages = map[string]string{
	etcd:              "go.etcd.io/etcd/server/v3",
	apiServer:         "k8s.io/kubernetes/cmd/kube-apiserver",
	controllerManager: "k8s.io/kubernetes/cmd/kube-controller-manager",
	scheduler:         "k8s.io/kubernetes/cmd/kube-scheduler",
	"kubectl":         "k8s.io/kubernetes/cmd/kubectl",
	"versitygw":       "github.com/versity/versitygw/cmd/versitygw",
	gitea:             "code.gitea.io/gitea",
	helm:              "helm.sh/helm/v4/cmd/helm",
}

// ownModules are those of programs whose dependencies would move those of Kubernetes.
var ownModules = map[string]ownModule{
	"versitygw": {dir: "versitygw"},
	gitea:       {dir: "forge", flags: []string{"-tags", "sqlite sqlite_unlock_notify"}, env: []string{"CGO_ENABLED=1"}},
	helm:        {dir: "helm"},
}

type ownModule struct {
	dir        string
	flags, env []string // of go build
}

// helm installs charts, for tests of what it records of them.
const helm = "helm"

// built lists what is built by default, in a fixed order. The last two are no parts, but tests and demos want them. Gitea takes
// as long as all others, and a C compiler: see forge.go.
var built = []string{etcd, apiServer, controllerManager, scheduler, "kubectl", "versitygw"}

func cmdBuild(ctx context.Context, c *call) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin := c.flags.String("bin", filepath.Join(filepath.Dir(self), "sandbox"), "`directory` for the programs")
	src := c.flags.String("src", "", "`directory` of the module "+modulePath+" (default: here or in ./sandbox)")
	list := c.flags.String("parts", strings.Join(built, ","), "what to build, a `list` with commas; there are also "+gitea+" and "+helm)
	if _, err := c.parse(0); err != nil {
		return err
	}
	names := strings.Split(*list, ",")
	for _, name := range names {
		if packages[name] == "" {
			return fmt.Errorf("%w: -parts knows %s, %s and %s, not %q", errUsage, strings.Join(built, ", "), gitea, helm, name)
		}
	}
	b, err := newBuilder(ctx, *src, *bin, c.errOut)
	if err != nil {
		return err
	}
	if err := b.build(ctx, names, c.out); err != nil || !slices.Contains(names, gitea) {
		return err
	}
	return b.linkGiteaFiles(ctx)
}

// builder builds parts of one version from one source directory into another directory.
type builder struct {
	src, bin string
	version  string            // of Kubernetes
	keys     map[string]string // by part: each changes whenever the program would
	errOut   io.Writer
}

func newBuilder(ctx context.Context, src, bin string, errOut io.Writer) (*builder, error) {
	src, err := findSource(src)
	if err != nil {
		return nil, err
	}
	bin, err = filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	b := &builder{src: src, bin: bin, errOut: errOut, keys: map[string]string{}}
	if b.version, err = b.ask(ctx, "", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"); err != nil {
		return nil, err
	}
	settings, err := b.ask(ctx, "", "env", "GOVERSION", "GOOS", "GOARCH", "GOFLAGS", "CGO_ENABLED")
	if err != nil {
		return nil, err
	}
	for name := range packages {
		if b.keys[name], err = b.sourceKey(name, settings); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// findSource is the module's directory: the given one, or where it can be expected.
func findSource(given string) (string, error) {
	candidates := []string{given}
	if given == "" {
		candidates = []string{".", "sandbox"}
	}
	for _, directory := range candidates {
		text, err := os.ReadFile(filepath.Join(directory, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module "+modulePath+"\n")) {
			return filepath.Abs(directory)
		}
	}
	return "", fmt.Errorf("module %s is not in %s; name its directory with -src", modulePath, strings.Join(candidates, " or "))
}

// ask runs the go command in the module of a part and returns the line it prints.
func (b *builder) ask(ctx context.Context, part string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = b.module(part), b.errOut
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// module is the directory of the module that a part is built in.
func (b *builder) module(part string) string { return filepath.Join(b.src, ownModules[part].dir) }

// sourceKey is a digest of all that decides what a part is: the pinned modules, the compiler and its settings.
func (b *builder) sourceKey(part, settings string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, settings, b.ldflags())
	if own := ownModules[part]; own.flags != nil {
		fmt.Fprintln(sum, own.flags, own.env)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(b.module(part), name))
		if err != nil {
			return "", err
		}
		sum.Write(text)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// ldflags leave out what only a debugger reads, and set the programs' version: clients fail to parse what
// they say of it otherwise.
func (b *builder) ldflags() string {
	major, minor, _ := strings.Cut(strings.TrimPrefix(b.version, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	flags := []string{"-s", "-w"}
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags,
			"-X", pkg+".gitVersion="+b.version,
			"-X", pkg+".gitMajor="+major,
			"-X", pkg+".gitMinor="+minor,
			"-X", pkg+".gitCommit=",
		)
	}
	return strings.Join(flags, " ")
}

// build makes what is neither ready-made nor built before.
func (b *builder) build(ctx context.Context, names []string, out io.Writer) error {
	ready := b.readyMade(ctx, out)
	var missing []string
	for _, name := range names {
		if !slices.Contains(ready, name) && !b.upToDate(name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(out, "building %s: minutes the first time\n", strings.Join(missing, ", "))
		for _, together := range b.byModule(missing) {
			if err := b.compile(ctx, together); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(out, "sandbox parts: %s\n", b.bin)
	return nil
}

// byModule groups parts that are built in one module.
func (b *builder) byModule(names []string) [][]string {
	groups := map[string][]string{}
	for _, name := range names {
		groups[b.module(name)] = append(groups[b.module(name)], name)
	}
	return slices.Collect(maps.Values(groups))
}

// compile runs the compiler once for parts of one module, so that what they share is compiled once and the links go side by
// side.
func (b *builder) compile(ctx context.Context, names []string) error {
	if err := os.MkdirAll(b.bin, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(b.bin, ".build-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	own := ownModules[names[0]]
	args := append([]string{"build", "-ldflags", b.ldflags(), "-o", temp + string(filepath.Separator)}, own.flags...)
	for _, name := range names {
		args = append(args, packages[name])
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = b.module(names[0]), b.errOut, b.errOut, append(os.Environ(), own.env...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(temp, programName(name)), filepath.Join(b.bin, name)); err != nil {
			return err
		}
		if err := os.WriteFile(b.stamp(name), []byte(b.keys[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// programName is what `go build` calls the program.
func programName(part string) string {
	if part == etcd {
		return "server" // its package is go.etcd.io/etcd/server/v3
	}
	return part
}

// stamp is the file that says what a program was built from.
func (b *builder) stamp(name string) string { return filepath.Join(b.bin, "."+name+".built") }

func (b *builder) upToDate(name string) bool {
	key, err := os.ReadFile(b.stamp(name))
	if err != nil || string(key) != b.keys[name] {
		return false
	}
	_, err = os.Stat(filepath.Join(b.bin, name))
	return err == nil
}

// readyMade lists the programs that need no building, because KUBEBUILDER_ASSETS or PATH has them. It takes a
// control plane as a whole: an etcd with a kube-apiserver of our minor version, and of the others those with the
// same version as that.
func (b *builder) readyMade(ctx context.Context, out io.Writer) []string {
	server, err := b.lookOutside(apiServer)
	if err != nil {
		return nil
	}
	version := programVersion(ctx, server)
	if minor(version) != minor(b.version) {
		fmt.Fprintf(out, "not using %s: it is %s and we need %s\n", server, version, minor(b.version))
		return nil
	}
	if _, err := b.lookOutside(etcd); err != nil {
		fmt.Fprintf(out, "not using %s: there is no etcd with it\n", server)
		return nil
	}
	names := []string{etcd, apiServer}
	for _, name := range []string{controllerManager, scheduler} {
		if path, err := b.lookOutside(name); err == nil && programVersion(ctx, path) == version {
			names = append(names, name)
		}
	}
	if path, err := b.lookOutside("kubectl"); err == nil && filepath.Dir(path) == filepath.Dir(server) {
		names = append(names, "kubectl")
	}
	fmt.Fprintf(out, "using %s from %s\n", strings.Join(names, ", "), filepath.Dir(server))
	return names
}

// lookOutside finds a program that we did not build.
func (b *builder) lookOutside(name string) (string, error) {
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		if path, err := exec.LookPath(filepath.Join(assets, name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	if abs, err := filepath.Abs(path); err == nil && filepath.Dir(abs) == b.bin {
		return "", errors.New("our own")
	}
	return path, nil
}

// programVersion is what a program of Kubernetes says its version is: the last word it prints.
func programVersion(ctx context.Context, path string) string {
	out, _ := exec.CommandContext(ctx, path, "--version").Output()
	words := strings.Fields(string(out))
	if len(words) == 0 {
		return "unknown"
	}
	return words[len(words)-1]
}

// minor cuts v1.37.2 to v1.37.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
