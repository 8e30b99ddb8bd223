//go:build unix

// Package postgrestest starts PostgreSQL servers for tests.
package postgrestest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"kplan.dev/kplan/internal/servertest"
)

// Server is a server with one database, "app".
type Server struct {
	servertest.Server
	Port int
}

// Password is that of all users.
const Password = "correct horse"

// Admin may do everything.
const Admin = "admin"

// Start starts a server for the process of the test.
func Start() (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{}
	if s.Credential, err = ordinaryUser(); err != nil {
		return nil, err
	}
	if s.Dir, err = servertest.MakeDir(s.Credential); err != nil {
		return nil, err
	}
	if s.Port, err = servertest.FreePort(); err != nil {
		return nil, err
	}
	data := filepath.Join(s.Dir, "data")
	if err := s.initialize(bin, data); err != nil {
		return nil, err
	}
	s.Command = s.command(bin, data)
	s.Ready = func() error { return s.runIn("postgres", "SELECT 1") }
	if err := s.Server.Start(); err != nil {
		return nil, err
	}
	return s, s.runIn("postgres", "CREATE DATABASE app")
}

func (s *Server) command(bin, data string) []string {
	return []string{
		filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=" + s.Dir, "-c", "fsync=off", "-c", "max_connections=200",
	}
}

// programs is the directory of the server's programs, which Debian does not have in the path.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "postgres")); err == nil {
				return filepath.Dir(path), nil
			}
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", fmt.Errorf("needs the programs of a PostgreSQL server: apt-get install postgresql")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// ordinaryUser is who the server runs as: it refuses to run as root.
func ordinaryUser() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func (s *Server) initialize(bin, data string) error {
	password := filepath.Join(s.Dir, "password")
	if err := os.WriteFile(password, []byte(Password), 0o644); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", Admin, "-A", "scram-sha-256", "--pwfile", password,
		"-E", "UTF8", "--no-locale", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = s.Dir, &syscall.SysProcAttr{Credential: s.Credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// ConnString is how a user connects to the database app.
func (s *Server) ConnString(user string) string { return s.connString(user, "app") }

func (s *Server) connString(user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, Password), Host: fmt.Sprint("127.0.0.1:", s.Port), Path: database,
		RawQuery: "sslmode=disable"}
	return u.String()
}

// Run carries out statements in the database app.
func (s *Server) Run(sql string) error { return s.runIn("app", sql) }

func (s *Server) runIn(database, sql string) error {
	_, err := s.resultsIn(database, sql)
	return err
}

// Query returns the first value that a query finds in the database app.
func (s *Server) Query(sql string) (string, error) {
	results, err := s.resultsIn("app", sql)
	if err != nil {
		return "", err
	}
	return string(results[0].Rows[0][0]), nil
}

func (s *Server) resultsIn(database, sql string) ([]*pgconn.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, s.connString(Admin, database))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	return conn.Exec(ctx, sql).ReadAll()
}

// StartPooler starts PgBouncer before a server. It gives each transaction a session of the two that it has.
func (s *Server) StartPooler() (*Server, error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		return nil, fmt.Errorf("needs PgBouncer: apt-get install pgbouncer: %w", err)
	}
	p := &Server{Server: servertest.Server{Credential: s.Credential}}
	if p.Dir, err = servertest.MakeDir(s.Credential); err != nil {
		return nil, err
	}
	if p.Port, err = servertest.FreePort(); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{
		"users": fmt.Sprintf("%q %q\n", Admin, Password),
		"settings": fmt.Sprintf(`[databases]
app = host=127.0.0.1 port=%d dbname=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
`, s.Port, p.Port, filepath.Join(p.Dir, "users")),
	} {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	p.Command = []string{program, filepath.Join(p.Dir, "settings")}
	p.Ready = func() error { return p.Run("SELECT 1") }
	return p, p.Server.Start()
}
