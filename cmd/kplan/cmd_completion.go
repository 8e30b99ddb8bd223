package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"kplan.dev/kplan/internal/words"
)

//go:embed completion
var completionScripts embed.FS

func completionCommand() *command {
	shells := []string{"bash", "zsh", "fish"}
	return &command{
		name: "completion", args: "SHELL", minArgs: 1, maxArgs: 1,
		summary: "Print a script that completes command lines",
		about: "Prints a script for bash, zsh or fish. With it the Tab key completes commands, flags, and the addresses " +
			"that the state commands take.",
		examples: []example{
			{"completion bash > ~/.local/share/bash-completion/completions/kplan", "For bash, from the next shell on:"},
			{`completion zsh > "${fpath[1]}/_kplan"`, "For zsh:"},
			{"completion fish > ~/.config/fish/completions/kplan.fish", "For fish:"},
		},
		words: func(context.Context, *session) []string { return shells },
		run: func(_ context.Context, s *session, args []string) exitCode {
			return runCompletion(s, args[0], shells)
		},
	}
}

func runCompletion(s *session, shell string, shells []string) exitCode {
	script, err := fs.ReadFile(completionScripts, "completion/kplan."+shell)
	if err != nil {
		return s.usage(&usageError{summary: "Unknown shell", command: &command{name: "completion"},
			detail: fmt.Sprintf("kplan completes for bash, zsh and fish, not for %q.%s", shell, words.Suggest(shell, shells))})
	}
	_, _ = s.stdout.Write(script)
	return exitOK
}
