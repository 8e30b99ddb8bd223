package main

import (
	"log/slog"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/ui"
	"kplan.dev/kplan/kinds"
)

// session is what the commands share.
type session struct {
	ui  *ui.Streams
	env func(string) string
	// started is the directory that kplan was started in, and chdir what -chdir
	// says.
	started, chdir string
	// automation reports whether another program calls kplan, which needs no hint
	// what to type next.
	automation bool
	quoted     quoted
	signals    *signals // nil: nobody watches
	// log is what KPLAN_LOG asks for, and logTo where it goes, nil for nowhere.
	log   *slog.Logger
	logTo *logWriter
}

func newSession() *session {
	s := &session{
		ui:         ui.Std(versionText()),
		env:        os.Getenv,
		log:        log.Or(nil),
		automation: os.Getenv("KPLAN_IN_AUTOMATION") != "",
		quoted:     quoted{lists: map[string]*hcl.File{}, kinds: kinds.Builtin()},
	}
	s.ui.SourcesOf = s.quoted.sources
	if dir, err := os.Getwd(); err == nil {
		s.started = dir
	}
	return s
}

// quoted is what diagnostics quote from. kinds knows which fields are secret: the
// built-in ones, until there is a cluster to ask.
type quoted struct {
	config *config.Config
	lists  map[string]*hcl.File // files of addresses
	kinds  config.Kinds
}

// sources are the files that these diagnostics quote.
func (q *quoted) sources(diags hcl.Diagnostics) render.Sources {
	if q.config == nil || !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return d.Subject != nil }) {
		return render.Sources{Open: q.lists}
	}
	return render.Sources{Files: q.config.Files, Open: q.lists, Secrets: q.config.Secrets(q.kinds)}
}
