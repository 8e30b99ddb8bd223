package postgres

import (
	"context"
	"fmt"
	"strings"
)

// The tables of the schema.
const (
	heads = "state_heads"
	parts = "state_parts"
)

// table is a table's name, quoted and with the schema.
func (p *Place) table(name string) string { return quoted(p.schema) + "." + name }

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// tables are the statements that create what a place needs, that of the heads last: where it is, all is.
func (p *Place) tables() []string {
	return []string{
		"CREATE TABLE IF NOT EXISTS " + p.table(parts) +
			" (state text, part text, content bytea NOT NULL, PRIMARY KEY (state, part))",
		"CREATE TABLE IF NOT EXISTS " + p.table(heads) +
			" (name text PRIMARY KEY, version text NOT NULL, head bytea NOT NULL)",
	}
}

func (p *Place) schemaStatement() string { return "CREATE SCHEMA IF NOT EXISTS " + quoted(p.schema) }

// create creates the tables, and the schema if there is none: to try that needs rights that a user may lack who has the
// schema.
func (p *Place) create(ctx context.Context) error {
	err := p.carryOut(ctx, p.tables()...)
	if codeOf(err) == noSchema {
		err = p.carryOut(ctx, append([]string{p.schemaStatement()}, p.tables()...)...)
	}
	if codeOf(err) == denied {
		return fmt.Errorf("%w. The tables of the backend do not exist, and this user may not create them. Have them created:\n\n%s",
			err, p.advice())
	}
	return err
}

// carryOut carries out statements with IF NOT EXISTS, which do not see what somebody else is just creating: then again.
func (p *Place) carryOut(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		_, err := p.often(ctx, headTime, sql)
		for try := 1; try < tries && isMadeByOther(err); try++ {
			_, err = p.often(ctx, headTime, sql)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// advice is what an administrator runs.
func (p *Place) advice() string {
	return indented(append(append([]string{p.schemaStatement()}, p.tables()...), p.grants()...))
}

// grants are the rights that a run needs which applies.
func (p *Place) grants() []string {
	to := " TO " + quoted(p.config.User)
	return []string{
		"GRANT USAGE ON SCHEMA " + quoted(p.schema) + to,
		"GRANT SELECT, INSERT, UPDATE ON " + p.table(heads) + to,
		"GRANT SELECT, INSERT, DELETE ON " + p.table(parts) + to,
	}
}

func indented(statements []string) string { return "  " + strings.Join(statements, ";\n  ") + ";" }
