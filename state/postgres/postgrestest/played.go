//go:build unix

package postgrestest

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Played plays a server for answers that a real one gives rarely.
type Played struct {
	// OnConnect and OnQuery are the errors that it answers with, nil for going on. OnQuery is for everything that is asked.
	OnConnect, OnQuery *pgproto3.ErrorResponse
	// Certificate has it offer TLS.
	Certificate *tls.Certificate
	// Raw takes over instead: when a client connects, or, with AfterLogin, when it asks the first question.
	Raw        func(net.Conn)
	AfterLogin bool
}

// Error is an error of the server.
func Error(code, message string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: message}
}

// Start starts the server, which ends with the test, and returns where it listens.
func (p Played) Start(t testing.TB) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = p.serve(conn)
			}()
		}
	}()
	return l.Addr().String()
}

func (p Played) serve(conn net.Conn) error {
	if p.Raw != nil && !p.AfterLogin {
		p.Raw(conn)
		return nil
	}
	b := pgproto3.NewBackend(conn, conn)
	for started := false; !started; {
		first, err := b.ReceiveStartupMessage()
		if err != nil {
			return err
		}
		switch first.(type) {
		case *pgproto3.SSLRequest:
			if conn, b, err = p.encrypt(conn, b); err != nil {
				return err
			}
		case *pgproto3.StartupMessage:
			started = true
		}
	}
	if p.OnConnect != nil {
		b.Send(p.OnConnect)
		return b.Flush()
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
	if err := b.Flush(); err != nil {
		return err
	}
	return p.answer(conn, b)
}

// encrypt answers the question whether the server speaks TLS.
func (p Played) encrypt(conn net.Conn, b *pgproto3.Backend) (net.Conn, *pgproto3.Backend, error) {
	if p.Certificate == nil {
		_, err := conn.Write([]byte("N"))
		return conn, b, err
	}
	if _, err := conn.Write([]byte("S")); err != nil {
		return conn, b, err
	}
	secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*p.Certificate}, MinVersion: tls.VersionTLS12})
	return secure, pgproto3.NewBackend(secure, secure), nil
}

func (p Played) answer(conn net.Conn, b *pgproto3.Backend) error {
	for {
		message, err := b.Receive()
		if err != nil {
			return err
		}
		if p.Raw != nil {
			p.Raw(conn)
			return nil
		}
		if _, ends := message.(*pgproto3.Sync); !ends {
			continue
		}
		b.Send(p.OnQuery)
		b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := b.Flush(); err != nil {
			return err
		}
	}
}
