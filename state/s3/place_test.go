//go:build unix

package s3_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"kplan.dev/kplan/internal/servertest"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/remote/remotetest"
	"kplan.dev/kplan/state/s3"
	"kplan.dev/kplan/state/s3/s3test"
)

// server is that of all tests that do not stop it.
var server = servertest.Shared(s3test.Start)

var buckets atomic.Int32

// bucket makes a bucket for a test.
func bucket(t testing.TB, of *s3test.Server) string {
	t.Helper()
	name := fmt.Sprint("states-", buckets.Add(1))
	if err := of.MakeBucket(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// at opens a state as a user.
func at(t testing.TB, of *s3test.Server, user, bucket, key string) *s3.Place {
	t.Helper()
	p, err := s3.At(s3.Settings{Bucket: bucket, Key: key, Endpoint: of.Endpoint, AccessKey: user, SecretKey: s3test.Secret})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// places opens states in a bucket.
func places(of *s3test.Server, bucket string) func(t *testing.T) (one, other remote.Place) {
	return remotetest.Pairs(func(t testing.TB, name string, _ int) remote.Place {
		return at(t, of, s3test.AdminKey, bucket, "tenants/"+name+".json")
	})
}

func TestMain(m *testing.M) { remotetest.Main(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	s := server(t)
	open := places(s, bucket(t, s))
	remotetest.Stores(t, open)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	s := server(t)
	remotetest.Run(t, places(s, bucket(t, s)))
}

// TestVersionedBucket: a bucket that keeps the versions of objects is no other place.
func TestVersionedBucket(t *testing.T) {
	t.Parallel()
	s := server(t)
	name := bucket(t, s)
	s.KeepVersions(t, name)
	open := places(s, name)
	remotetest.Stores(t, open)
}

func TestLinearizable(t *testing.T) {
	t.Parallel()
	s := server(t)
	remotetest.Linearizable(t, places(s, bucket(t, s)))
}

// policy is that of docs/backend-s3.md, for two users.
const policy = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": ["writer", "reader"]}, "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::BUCKET"},
    {"Effect": "Allow", "Principal": {"AWS": ["writer", "reader"]}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/shop.json*"},
    {"Effect": "Allow", "Principal": {"AWS": "writer"}, "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::BUCKET/shop.json*"}
  ]
}`

// TestRights: a user needs what docs/backend-s3.md says.
func TestRights(t *testing.T) {
	s := server(t)
	name := bucket(t, s)
	for _, user := range []string{"writer", "reader"} {
		s.User(t, user)
	}
	s.Policy(t, name, strings.ReplaceAll(policy, "BUCKET", name))
	const key = "shop.json"
	remotetest.Rights(t, at(t, s, s3test.AdminKey, name, key), at(t, s, "writer", name, key), at(t, s, "reader", name, key), "s3:PutObject")
}

// TestLostAnswers: the connection is cut after the server has done what it was asked for.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := server(t)
	name := bucket(t, s)
	relay := servertest.NewRelay(t, strings.TrimPrefix(s.Endpoint, "http://"))
	through, err := s3.At(s3.Settings{
		Bucket: name, Key: "shop.json", Endpoint: "http://" + relay.Addr, AccessKey: s3test.AdminKey, SecretKey: s3test.Secret})
	if err != nil {
		t.Fatal(err)
	}
	remotetest.Relayed(t, through, at(t, s, s3test.AdminKey, name, "shop.json"), relay)
}

// TestOutages: the server is killed and started again.
func TestOutages(t *testing.T) {
	t.Parallel()
	s, err := s3test.Start()
	if err != nil {
		servertest.Missing(t, err)
	}
	remotetest.Outages(t, places(s, bucket(t, s)), func() error { return s.Stop("KILL") }, s.Server.Start)
}

// BenchmarkLoad reads a state of 10,000 objects, and BenchmarkSave writes one.
func BenchmarkLoad(b *testing.B) { remotetest.Load(b, place(b)) }
func BenchmarkSave(b *testing.B) { remotetest.Save(b, place(b)) }

func place(b *testing.B) remote.Place {
	s := server(b)
	return at(b, s, s3test.AdminKey, bucket(b, s), "large.json")
}
