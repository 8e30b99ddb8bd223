package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// text is an argument. All of them are sent as bytes in binary form, which text has, too.
func text(s string) []byte { return []byte(s) }

// binary is the form of all arguments and results: that of bytes would have twice the size as text.
var binary = []int16{1}

// failoverTime is how long a run that writes asks again, for another server may be about to take the place of its own.
const failoverTime = 30 * time.Second

// often carries out a statement that may be carried out twice: where no answer comes, again.
func (p *Place) often(ctx context.Context, limit time.Duration, sql string, args ...[]byte) (*pgconn.Result, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begun := time.Now()
	for pause, try := 200*time.Millisecond, 1; ; pause, try = min(2*pause, 2*time.Second), try+1 {
		result, err := p.once(limited, limit, sql, args...)
		if err == nil || !p.isWorthAnother(err, try, begun) {
			return result, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-limited.Done():
			return nil, fmt.Errorf("no answer within %v: %w", limit, err)
		case <-time.After(pause):
		}
	}
}

// isWorthAnother reports whether another try may have another answer.
func (p *Place) isWorthAnother(err error, try int, begun time.Time) bool {
	if p.hasWritten() {
		return (isUnsure(err) || isReadOnly(err)) && time.Since(begun) < failoverTime
	}
	return isUnsure(err) && try < tries
}

func (p *Place) hasWritten() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.writes
}

// once carries out a statement: a second time only if the connection was cut before the first was sent.
func (p *Place) once(ctx context.Context, limit time.Duration, sql string, args ...[]byte) (*pgconn.Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	result, err := p.send(ctx, sql, args)
	if err != nil && pgconn.SafeToRetry(err) && ctx.Err() == nil {
		result, err = p.send(ctx, sql, args)
	}
	return result, err
}

func (p *Place) send(ctx context.Context, sql string, args [][]byte) (*pgconn.Result, error) {
	if p.conn == nil || p.conn.IsClosed() {
		conn, err := pgconn.ConnectConfig(ctx, p.config)
		if err != nil {
			return nil, err
		}
		p.conn = conn
	}
	result := p.conn.ExecParams(ctx, sql, args, nil, binary, binary).Read()
	if result.Err != nil && isUnsure(result.Err) || isReadOnly(result.Err) { // another connection may lead to another server
		_ = p.conn.Close(ctx)
		p.conn = nil
	}
	return result, result.Err
}
