package main

import (
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/kinds"
)

// session is what commands share: where they read and write, and how.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string
	// input says whether questions may be asked at all, and terminal whether
	// someone sits there to answer them.
	input, terminal bool
	// started is the folder kplan was started in, and chdir what -chdir said.
	started, chdir string
	// running is the command that was called.
	running *command
	// colour and errColour say whether standard output and standard error can
	// show colour, noColor that they shall not. width is the terminal's, 0 where
	// there is none.
	colour, errColour, noColor bool
	width                      int
	// region shows what is under way, nil where no terminal can.
	region *render.Region
	view   viewOptions
	// wantsEvents says that the command line asks for events, as far as it could
	// be read.
	wantsEvents bool
	// events is where everything is told in JSON, nil where it is shown as text,
	// and record where it is told in JSON besides, nil for nowhere. Several
	// goroutines may have something to say: they hold speaking meanwhile.
	events   *render.Events
	record   *record
	inJSON   atomic.Bool // whether events is set, for those who can't wait for their turn
	speaking sync.Mutex
	// automation says that kplan is called by another program, which needs no
	// hint what to type next.
	automation bool
	// loaded is what diagnostics quote from. kinds knows which of its fields are
	// secret: those that are built in, until there is a cluster to ask.
	loaded *config.Config
	lists  map[string]*hcl.File // files of addresses
	kinds  config.Kinds
}

func newSession() *session {
	s := &session{
		stdin:      os.Stdin,
		stdout:     &output{w: os.Stdout},
		stderr:     os.Stderr,
		env:        os.Getenv,
		input:      !isOff(os.Getenv("KPLAN_INPUT")),
		terminal:   isTerminal(os.Stdin),
		automation: os.Getenv("KPLAN_IN_AUTOMATION") != "",
		lists:      map[string]*hcl.File{},
		kinds:      kinds.Builtin(),
		view:       viewOptions{consolidateWarnings: true},
	}
	if os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		s.colour, s.errColour = isTerminal(os.Stdout), isTerminal(os.Stderr)
	}
	if s.canRedraw(isTerminal(os.Stdout)) {
		s.region = render.NewRegion(os.Stdout, terminalSize)
		s.stdout, s.stderr = s.region.Writer(os.Stdout), s.region.Writer(os.Stderr)
	}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		s.width = width
	}
	if dir, err := os.Getwd(); err == nil {
		s.started = dir
	}
	return s
}

// canRedraw says whether standard output is a terminal that can be told to go up
// some lines. A build server keeps what it is sent as a log.
func (s *session) canRedraw(terminal bool) bool {
	kind := s.env("TERM")
	if kind == "" && runtime.GOOS == "windows" {
		kind = s.env("WT_SESSION") // only the newer one understands what is sent
	}
	return terminal && kind != "" && kind != "dumb" && (s.env("CI") == "" || isOff(s.env("CI")))
}

func terminalSize() (width, height int) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func isOff(value string) bool { return value == "0" || value == "false" }
