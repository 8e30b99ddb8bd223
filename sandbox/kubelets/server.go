package kubelets

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// serve answers what the API server asks a kubelet, for all nodes at one port: the logs of a container, and
// whether all is well.
func serve(ctx context.Context, opts Options, pods *podWorker) error {
	callers := x509.NewCertPool()
	ca, err := os.ReadFile(opts.ClientCAFile)
	if err != nil {
		return err
	}
	callers.AppendCertsFromPEM(ca)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", func(w http.ResponseWriter, r *http.Request) {
		text, err := pods.logs(r.PathValue("namespace"), r.PathValue("pod"), r.PathValue("container"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		io.WriteString(w, text)
	})
	server := &http.Server{
		Addr:      fmt.Sprintf("127.0.0.1:%d", opts.Port),
		Handler:   mux,
		TLSConfig: &tls.Config{ClientCAs: callers, ClientAuth: tls.RequireAndVerifyClientCert},
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.ListenAndServeTLS(opts.CertFile, opts.KeyFile); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
