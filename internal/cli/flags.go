package cli

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// Flag is a flag of urfave/cli. A word in backquotes in its usage stands for the
// value.
type Flag = cli.Flag

// On is a flag that is false unless it is given.
func On(name string, dest *bool, usage string) Flag {
	return &cli.BoolFlag{Name: name, Destination: dest, Usage: usage}
}

// Off is a flag that is true unless -name=false is given.
func Off(name string, dest *bool, usage string) Flag {
	*dest = true
	return &cli.BoolFlag{Name: name, Destination: dest, Value: true, Usage: usage}
}

// Text is a flag whose value is a text.
func Text(name string, dest *string, usage string) Flag {
	return &cli.StringFlag{Name: name, Destination: dest, Usage: usage}
}

// Value is a flag whose value sets itself.
func Value(name string, v cli.Generic, usage string) Flag {
	return &cli.GenericFlag{Name: name, Value: v, DefaultText: v.String(), Usage: usage}
}

// Group gives flags the heading that the help shows them under.
func Group(heading string, flags ...Flag) []Flag {
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.BoolFlag:
			f.Category = heading
		case *cli.StringFlag:
			f.Category = heading
		case *cli.GenericFlag:
			f.Category = heading
		}
	}
	return flags
}

// HeadingOf is the heading that the help shows the flag under.
func HeadingOf(f Flag) string {
	if c, ok := f.(cli.CategorizableFlag); ok {
		return c.GetCategory()
	}
	return ""
}

// FlagNames are the names of flags.
func FlagNames(flags []Flag) []string {
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = f.Names()[0]
	}
	return names
}

// TakesValue reports whether a value follows the flag.
func TakesValue(f Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}

// placeholder is the word that stands for the flag's value.
func placeholder(f Flag) string {
	if parts := strings.Split(usageOf(f), "`"); len(parts) > 1 {
		return parts[1]
	}
	return "VALUE"
}

// usageOf is the flag's description, its default included.
func usageOf(f Flag) string {
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	usage := doc.GetUsage()
	if g, isGeneric := f.(*cli.GenericFlag); isGeneric && g.DefaultText != "" && g.DefaultText != "0s" {
		usage += " Default: " + g.DefaultText + "."
	}
	return usage
}

// Count is a positive whole number.
type Count int

// Set parses text.
func (c *Count) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("it must be a positive whole number")
	}
	*c = Count(n)
	return nil
}

func (c *Count) String() string { return strconv.Itoa(int(*c)) }

var errNoDuration = errors.New("it must be a duration such as 30s, 5m or 1h30m")

// Duration is a length of time.
type Duration time.Duration

// Set parses text.
func (d *Duration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return errNoDuration
	}
	*d = Duration(parsed)
	return nil
}

func (d *Duration) String() string {
	text := time.Duration(*d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Timeout is a length of time that is not zero: not to wait at all has a flag of
// its own where it makes sense.
type Timeout Duration

// Set parses text.
func (t *Timeout) Set(text string) error {
	var d Duration
	if err := d.Set(text); err != nil || d == 0 {
		return errNoDuration
	}
	*t = Timeout(d)
	return nil
}

func (t *Timeout) String() string { return (*Duration)(t).String() }

// List is the texts that a repeated flag gives.
type List []string

// Set adds text.
func (l *List) Set(text string) error {
	*l = append(*l, text)
	return nil
}

func (l *List) String() string { return strings.Join(*l, ", ") }
