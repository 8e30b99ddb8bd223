package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"kplan.dev/kplan/state/remote"
)

// The SQLSTATEs that something depends on: https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	noSchema = "3F000"
	noTable  = "42P01"
	noColumn = "42703"
	denied   = "42501"
	readOnly = "25006" // a standby, or a role whose transactions only read
)

// unsureCodes begin the codes of what need not have been carried out and may succeed the next time: connections that
// end, transactions that others made fail, a server that starts, stops or has no room.
var unsureCodes = []string{"08", "40", "53", "57", "58", "55P03"}

func codeOf(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}

// isUnsure reports whether there was no answer to a statement, or none that tells what became of it.
func isUnsure(err error) bool {
	if err == nil {
		return false
	}
	code := codeOf(err)
	if code == "" {
		return true
	}
	for _, prefix := range unsureCodes {
		if strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}

func isReadOnly(err error) bool { return codeOf(err) == readOnly }

// isMissing reports whether there are no tables yet.
func isMissing(err error) bool {
	code := codeOf(err)
	return code == noTable || code == noSchema
}

// isMadeByOther reports whether somebody else was creating the same at the same time.
func isMadeByOther(err error) bool {
	switch codeOf(err) {
	case "23505", "42P06", "42P07", "42710", "XX000": // unique_violation of a catalog, duplicate_…, tuple concurrently updated
		return true
	}
	return false
}

// swapError tells what became of a swap.
func (p *Place) swapError(err error) error {
	switch {
	case isReadOnly(err) && p.hasWritten(): // the server that takes its place does
		return fmt.Errorf("%w: %w", remote.ErrUnanswered, p.explain(err))
	case isReadOnly(err), codeOf(err) == denied:
		return fmt.Errorf("%w: %w", remote.ErrReadOnly, p.explain(err))
	case isUnsure(err):
		return fmt.Errorf("%w: %w", remote.ErrUnanswered, err)
	}
	return p.explain(err)
}

// explain adds to an answer of the server what to do.
func (p *Place) explain(err error) error {
	switch code := codeOf(err); {
	case code == denied && !strings.Contains(err.Error(), "GRANT "):
		return fmt.Errorf("%w. The backend needs these rights, of which a run that only reads needs USAGE and SELECT:\n\n%s",
			err, indented(p.grants()))
	case code == noColumn:
		return fmt.Errorf("%w: the tables %s and %s are not those of kplan: give the backend another schema_name", err,
			p.table(heads), p.table(parts))
	case code == "" && err != nil && !errors.As(err, new(*pgconn.ConnectError)) && !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("there was no answer, or none of PostgreSQL: %w", err)
	case code == readOnly:
		return fmt.Errorf("%w: this is a standby, or a role that only reads. Connect to the primary: with target_session_attrs=read-write in "+
			"conn_str kplan finds it among several hosts", err)
	case isMissing(err):
		return fmt.Errorf("%w. The tables of the backend were removed: have them created:\n\n%s", err, p.advice())
	}
	return err
}
