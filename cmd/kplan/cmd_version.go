package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
)

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
