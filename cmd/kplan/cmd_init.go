package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/state"
)

type initOptions struct {
	state                stateOptions
	given                cli.List
	migrate, reconfigure bool
	modules              moduleOptions
}

func initCommand(s *session) *cli.Command {
	var opts initOptions
	flags := slices.Concat([]cli.Flag{
		cli.Value("backend-config", &opts.given,
			"Complete the backend block: `'NAME=VALUE'`, or a file with such lines in HCL. May be repeated. "+
				"Later runs in this directory use it, too."),
		cli.On("migrate-state", &opts.migrate, "Move the state from where it was so far to where the configuration says."),
		cli.On("reconfigure", &opts.reconfigure, "Use what is where the configuration says, and leave the state that was used so far."),
		opts.state.lockFlag(),
		cli.Off("input", &opts.state.variables.input, "Accepted, as in Terraform: init asks nothing."),
	}, opts.modules.flags(), opts.state.variables.valueFlags(), opts.state.cluster.accessFlags())
	return &cli.Command{
		Name:    "init",
		Summary: "Fetch modules, prepare the directory, and move its state",
		About: "Fetches the modules that the configuration calls, and writes into .kplan.lock.hcl what they are: later runs use that and " +
			"nothing else.\n\n" +
			"Makes sure that the backend of the configuration answers, and remembers it in .kplan/backend.json. Where a server is to " +
			"keep the state and has none yet, it stores an empty one, so that users who may only read can save plans. A directory whose backend " +
			"block is complete needs no init: the first run that writes the state remembers it, too.\n\n" +
			"When the backend block was changed, kplan does nothing until you say what becomes of the state. -migrate-state copies it to the " +
			"new place, reads the copy again, and then marks the old one, which no run uses after that. Both are locked meanwhile. " +
			"Cut off at any point it leaves one state that is used, and can be repeated. If variables choose between several states, " +
			"run it once for each.",
		Flags: cli.Group("Options", flags...),
		Examples: []cli.Example{
			{Line: "init", Explanation: "Fetch modules, and check that the backend answers:"},
			{Line: "init -upgrade", Explanation: "Take the newest versions of all modules that the configuration allows:"},
			{Line: "init -backend-config=namespace=acme -backend-config=prod.hcl", Explanation: "Complete the backend block:"},
			{Line: "init -migrate-state", Explanation: "Move the state after a change of the backend block:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runInit(ctx, s, opts)
		},
	}
}

func runInit(ctx context.Context, s *session, opts initOptions) hcl.Diagnostics {
	if opts.migrate && opts.reconfigure {
		return usage(invalidCombination("-migrate-state moves the state, and -reconfigure leaves it: give one of them."))
	}
	c, hasModules, diags := fetchModules(ctx, s, opts.modules)
	if len(diags) > 0 && diags[0].Summary == source.NoFiles {
		fmt.Fprintln(s.ui.Out, "There is no configuration here yet, so there is nothing to initialize.")
		return nil
	}
	if diags = s.ui.Errors(diags); diags.HasErrors() {
		return diags
	}
	d := definition{c, backendValues(ctx, s, c, opts.state.variables)}
	given, diags := readGiven(ctx, c, opts.given)
	if diags.HasErrors() {
		return diags
	}
	codec, diags := codecOf(s, d)
	if diags.HasErrors() {
		return diags
	}
	i := &initialization{whereabouts: &whereabouts{backends: backends{s, d, opts.state.cluster, codec}}, opts: opts, given: given,
		hasModules: hasModules}
	return i.run(ctx)
}

// initialization is what kplan init does.
type initialization struct {
	*whereabouts
	opts  initOptions
	given map[string]string
	next  *config.BackendRecord // what the directory remembers then
	// hasModules reports whether there are modules that were fetched.
	hasModules bool
}

func (i *initialization) run(ctx context.Context) hcl.Diagnostics {
	record, err := i.d.config.BackendRecord()
	if err != nil && (!i.opts.reconfigure || !errors.As(err, new(*config.DamagedRecordError))) {
		return badRecord(err)
	}
	i.record = record
	if len(i.given) == 0 {
		i.given = record.GivenFor(i.d.config)
	}
	var diags hcl.Diagnostics
	if i.now, diags = i.wanted(i.given); diags.HasErrors() {
		return diags
	}
	if record == nil && i.d.config.Settings.Backend == nil && i.hasModules {
		fmt.Fprintf(i.s.ui.Out, "The state is in the file %s.\n\nkplan has been successfully initialized! To go on: kplan plan\n", i.now.Path)
		return nil
	}
	if record == nil && i.d.config.Settings.Backend == nil {
		fmt.Fprintf(i.s.ui.Out, "There is nothing to initialize: the state is in the file %s.\n", i.now.Path)
		return nil
	}
	place, diags := i.open(ctx, i.now)
	if diags.HasErrors() {
		return diags
	}
	i.next = i.d.config.RecordBackend(i.given)
	begins := false // with an empty state, for another one that is left
	if i.opts.reconfigure {
		begins = i.abandon(ctx)
	} else if diags := i.keep(ctx, place); diags.HasErrors() {
		return diags
	}
	_, err = place.Reading.Read(ctx)
	if errors.Is(err, state.ErrNotExist) && (place.File == "" || begins) {
		err = i.create(ctx, place)
	}
	if err != nil && !errors.Is(err, state.ErrNotExist) {
		return failure("Can't read the state", "%s.", capital(err))
	}
	if err := i.next.Store(); err != nil {
		return failure("Can't record the backend", "%s.", capital(err))
	}
	fmt.Fprintf(i.s.ui.Out, "The state is in %s.\n\nkplan has been successfully initialized! To go on: kplan plan\n", place.Name)
	return nil
}

// abandon goes on with what is at the place, and reports whether it is to begin with an empty state there, so that later runs with
// these variables know that they may. A place that was used before and can't be asked any more is forgotten: no run asks it again.
func (i *initialization) abandon(ctx context.Context) (begins bool) {
	if i.record == nil {
		return false
	}
	kept := i.record.Previous.Filter(func(earlier *config.BackendRecord) bool {
		place, diags := i.leftAt(ctx, earlier)
		begins = begins || place != nil || diags.HasErrors()
		if diags.HasErrors() {
			i.s.ui.Report(warning("Earlier backend forgotten", "A backend of type "+earlier.Type+" that was used before can't be reached, "+
				"and is not asked any more, whatever the variables: "+diags[0].Detail))
		}
		return !diags.HasErrors()
	})
	i.next.Follow(kept)
	return begins
}

// keep goes on with the state that there was, and what is remembered of it.
func (i *initialization) keep(ctx context.Context, place *state.Place) hcl.Diagnostics {
	if i.record != nil {
		i.next.Follow(i.record.Previous)
		i.next.Lineages = i.record.Lineages
	}
	return i.leave(ctx, place)
}

// create stores an empty state, so that users who may only read can save plans. It does nothing for such a user.
func (i *initialization) create(ctx context.Context, place *state.Place) error {
	store := place.Reading
	if place.File != "" {
		store = place.Store // who may only read gets an error, where nothing else could be done for them
		if err := place.MakeDirectory(); err != nil {
			return err
		}
	}
	lease, err := state.Acquire(ctx, store, state.NewLockInfo("init", versionText()), time.Duration(i.opts.state.lockTimeout))
	if errors.Is(err, state.ErrNoLock) || errors.As(err, new(*state.LockedError)) { // whoever holds the lock is about to write one
		return nil
	}
	if err != nil {
		return err
	}
	if _, err = lease.Read(ctx); errors.Is(err, state.ErrNotExist) {
		err = lease.Write(ctx, state.New())
	}
	return errors.Join(err, lease.Unlock())
}

// leave moves the state from where it was so far, if that is another place and there is one.
func (i *initialization) leave(ctx context.Context, to *state.Place) hcl.Diagnostics {
	before, diags := i.before(ctx)
	if diags.HasErrors() || before == nil {
		return diags
	}
	if before.Same(i.now) {
		return i.fetch(ctx, to)
	}
	from, diags := i.open(ctx, before)
	if diags.HasErrors() {
		return append(diags, failure("Can't reach the backend that was used so far",
			"Without it the state can't be moved. To leave it there: kplan init -reconfigure")...)
	}
	_, err := from.Reading.Read(ctx)
	if errors.Is(err, state.ErrNotExist) {
		earlier, diags := i.left(ctx)
		if diags.HasErrors() {
			return diags
		}
		if earlier != nil {
			from, err = earlier, nil
		}
	}
	if !i.opts.migrate {
		var migrated *state.MigratedError
		if errors.Is(err, state.ErrNotExist) || errors.As(err, &migrated) && migrated.To == to.FullName() {
			i.next.Follow(i.record)
			return nil
		}
		return i.changed(ctx)
	}
	if i.record != nil {
		i.next.Follow(i.record)
	} else {
		i.next.Follow(&config.BackendRecord{Type: "local"})
	}
	return i.migrate(ctx, from, to)
}

// fetch moves a state that was left where the backend was before, since variables choose between several.
func (i *initialization) fetch(ctx context.Context, to *state.Place) hcl.Diagnostics {
	if !i.opts.migrate {
		if _, err := to.Reading.Read(ctx); !errors.Is(err, state.ErrNotExist) {
			return nil
		}
	}
	from, diags := i.left(ctx)
	if from == nil || !i.opts.migrate {
		return append(diags, leftBehind(from)...)
	}
	return i.migrate(ctx, from, to)
}

func (i *initialization) migrate(ctx context.Context, from, to *state.Place) hcl.Diagnostics {
	if err := to.MakeDirectory(); err != nil {
		return failure("Can't migrate the state", "%s.", capital(err))
	}
	done, err := state.Migrate(ctx, from, to, state.NewLockInfo("init -migrate-state", versionText()), time.Duration(i.opts.state.lockTimeout))
	switch {
	case errors.Is(err, state.ErrNotExist):
		fmt.Fprintf(i.s.ui.Out, "There was no state in %s.\n", from.Name)
	case errors.Is(err, state.ErrSamePlace):
		return failure("Can't migrate the state", "What the configuration says now is another name for the place where the state is: %s. "+
			"Nothing is to be moved. To use it by that name: kplan init -reconfigure", from.Name)
	case errors.As(err, new(*state.LockedError)):
		return notLocked(err)
	case errors.As(err, new(*state.PushError)):
		return failure("Can't migrate the state", "%s: %v. Nothing was changed. To use what is there, and leave the state in %s: "+
			"kplan init -reconfigure", capital(errors.New(to.Name)), err, from.Name)
	case errors.As(err, new(*state.DecodeError)), errors.As(err, new(*state.KeyError)), errors.As(err, new(*state.MigratedError)):
		return failure("Can't migrate the state", "%s.", capital(err))
	case err != nil:
		return failure("Can't migrate the state", "%s. It can be repeated.", capital(err))
	case done.Before:
		fmt.Fprintf(i.s.ui.Out, "The state was migrated from %s before.\n", from.Name)
	default:
		fmt.Fprintf(i.s.ui.Out, "Migrated the state with %s from %s.\n", words.Count(done.Objects, "object"), from.Name)
	}
	return nil
}

// readGiven reads the values of -backend-config, of which later ones replace earlier ones.
func readGiven(ctx context.Context, c *config.Config, args []string) (map[string]string, hcl.Diagnostics) {
	if len(args) > 0 && c.Settings.Backend == nil {
		return nil, failure("Invalid option", "-backend-config completes a backend block, and the configuration has none.")
	}
	given := map[string]string{}
	for _, arg := range args {
		name, value, is := strings.Cut(arg, "=")
		if is {
			given[strings.TrimSpace(name)] = value
			continue
		}
		text, err := readFile(ctx, arg)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, neitherOf(c, arg)
		}
		if err != nil {
			return nil, notRead(ctx, "the arguments of the backend", arg, err, " The option is NAME=VALUE, or a file.")
		}
		more, diags := config.BackendArguments(text, arg)
		if diags.HasErrors() {
			return nil, diags
		}
		maps.Copy(given, more)
	}
	if unknown, known := c.UnknownArguments(given); len(unknown) > 0 {
		return nil, failure("Invalid option", "A backend of type %s has no argument %s. It has %s.%s",
			c.Settings.Backend.Labels[0], words.And(unknown), words.And(known), words.Suggest(unknown[0], known))
	}
	return given, nil
}

// neitherOf is the error of an argument for the backend that is none, and no file. It is not quoted whole: it may be a secret.
func neitherOf(c *config.Config, arg string) hcl.Diagnostics {
	_, known := c.UnknownArguments(nil)
	name := strings.TrimSpace(arg)
	if at := strings.IndexAny(arg, ": \t"); at > 0 {
		name = strings.TrimSpace(arg[:at])
	}
	if slices.Contains(known, name) {
		return failure("Invalid option", "-backend-config is NAME=VALUE, with an equals sign: -backend-config='%s=…'", name)
	}
	return failure("Invalid option", "-backend-config is NAME=VALUE, or names a file with such lines, and there is no file %q.", name)
}

// badRecord is the error of a record that can't be read, with the advice that helps.
func badRecord(err error) hcl.Diagnostics {
	advice := ""
	if errors.As(err, new(*config.DamagedRecordError)) {
		advice = " To record the backend of the configuration again: kplan init -reconfigure"
	}
	return failure("Can't read what kplan init recorded", "%s.%s", capital(err), advice)
}
