// Package postgres keeps states in a PostgreSQL database: of each stack the head as a row that is updated where it
// still has the version that the run knows, and the parts as rows beside it.
//
// Each request is one statement, which is a transaction of its own, without a prepared statement, a setting or a lock
// of the session: so it works behind a pooler that gives every transaction another session.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
)

// Settings are where a state is.
type Settings struct {
	// ConnString is a URL or a list of keywords, as libpq takes it. What it leaves out, or all of it, comes from the
	// environment: PGHOST, PGUSER, PGPASSWORD, PGSERVICE and so on, and the password file.
	ConnString string
	Schema     string // by default kplan
	Name       string // of the state
}

// DefaultSchema is the schema that has the tables.
const DefaultSchema = "kplan"

const (
	connectTime = 10 * time.Second
	// partTime is how long it may take to store or read a part, and headTime a head.
	partTime = 5 * time.Minute
	headTime = 20 * time.Second
	// tries are how often requests are sent that may be carried out twice.
	tries = 5
	// maxPart bounds what the server holds in memory for a row. A value can have 1 GiB.
	maxPart = 8 << 20
)

// Place is a remote.Place in a schema.
type Place struct {
	config       *pgconn.Config
	schema, name string

	mu   sync.Mutex // one request at a time
	conn *pgconn.PgConn
	// writes is set by the first swap. From then on a server that only reads is one that is about to be replaced.
	writes bool
}

// At is where the state of that name is kept. Nothing is asked yet.
func At(s Settings) (*Place, error) {
	config, err := pgconn.ParseConfig(s.ConnString)
	if err != nil {
		return nil, unreadable(err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "kplan"
	}
	p := &Place{config: config, schema: s.Schema, name: s.Name}
	if p.schema == "" {
		p.schema = DefaultSchema
	}
	return p, nil
}

// unreadable is the error of a connection string, without the string, which has a password, and what it is quoted in.
func unreadable(err error) error {
	text := "conn_str, together with the environment (PGHOST, PGSSLMODE and so on), is no connection string of PostgreSQL: it is a URL, " +
		"postgres://user@host:5432/database?sslmode=verify-full, or a list, host=… dbname=… user=…"
	var file *fs.PathError
	if errors.As(err, &file) {
		return fmt.Errorf("%s; %w", text, file)
	}
	return errors.New(text)
}

// String names the host, the database, the schema and the state: "postgres://db.example:5432/app/kplan/shop". It is not
// the connection string, and has neither user nor password.
func (p *Place) String() string {
	at := ""
	if !strings.HasPrefix(p.config.Host, "/") { // else it is a socket
		at = net.JoinHostPort(p.config.Host, strconv.Itoa(int(p.config.Port)))
	}
	return "postgres://" + path.Join(at+"/", p.config.Database, p.schema, p.name)
}

// MaxPart is what is stored in one row.
func (*Place) MaxPart() int { return maxPart }

// Head reads the row of the head.
func (p *Place) Head(ctx context.Context) ([]byte, string, error) {
	row, err := p.row(ctx, headTime, "SELECT head, version FROM "+p.table(heads)+" WHERE name = $1", text(p.name))
	if err != nil {
		return nil, "", err
	}
	return row[0], string(row[1]), nil
}

// Swap inserts the row of the head, or updates the one of that version.
func (p *Place) Swap(ctx context.Context, head []byte, version string) (string, error) {
	next := uuid.NewString() // not a number: one that is removed and made again would have the same
	sql := "UPDATE " + p.table(heads) + " SET head = $1, version = $2 WHERE name = $3 AND version = $4"
	args := [][]byte{head, text(next), text(p.name), text(version)}
	if version == "" {
		sql = "INSERT INTO " + p.table(heads) + " (head, version, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
		args = args[:3]
	}
	result, err := p.once(ctx, headTime, sql, args...)
	if isMissing(err) && version == "" {
		if err = p.create(ctx); err == nil {
			result, err = p.once(ctx, headTime, sql, args...)
		}
	}
	switch {
	case err != nil:
		return "", p.swapError(err)
	case result.CommandTag.RowsAffected() == 0:
		return "", remote.ErrChanged
	}
	p.mu.Lock()
	p.writes = true
	p.mu.Unlock()
	return next, nil
}

// Put inserts the row of a part.
func (p *Place) Put(ctx context.Context, name string, part []byte) error {
	_, err := p.often(ctx, partTime, "INSERT INTO "+p.table(parts)+" (state, part, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		text(p.name), text(name), part)
	return p.explain(err)
}

// Get reads the row of a part.
func (p *Place) Get(ctx context.Context, name string) ([]byte, error) {
	row, err := p.row(ctx, partTime, "SELECT content FROM "+p.table(parts)+" WHERE state = $1 AND part = $2", text(p.name), text(name))
	if err != nil {
		return nil, err
	}
	return row[0], nil
}

// List lists the parts' rows.
func (p *Place) List(ctx context.Context) ([]string, error) {
	result, err := p.often(ctx, headTime, "SELECT part FROM "+p.table(parts)+" WHERE state = $1", text(p.name))
	if err != nil {
		return nil, p.explain(err)
	}
	var names []string
	for _, row := range result.Rows {
		names = append(names, string(row[0]))
	}
	return names, nil
}

// Delete deletes the row of a part.
func (p *Place) Delete(ctx context.Context, name string) error {
	_, err := p.often(ctx, headTime, "DELETE FROM "+p.table(parts)+" WHERE state = $1 AND part = $2", text(p.name), text(name))
	return p.explain(err)
}

// row is the only row that a query finds, or else state.ErrNotExist.
func (p *Place) row(ctx context.Context, limit time.Duration, sql string, args ...[]byte) ([][]byte, error) {
	result, err := p.often(ctx, limit, sql, args...)
	switch {
	case isMissing(err):
		return nil, state.ErrNotExist
	case err != nil:
		return nil, p.explain(err)
	case len(result.Rows) == 0:
		return nil, state.ErrNotExist
	}
	return result.Rows[0], nil
}

var _ remote.Place = (*Place)(nil)
