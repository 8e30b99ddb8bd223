package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// Flags that are switched on, off, or given a value, in one line each. A word
// in backquotes in a usage stands for the value.

func on(name string, dest *bool, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Destination: dest, Usage: usage}
}

// off is a flag that is true unless -name=false is given.
func off(name string, dest *bool, usage string) cli.Flag {
	*dest = true
	return &cli.BoolFlag{Name: name, Destination: dest, Value: true, Usage: usage}
}

func text(name string, dest *string, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Destination: dest, Usage: usage}
}

func value(name string, v cli.Generic, usage string) cli.Flag {
	return &cli.GenericFlag{Name: name, Value: v, Usage: usage}
}

// group gives flags the heading that the help shows them under.
func group(heading string, flags ...cli.Flag) []cli.Flag {
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

// count is a whole number from 1 on.
type count int

func (c *count) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return errors.New("it takes a whole number from 1 on")
	}
	*c = count(n)
	return nil
}

func (c *count) String() string { return strconv.Itoa(int(*c)) }

// period is a length of time.
type period time.Duration

func (p *period) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("it takes a length of time such as 30s, 5m or 1h30m")
	}
	*p = period(d)
	return nil
}

func (p *period) String() string {
	text := time.Duration(*p).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// timeout is a length of time that is not none: to wait for no time at all has
// an option of its own where it makes sense.
type timeout period

func (t *timeout) Set(text string) error {
	var p period
	if err := p.Set(text); err != nil || p == 0 {
		return errors.New("it takes a length of time such as 30s, 5m or 1h30m")
	}
	*t = timeout(p)
	return nil
}

func (t *timeout) String() string { return (*period)(t).String() }

// placeholder is the word that stands for the flag's value.
func placeholder(f cli.Flag) string {
	_, after, ok := strings.Cut(usageOf(f), "`")
	if !ok {
		return "VALUE"
	}
	word, _, _ := strings.Cut(after, "`")
	return word
}

// usageOf is the flag's description, its default included.
func usageOf(f cli.Flag) string {
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	usage := doc.GetUsage()
	if g, isGeneric := f.(*cli.GenericFlag); isGeneric && g.Value.String() != "" && g.Value.String() != "0s" {
		usage += fmt.Sprintf(" Default: %s.", g.Value)
	}
	return usage
}

func headingOf(f cli.Flag) string {
	if c, ok := f.(cli.CategorizableFlag); ok {
		return c.GetCategory()
	}
	return ""
}
