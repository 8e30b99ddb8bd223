package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/words"
)

//go:embed completion
var completionScripts embed.FS

func completionCommand(s *session) *cli.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cli.Command{
		Name: "completion", Args: "SHELL", MinArgs: 1, MaxArgs: 1,
		Summary: "Print the completion script of a shell",
		About: "Prints the completion script for bash, zsh or fish. With it the Tab key completes commands, flags, and the " +
			"addresses that the state commands take.",
		Examples: []cli.Example{
			{Line: "completion bash > ~/.local/share/bash-completion/completions/kplan", Explanation: "For bash, from the next shell on:"},
			{Line: `completion zsh > "${fpath[1]}/_kplan"`, Explanation: "For zsh:"},
			{Line: "completion fish > ~/.config/fish/completions/kplan.fish", Explanation: "For fish:"},
		},
		Words: func(context.Context) []string { return shells },
		Run: func(_ context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runCompletion(s, args[0], shells)
		},
	}
}

func runCompletion(s *session, shell string, shells []string) hcl.Diagnostics {
	script, err := fs.ReadFile(completionScripts, "completion/kplan."+shell)
	if err != nil {
		return usage(&cli.UsageError{Summary: "Unknown shell",
			Detail: fmt.Sprintf("kplan has completion scripts for bash, zsh and fish, not for %q.%s", shell, words.Suggest(shell, shells))})
	}
	_, _ = s.ui.Out.Write(script)
	return nil
}
