package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
)

func versionCommand() *command {
	var asJSON bool
	return &command{
		name:     "version",
		summary:  "Show kplan's version",
		about:    "Shows the version of kplan and the platform it was built for.",
		flags:    group("Options", on("json", &asJSON, "Print JSON.")),
		examples: []example{{"version -json", "For a program to read:"}},
		run:      func(_ context.Context, s *session, _ []string) exitCode { return runVersion(s, asJSON) },
	}
}

func runVersion(s *session, asJSON bool) exitCode {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	if !asJSON {
		fmt.Fprintf(s.stdout, "kplan %s\non %s\n", versionText(), platform)
		return exitOK
	}
	return s.printJSON(struct {
		Version  string `json:"kplan_version"`
		Platform string `json:"platform"`
	}{versionText(), platform})
}

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

func (s *session) printJSON(value any) exitCode {
	enc := json.NewEncoder(s.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return s.wrote(enc.Encode(value))
}
