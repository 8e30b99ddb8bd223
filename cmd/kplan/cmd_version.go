package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
)

// version is set by the linker: see the Makefile.
var version = ""

// versionText is the version that the build was given, or the one that the go
// command knows.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func versionCommand(s *session) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:     "version",
		Summary:  "Show the version of kplan",
		About:    "Shows the version of kplan and the platform that it was built for.",
		Flags:    cli.Group("Options", cli.On("json", &asJSON, "Print JSON.")),
		Examples: []cli.Example{{Line: "version -json", Explanation: "Print the version for a program:"}},
		Run:      func(context.Context, []string) (cli.ExitCode, hcl.Diagnostics) { return exitOK, runVersion(s, asJSON) },
	}
}

func runVersion(s *session, asJSON bool) hcl.Diagnostics {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	if !asJSON {
		fmt.Fprintf(s.ui.Out, "kplan %s\non %s\n", versionText(), platform)
		return nil
	}
	enc := json.NewEncoder(s.ui.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return notWritten(s.ui.Wrote(enc.Encode(struct {
		Version  string `json:"kplan_version"`
		Platform string `json:"platform"`
	}{versionText(), platform})))
}
