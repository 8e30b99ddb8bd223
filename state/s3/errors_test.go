package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"

	"kplan.dev/kplan/state/remote"
)

// TestSwapErrors: what became of a swap, by what the server answered.
func TestSwapErrors(t *testing.T) {
	p := &Place{bucket: "states", key: "shop.json"}
	plain := errors.New("neither") // of the kinds below
	for _, test := range []struct {
		err  error
		want error
		says string
	}{
		{minio.ErrorResponse{StatusCode: 412, Code: "PreconditionFailed"}, remote.ErrChanged, ""},
		{minio.ErrorResponse{StatusCode: 404, Code: "NoSuchKey"}, remote.ErrChanged, ""},
		{minio.ErrorResponse{StatusCode: 409, Code: "ConditionalRequestConflict"}, remote.ErrUnanswered, ""},
		{minio.ErrorResponse{StatusCode: 409, Code: "OperationAborted"}, remote.ErrUnanswered, ""},
		{minio.ErrorResponse{StatusCode: 500, Code: "InternalError"}, remote.ErrUnanswered, "InternalError"},
		{minio.ErrorResponse{StatusCode: 503, Code: "SlowDown"}, remote.ErrUnanswered, ""},
		{minio.ErrorResponse{StatusCode: 408, Code: "RequestTimeout"}, remote.ErrUnanswered, ""},
		{minio.ErrorResponse{StatusCode: 429, Code: "TooManyRequests"}, remote.ErrUnanswered, ""},
		{&net.OpError{Op: "read", Err: io.ErrUnexpectedEOF}, remote.ErrUnanswered, ""},
		{context.DeadlineExceeded, remote.ErrUnanswered, ""},
		{minio.ErrorResponse{StatusCode: 403, Code: "AccessDenied"}, remote.ErrReadOnly, "s3:PutObject"},
		{minio.ErrorResponse{StatusCode: 403, Code: "SignatureDoesNotMatch"}, plain, "does not accept the credentials"},
		{minio.ErrorResponse{StatusCode: 403, Code: "InvalidAccessKeyId"}, plain, "does not accept the credentials"},
		{minio.ErrorResponse{StatusCode: 404, Code: "NoSuchBucket"}, plain, "the bucket states of the backend does not exist"},
		{minio.ErrorResponse{StatusCode: 301, Code: "PermanentRedirect", Region: "eu-north-1"}, plain, "is in the region eu-north-1"},
		{minio.ErrorResponse{StatusCode: 501, Code: "NotImplemented"}, plain, "can't write under conditions"},
		{fmt.Errorf("%w: none", errNoCredentials), plain, "no credentials"},
	} {
		got := p.swapError(test.err)
		for _, kind := range []error{remote.ErrChanged, remote.ErrUnanswered, remote.ErrReadOnly} {
			if errors.Is(got, kind) != (test.want == kind) {
				t.Errorf("%#v: %v, want %v", test.err, got, test.want)
			}
		}
		if !strings.Contains(got.Error(), test.says) {
			t.Errorf("%#v: %v, which does not say %q", test.err, got, test.says)
		}
	}
}

// old plays a server that knows nothing of some conditions, as those before 2024. There is none to be had any more.
type old struct {
	ignores []string
	status  int // of requests with them, 200 for writing nevertheless

	mu      sync.Mutex
	objects map[string]string
}

func (o *old) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	object, exists := o.objects[r.URL.Path]
	fail := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
	}
	if r.Method != http.MethodPut {
		if !exists {
			fail(http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Wed, 12 Oct 2022 17:50:00 GMT")
		fmt.Fprint(w, object)
		return
	}
	for _, header := range []string{"If-Match", "If-None-Match"} {
		wanted := r.Header.Get(header)
		switch {
		case wanted == "":
		case strings.Contains(strings.Join(o.ignores, " ")+" ", header+" "):
			if o.status != http.StatusOK {
				fail(o.status, "NotImplemented")
				return
			}
		case header == "If-Match" && wanted != `"1"`, header == "If-None-Match" && exists:
			fail(http.StatusPreconditionFailed, "PreconditionFailed")
			return
		}
	}
	body, _ := io.ReadAll(r.Body)
	o.objects[r.URL.Path] = string(body)
	w.Header().Set("ETag", `"1"`)
}

// TestServersWithoutConditions: a server that would let two runs lock one state is found, and the state is not touched.
func TestServersWithoutConditions(t *testing.T) {
	for _, test := range []struct {
		ignores string
		status  int
		version string // of the head that is swapped
		says    string
	}{
		{"If-Match", http.StatusOK, "1", "does not heed the header If-Match"},
		{"If-Match", http.StatusOK, "", "does not heed the header If-Match"},
		{"If-None-Match", http.StatusOK, "", "does not heed the header If-None-Match"},
		{"If-None-Match", http.StatusOK, "1", ""}, // which is not needed then
		{"If-Match If-None-Match", http.StatusNotImplemented, "1", "can't write under conditions"},
		{"", http.StatusOK, "1", ""},
		{"", http.StatusOK, "", ""},
	} {
		name := fmt.Sprintf("%s %d %q", test.ignores, test.status, test.version)
		server := &old{ignores: strings.Fields(test.ignores), status: test.status, objects: map[string]string{}}
		if test.version != "" {
			server.objects["/states/shop.json"] = "before"
		}
		listening := httptest.NewServer(server)
		p, err := At(Settings{Bucket: "states", Key: "shop.json", Endpoint: listening.URL, AccessKey: "id", SecretKey: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Swap(t.Context(), []byte("after"), test.version)
		head := server.objects["/states/shop.json"]
		listening.Close()
		switch {
		case test.says == "" && (err != nil || head != "after"):
			t.Errorf("%s: %v, and %q is stored", name, err, head)
		case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: %v, which does not say %q", name, err, test.says)
		case test.says != "" && head == "after":
			t.Errorf("%s: the head was written", name)
		}
	}
}

// TestSettings: what is wrong with settings is said without what may be secret in them.
func TestSettings(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		t.Setenv(name, "")
	}
	for _, test := range []struct {
		settings Settings
		variable string // an environment variable with its value
		want     string // the host, or the error
	}{
		{Settings{}, "", "the region of the bucket is not known"},
		{Settings{}, "AWS_REGION=eu-north-1", "https://s3.amazonaws.com"}, // requests go to that of the region
		{Settings{Region: "eu-north-1"}, "", "https://s3.amazonaws.com"},
		{Settings{Endpoint: "https://s3.example.com:9000/"}, "", "https://s3.example.com:9000"},
		{Settings{}, "AWS_ENDPOINT_URL=http://127.0.0.1:9000", "http://127.0.0.1:9000"},
		{Settings{Endpoint: "https://me:hunter2@s3.example.com"}, "", "is no URL of a server"},
		{Settings{}, "AWS_ENDPOINT_URL_S3=s3.example.com?hunter2", "is no URL of a server"},
		{Settings{Endpoint: "https://s3.example.com/hunter2"}, "", "is no URL of a server"},
	} {
		name, value, _ := strings.Cut(test.variable, "=")
		if name != "" {
			t.Setenv(name, value)
		}
		p, err := At(test.settings)
		switch {
		case err == nil && p.client.EndpointURL().String() != test.want:
			t.Errorf("%+v, %s: %s, want %s", test.settings, test.variable, p.client.EndpointURL(), test.want)
		case err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%+v, %s: %v, want %s", test.settings, test.variable, err, test.want)
		}
		if name != "" {
			t.Setenv(name, "")
		}
	}
}

// TestCredentials: where they come from, and that no program is run for them and nothing of a file is quoted.
func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	ran := filepath.Join(dir, "ran")
	program := "credential_process = touch " + ran + "\n"
	for _, test := range []struct {
		name, config, shared string
		env                  map[string]string
		settings             Settings
		want                 string // the access key
		says                 string // if there is none
	}{
		{name: "none", says: "set AWS_ACCESS_KEY_ID"},
		{name: "settings", settings: Settings{AccessKey: "a", SecretKey: "s"}, env: map[string]string{"AWS_ACCESS_KEY_ID": "b",
			"AWS_SECRET_ACCESS_KEY": "s"}, want: "a"},
		{name: "environment", shared: "[default]\naws_access_key_id = c\naws_secret_access_key = s\n",
			env: map[string]string{"AWS_ACCESS_KEY_ID": "b", "AWS_SECRET_ACCESS_KEY": "s"}, want: "b"},
		{name: "default profile", shared: "[default]\naws_access_key_id = c\naws_secret_access_key = s\n", want: "c"},
		{name: "profile of the environment", shared: "[x]\naws_access_key_id = d\naws_secret_access_key = s\n",
			env: map[string]string{"AWS_PROFILE": "x"}, want: "d"},
		{name: "profile of the settings", config: "[profile x]\naws_access_key_id = e\naws_secret_access_key = s\n",
			env:      map[string]string{"AWS_ACCESS_KEY_ID": "b", "AWS_SECRET_ACCESS_KEY": "s"},
			settings: Settings{Profile: "x"}, want: "e"},
		{name: "no such profile", shared: "[y]\n", settings: Settings{Profile: "x"}, says: "no credentials"},
		{name: "a profile with a role", config: "[profile x]\nrole_arn = r\nsource_profile = y\n", settings: Settings{Profile: "x"},
			says: "does not follow role_arn"},
		{name: "a program", config: "[default]\n" + program, says: "kplan runs none"},
		{name: "a program in the other file", shared: "[default]\n" + program, says: "kplan runs none"},
		{name: "a program of a named profile", config: "[profile x]\n" + program, settings: Settings{Profile: "x"}, says: "kplan runs none"},
		{name: "a program that is inherited", config: "[profile a]\n" + program + "[profile a.b]\nregion = r\n",
			settings: Settings{Profile: "a.b"}, says: "kplan runs none"},
		{name: "a program with half a key", config: "[default]\n" + program, shared: "[default]\naws_access_key_id = c\n",
			says: "kplan runs none"},
		{name: "keys before a program", config: "[default]\n" + program,
			shared: "[default]\naws_access_key_id = c\naws_secret_access_key = s\n", want: "c"},
		{name: "a file with a mistake", shared: "[default]\naws_secret_access_key hunter2\n", says: "has not the form of AWS's shared files"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_PROFILE"} {
				t.Setenv(name, test.env[name])
			}
			for variable, text := range map[string]string{"AWS_CONFIG_FILE": test.config, "AWS_SHARED_CREDENTIALS_FILE": test.shared} {
				path := filepath.Join(t.TempDir(), "shared")
				t.Setenv(variable, path)
				if text != "" {
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			value, err := test.settings.credentials().GetWithContext(nil)
			switch {
			case test.says == "" && (err != nil || value.AccessKeyID != test.want):
				t.Errorf("%q, %v, want %q", value.AccessKeyID, err, test.want)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("%q, %v, which does not say %q", value.AccessKeyID, err, test.says)
			}
			if _, err := os.Stat(ran); err == nil {
				t.Error("the program was run")
			}
		})
	}
}
