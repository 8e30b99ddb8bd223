//go:build unix

// Package s3test starts S3 servers for tests: versitygw, which kplan-sandbox builds.
package s3test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kplan.dev/kplan/internal/servertest"
)

// Server is a server of S3.
type Server struct {
	servertest.Server
	// Endpoint is its URL.
	Endpoint string
	program  string
	client   *minio.Client // of the administrator
}

// AdminKey is the access key of the administrator. Everybody's secret key is Secret.
const (
	AdminKey = "admin"
	Secret   = "correct-horse"
)

// Start starts a server for the process of the test.
func Start() (*Server, error) {
	program, err := exec.LookPath("versitygw")
	if err != nil {
		return nil, fmt.Errorf("needs versitygw, a server of S3: make sandbox, and bin/sandbox in PATH: %w", err)
	}
	s := &Server{program: program}
	if s.Dir, err = servertest.MakeDir(nil); err != nil {
		return nil, err
	}
	port, err := servertest.FreePort()
	if err != nil {
		return nil, err
	}
	address := fmt.Sprint("127.0.0.1:", port)
	s.Endpoint = "http://" + address
	for _, name := range []string{"buckets", "users", "versions"} {
		if err := os.Mkdir(filepath.Join(s.Dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	s.Command = []string{
		program, "--port", address, "--access", AdminKey, "--secret", Secret, "--iam-dir", filepath.Join(s.Dir, "users"), "--quiet",
		"posix", "--versioning-dir", filepath.Join(s.Dir, "versions"), filepath.Join(s.Dir, "buckets"),
	}
	s.Ready = func() error {
		answer, err := http.Get(s.Endpoint)
		if err == nil {
			answer.Body.Close()
		}
		return err
	}
	s.client, err = minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(AdminKey, Secret, ""), Region: "us-east-1"})
	if err != nil {
		return nil, err
	}
	return s, s.Server.Start()
}

// MakeBucket makes a bucket.
func (s *Server) MakeBucket(name string) error {
	return s.client.MakeBucket(context.Background(), name, minio.MakeBucketOptions{})
}

// KeepVersions makes a bucket keep the versions of its objects.
func (s *Server) KeepVersions(t testing.TB, bucket string) {
	t.Helper()
	if err := s.client.EnableVersioning(context.Background(), bucket); err != nil {
		t.Fatal(err)
	}
}

// User makes a user, who has no rights.
func (s *Server) User(t testing.TB, name string) {
	t.Helper()
	out, err := exec.Command(s.program, "admin", "--access", AdminKey, "--secret", Secret, "--endpoint-url", s.Endpoint,
		"create-user", "--access", name, "--secret", Secret, "--role", "user").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Policy sets the policy of a bucket.
func (s *Server) Policy(t testing.TB, bucket, policy string) {
	t.Helper()
	if err := s.client.SetBucketPolicy(context.Background(), bucket, policy); err != nil {
		t.Fatal(err)
	}
}
