//go:build unix

package s3_test

import (
	"net/http"
	"strings"
	"testing"

	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/remote/remotetest"
	"kplan.dev/kplan/state/s3"
	"kplan.dev/kplan/state/s3/s3test"
)

// secret is one that no message may have.
const secret = "s3cr3t-canary"

// TestMessages: for each thing that a server does wrong there is a message, which the documentation has.
func TestMessages(t *testing.T) {
	for _, name := range []string{"AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	s := server(t)
	name := bucket(t, s)
	s.User(t, "stranger")
	with := func(change func(*s3.Settings)) func(t *testing.T) remote.Place {
		return func(t *testing.T) remote.Place {
			settings := s3.Settings{Bucket: name, Key: "messages.json", Endpoint: s.Endpoint, AccessKey: s3test.AdminKey,
				SecretKey: s3test.Secret}
			change(&settings)
			p, err := s3.At(settings)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
	}
	front := func(f s3test.Front) func(t *testing.T) remote.Place {
		return func(t *testing.T) remote.Place {
			at := f.Start(t, s)
			return with(func(s *s3.Settings) { s.Endpoint = at })(t)
		}
	}
	behind := func(faults ...func(http.ResponseWriter, *http.Request) bool) func(t *testing.T) remote.Place {
		return front(s3test.Front{Faults: faults})
	}
	reads, locks, writes := remotetest.Reads, remotetest.Locks, remotetest.Writes
	cases := []remotetest.Message{
		{Name: "no bucket", Place: with(func(s *s3.Settings) { s.Bucket = "nowhere" }), Does: reads, Want: "of the backend does not exist"},
		{Name: "no credentials", Place: with(func(s *s3.Settings) { s.AccessKey, s.SecretKey = "", "" }), Does: reads,
			Want: "no credentials for the bucket were found"},
		{Name: "a wrong secret", Place: with(func(s *s3.Settings) { s.SecretKey = secret }), Does: reads,
			Want: "the server does not accept the credentials"},
		{Name: "a key that nobody has", Place: with(func(s *s3.Settings) { s.AccessKey = "nobody" }), Does: locks,
			Want: "the server does not accept the credentials"},
		{Name: "an expired token", Place: behind(s3test.Answers("", 400, "ExpiredToken")), Does: writes,
			Want: "the server does not accept the credentials"},
		{Name: "a clock that is wrong", Place: behind(s3test.Answers("", 403, "RequestTimeTooSkewed")), Does: reads,
			Want: "the clock of this machine is not that of the server"},
		{Name: "no rights", Place: with(func(s *s3.Settings) { s.AccessKey = "stranger" }), Does: reads,
			Want: "The backend needs the rights"},
		{Name: "no right to write", Place: behind(s3test.Answers("PUT", 403, "AccessDenied")), Does: locks,
			Want: "The backend needs the rights"},
		{Name: "another region", Place: behind(s3test.Answers("", 301, "PermanentRedirect", "x-amz-bucket-region", "eu-north-1")), Does: reads,
			Want: "is in the region"},
		{Name: "broken", Place: behind(s3test.Answers("", 500, "InternalError")), Does: reads, Want: "(InternalError)"},
		{Name: "overloaded", Place: behind(s3test.Answers("PUT", 503, "SlowDown")), Does: locks, Want: "there was no answer"},
		{Name: "a full disk", Place: behind(s3test.Answers("PUT", 507, "XMinioStorageFull")), Does: writes, Want: "there was no answer"},
		{Name: "a write in doubt", Place: behind(s3test.Answers("PUT", 409, "ConditionalRequestConflict")), Does: locks,
			Want: "there was no answer"},
		{Name: "archived", Place: behind(s3test.Answers("GET", 403, "InvalidObjectState")), Does: reads, Want: "The object was archived"},
		{Name: "no conditions", Place: behind(s3test.Answers("PUT", 501, "NotImplemented")), Does: locks,
			Want: "can't write under conditions"},
		{Name: "a login page", Place: behind(s3test.Sends("text/html", "<!DOCTYPE html><form>password</form>")), Does: reads,
			Want: "what answers is no server of S3"},
		{Name: "no ETag", Place: behind(s3test.Sends("application/json", "{}", "Last-Modified", "Wed, 12 Oct 2022 17:50:00 GMT")), Does: reads,
			Want: "the server sends no ETag"},
		{Name: "hanging", Place: behind(s3test.Hangs), Does: reads, Want: "the server does not answer"},
		{Name: "hanging when it is locked", Place: behind(s3test.Hangs), Does: locks, Want: "the server does not answer"},
		{Name: "cut off", Place: behind(s3test.Cuts), Does: reads, Want: "there was no answer"},
		{Name: "cut off in the middle", Place: behind(s3test.CutsInTheMiddle), Does: reads, Want: "there was no answer"},
		{Name: "nobody listens", Place: with(func(s *s3.Settings) { s.Endpoint = "http://127.0.0.1:1" }), Does: reads,
			Want: "connection refused"},
		{Name: "no such host", Place: with(func(s *s3.Settings) { s.Endpoint = "http://nowhere.invalid" }), Does: reads,
			Want: "no such host"},
		{Name: "an unknown authority", Place: front(s3test.Front{TLS: true}), Does: reads, Want: "failed to verify certificate"},
		{Name: "no TLS", Place: with(func(set *s3.Settings) { set.Endpoint = strings.Replace(s.Endpoint, "http:", "https:", 1) }), Does: reads,
			Want: "server gave HTTP response to HTTPS client"},
	}
	for i := range cases {
		cases[i].Secrets = []string{secret, s3test.Secret}
	}
	remotetest.Messages(t, "../../docs/backend-s3.md", places(s, name), cases, "The state is in another file",
		"the server does not heed the header If-Match") // TestServersWithoutConditions
}
