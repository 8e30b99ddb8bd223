package modules

import (
	"fmt"
	"path"
	"regexp"

	"kplan.dev/kplan/internal/words"
)

// mistake is a kind of text that is no source of kplan's, and what to do about it. Many are sources of Terraform's.
type mistake struct {
	pattern *regexp.Regexp
	advice  func(match []string) string
}

func says(format string) func([]string) string {
	return func(match []string) string {
		args := make([]any, 0, len(match))
		for _, part := range match[1:] {
			args = append(args, words.Shorten(part, 80))
		}
		return fmt.Sprintf(format, args...)
	}
}

// mistakes are tried in this order.
var mistakes = []mistake{
	{regexp.MustCompile(`(?i)^(?:git\+)?ssh://([\w.-]+@[^@]*)$`), says(`write git:: before it: "git::ssh://%s"`)},
	{regexp.MustCompile(`(?i)^[a-z+]*:*[a-z+]*://[^/]*@|^[a-z0-9]+::.*://[^/]*@`), says("it is not one of kplan's, and has a user or a " +
		"password in it, so it is not shown here. " + known)},
	{regexp.MustCompile(`^([A-Za-z0-9][\w.-]*@[\w.-]+):(.*)$`), says(`write the address of SSH in full: "git::ssh://%s/%s"`)},
	{regexp.MustCompile(`(?i)^(?:git\+)?ssh://(.*)$`), says(`write git:: before it: "git::ssh://%s"`)},
	{regexp.MustCompile(`(?i)^(?:[a-z]+::)?file://`), says("a file or repository by its address in the file system is no source. " +
		"Write the path of a directory: \"../modules/app\"")},
	{regexp.MustCompile(`(?i)^git://`), says("the git protocol is neither encrypted nor checked. Write git::https://")},
	{regexp.MustCompile(`(?i)^(?:docker://|oci:(?:/*|:)(?:https?://)?)([^:].*)$`), says(`write "oci://%s"`)},
	{regexp.MustCompile(`(?i)^(?:s3|gcs|hg|http|https)::`), says("kplan fetches modules with git and from OCI registries, and nothing with " +
		"this prefix. To publish an archive as a module: kplan module push")},
	{regexp.MustCompile(`(?i)^([a-z0-9]+)::`), says("the prefix %s:: is not known. " + known)},
	{regexp.MustCompile(`(?i)^https?://(.*\.git(?:[/?].*)?)$`), says(`write git:: before it: "git::https://%s"`)},
	{regexp.MustCompile(`(?i)^https?://`), says("an address on the web is no source. Of a git repository write " +
		`"git::https://host/repository.git"; an archive is published as a module with kplan module push`)},
	{regexp.MustCompile(`(?i)^([a-z][a-z0-9+.-]*)://`), says("%s is no protocol for modules. " + known)},
	{regexp.MustCompile(`^[A-Za-z]:[\\/]`), says("a path begins with ./ or ../, and leads from the directory of the configuration to that " +
		"of the module")},
	{regexp.MustCompile(`^[/~]`), says("a path begins with ./ or ../, and leads from the directory of the configuration to that of " +
		"the module: an absolute one is there on one machine only")},
	{regexp.MustCompile(`^\.{0,2}\\`), says("a path is written with slashes, on Windows too: \"./modules/app\"")},
	{regexp.MustCompile(`^((?:github|gitlab)\.com|bitbucket\.org|codeberg\.org)/([\w.-]+)/([\w.-]+?)(?:\.git)?((?://|\?).*)?$`),
		says(`write it as an address of git: "git::https://%s/%s/%s.git%s"`)},
	{regexp.MustCompile(`^[\w-]+/[\w-]+/[\w-]+(?://.*)?$|^[\w.-]+\.[a-z]+/[\w-]+/[\w-]+/[\w-]+(?://.*)?$`),
		says("it looks like a module of a Terraform registry, which kplan does not have. If it is a directory, its path begins with " +
			"./ or ../; a registry of OCI artifacts is written \"oci://registry/repository\"")},
	{regexp.MustCompile(`^([a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+(?::\d+)?/.*)$`), says(`if it is in an OCI registry, write "oci://%s"; if it is ` +
		`a git repository, "git::https://host/repository.git"`)},
}

// instead says what to write instead of a text that is no source.
func instead(text string) string {
	for _, m := range mistakes {
		if match := m.pattern.FindStringSubmatch(text); match != nil {
			return m.advice(match)
		}
	}
	return fmt.Sprintf(`a path begins with ./ or ../. Write "./%s" if that is a directory`, words.Shorten(path.Clean(text), 80))
}
