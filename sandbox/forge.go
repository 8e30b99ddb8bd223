package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// gitea is the forge: git over HTTP, packages, pull requests. It has a module of its own, forge/go.mod, since it has as many
// dependencies as Kubernetes, and others.
const gitea = "gitea"

// linkGiteaFiles links the directory of gitea's module beside the program: it reads templates and texts from there.
func (b *builder) linkGiteaFiles(ctx context.Context) error {
	files, err := b.ask(ctx, gitea, "list", "-m", "-f", "{{.Dir}}", packages[gitea])
	if err != nil {
		return err
	}
	link := giteaFiles(filepath.Join(b.bin, gitea))
	if old, err := os.Readlink(link); err == nil && old == files {
		return nil
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(files, link)
}

// giteaFiles is where a program's templates and texts are.
func giteaFiles(program string) string { return program + ".files" }

// Forge is what forge.json has: how to reach a forge, as whom.
type Forge struct {
	Address  string    `json:"address"` // http://127.0.0.1:12345
	User     string    `json:"user"`    // an administrator
	Password string    `json:"password"`
	Token    string    `json:"token"` // with all scopes
	Dir      string    `json:"dir"`
	Process  ProcessID `json:"process"`
}

func (d dir) forgeFile() string { return d.file("forge.json") }

func (d dir) readForge() (f Forge, err error) {
	text, err := os.ReadFile(d.forgeFile())
	if err != nil {
		return Forge{}, err
	}
	return f, json.Unmarshal(text, &f)
}

func (d dir) writeForge(f Forge) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return d.write(d.forgeFile(), append(text, '\n'))
}

// startForge starts a forge in a directory, with the data of last time, and leaves it running. The one user is created the
// first time.
func startForge(ctx context.Context, d dir, program string) (Forge, error) {
	f, err := d.readForge()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	if f.Process.alive() {
		return f, awaitForge(ctx, f.Address, nil)
	}
	if err := d.create(); err != nil {
		return f, err
	}
	port, err := freePort(f.Address)
	if err != nil {
		return f, err
	}
	f.Address, f.Dir = loopback("http", port), string(d)
	if err := d.write(d.config("app.ini"), giteaConfig(d, giteaFiles(program), port)); err != nil {
		return f, err
	}
	proc, err := launch(part{name: gitea, path: program, args: giteaArgs(d, "web")}, d.log(gitea))
	if err != nil {
		return f, err
	}
	f.Process = proc.id
	if err := awaitForge(ctx, f.Address, proc); err != nil {
		proc.kill()
		return f, err
	}
	if f.Token == "" {
		err = f.addUser(ctx, d, program)
	}
	if err == nil {
		err = d.writeForge(f)
	}
	if err != nil {
		proc.kill()
	}
	return f, err
}

// freePort is that of last time, as addresses may have been handed out, or else another one.
func freePort(old string) (int, error) {
	l, err := net.Listen("tcp", strings.TrimPrefix(old, "http://"))
	if old == "" || err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// giteaArgs are those of a command of gitea for the forge in a directory.
func giteaArgs(d dir, command ...string) []string {
	return append(command, "--config", d.config("app.ini"), "--work-path", d.file(gitea))
}

// giteaConfig turns off what leaves the machine, and what takes time that no test waits for. That gitea may run as root, which
// it refuses by default, harms nobody: it listens on the loopback interface, keeps to its directory, and what it serves is what a
// test gave it.
func giteaConfig(d dir, files string, port int) []byte {
	return fmt.Appendf(nil, `RUN_MODE = prod
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = %t

[server]
PROTOCOL         = http
HTTP_ADDR        = 127.0.0.1
HTTP_PORT        = %d
ROOT_URL         = http://127.0.0.1:%[2]d/
DOMAIN           = 127.0.0.1
STATIC_ROOT_PATH = %s
DISABLE_SSH      = true
OFFLINE_MODE     = true

[database]
DB_TYPE             = sqlite3
PATH                = %s
SQLITE_JOURNAL_MODE = WAL

[security]
INSTALL_LOCK   = true
SECRET_KEY     = %s
INTERNAL_TOKEN = %s
# One round: a password that is sent with each request would take most of its time.
PASSWORD_HASH_ALGO = pbkdf2$1$50

[oauth2]
ENABLED = false

[service]
DISABLE_REGISTRATION = true

[repository]
DEFAULT_BRANCH = main

[actions]
ENABLED = false

[indexer]
ISSUE_INDEXER_TYPE = db

[cron]
ENABLED = false

[cron.update_checker]
ENABLED = false

[session]
PROVIDER = memory

[log]
MODE  = console
LEVEL = Warn
`, os.Getuid() == 0, port, files, d.file(gitea, "gitea.db"), rand.Text(), rand.Text())
}

// awaitForge waits until the forge at an address answers.
func awaitForge(ctx context.Context, address string, proc *process) error {
	for {
		err := answers(ctx, address+"/api/healthz")
		if err == nil {
			return nil
		}
		if proc != nil && !proc.running() {
			return proc.crash()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the forge at %s is not ready: %w", address, err)
		case <-time.After(pollInterval):
		}
	}
}

func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// addUser creates the administrator, with a token.
func (f *Forge) addUser(ctx context.Context, d dir, program string) error {
	f.User, f.Password = "sandbox", rand.Text()
	cmd := exec.CommandContext(ctx, program, giteaArgs(d, "admin", "user", "create", "--admin", "--username", f.User,
		"--password", f.Password, "--email", f.User+"@forge.test", "--access-token", "--access-token-name", "kplan-sandbox",
		"--access-token-scopes", "all")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("creating the user of the forge: %w\n%s", err, out)
	}
	words := strings.Fields(string(out))
	f.Token = words[len(words)-1]
	if len(f.Token) != 40 {
		return fmt.Errorf("creating the user of the forge: no token in what %s says:\n%s", program, out)
	}
	return nil
}
