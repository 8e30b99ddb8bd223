//go:build unix

package servertest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Relay hands on what clients and a server send each other, until it is told to lose the server's answers: then a
// connection is cut when the next answer comes, which the client does not get.
type Relay struct {
	// Addr is where clients connect to.
	Addr string
	to   string

	mu   sync.Mutex
	lose int // how many answers
	lost int
}

// NewRelay starts a relay to a server, which ends with the test.
func NewRelay(t testing.TB, to string) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	r := &Relay{Addr: l.Addr().String(), to: to}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

// Lose has the relay lose the next n answers.
func (r *Relay) Lose(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lose = n
}

// Lost is how many it has lost.
func (r *Relay) Lost() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

func (r *Relay) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer server.Close()
		_, _ = io.Copy(server, client)
	}()
	answer := make([]byte, 32<<10)
	for {
		n, err := server.Read(answer)
		if err != nil || r.loses() {
			return
		}
		if _, err := client.Write(answer[:n]); err != nil {
			return
		}
	}
}

func (r *Relay) loses() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lose == 0 {
		return false
	}
	r.lose--
	r.lost++
	return true
}
