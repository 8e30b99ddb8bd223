//go:build unix

package s3test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// Front is a server before another one, which answers in its stead.
type Front struct {
	// Faults are asked in turn. The first one that returns true has answered.
	Faults []func(w http.ResponseWriter, r *http.Request) bool
	// TLS has it speak TLS.
	TLS bool
}

// Start starts the front, which ends with the test, and returns its URL. Requests stay as they are, host and signature included.
func (f Front) Start(t testing.TB, to *Server) string {
	t.Helper()
	target, err := url.Parse(to.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, r.In.Host
	}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, fault := range f.Faults {
			if fault(w, r) {
				return
			}
		}
		proxy.ServeHTTP(w, r)
	})
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = nil
	if f.TLS {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// Answers has requests of a method, "" for all, answered with an error of S3.
func Answers(method string, status int, code string, headers ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if method != "" && r.Method != method {
			return false
		}
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>played</Message></Error>", code)
		return true
	}
}

// Sends has requests answered with 200 and a text that is no object.
func Sends(contentType, text string, headers ...string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, text)
		return true
	}
}

// Hangs has requests wait for an answer until they are given up.
func Hangs(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return true
}

// Cuts has connections end without an answer.
func Cuts(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// CutsInTheMiddle has connections end in the middle of an answer.
func CutsInTheMiddle(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Length", "1000")
	w.Header().Set("ETag", `"1"`)
	w.Header().Set("Last-Modified", "Wed, 12 Oct 2022 17:50:00 GMT")
	fmt.Fprint(w, `{"kplan_state_head": 1`)
	panic(http.ErrAbortHandler)
}
