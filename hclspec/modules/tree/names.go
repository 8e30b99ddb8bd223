package tree

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// names are the paths in a tree. Two of them never mean the same file, on no system that kplan runs on.
type names map[string]entry

type entry struct {
	path  string
	isDir bool
}

// fold is what file systems make of a path that don't tell capitals from small letters, or é from e and an accent.
func fold(path string) string { return norm.NFC.String(cases.Fold().String(norm.NFD.String(path))) }

// check reports why a file, or directory, can't have this path in the tree.
func (n names) check(path string, isDir bool) error {
	if reason := badPath(path); reason != "" {
		return &Refusal{path, reason}
	}
	for _, part := range prefixes(path) {
		known, isKnown := n[fold(part)]
		partIsDir := isDir || len(part) < len(path)
		switch {
		case !isKnown:
		case known.path != part:
			return &Refusal{path, fmt.Sprintf("has the name of %q on systems that don't tell capitals from small letters", known.path)}
		case known.isDir != partIsDir:
			return &Refusal{path, fmt.Sprintf("has the place of %q, of which one is a file and the other a directory", known.path)}
		case !partIsDir:
			return &Refusal{path, "is there twice"}
		}
	}
	return nil
}

func (n names) add(path string, isDir bool) {
	for _, part := range prefixes(path) {
		n[fold(part)] = entry{part, isDir || len(part) < len(path)}
	}
}

// prefixes are the directories above a path, from the top, and the path.
func prefixes(path string) (all []string) {
	for i, c := range path {
		if c == '/' {
			all = append(all, path[:i])
		}
	}
	return append(all, path)
}

// badPath is why no tree can have a path, "" if one can. It goes on after the path.
func badPath(path string) string {
	switch {
	case path == "":
		return "is no path"
	case !utf8.ValidString(path):
		return "is not written in UTF-8"
	case strings.HasPrefix(path, "/"):
		return "is an absolute path, which leads out of the module"
	case len(path) > maxPath:
		return fmt.Sprintf("has a path of more than %d bytes", maxPath)
	case strings.Count(path, "/") > MaxDepth:
		return fmt.Sprintf("is more than %d directories deep", MaxDepth)
	}
	for _, name := range strings.Split(path, "/") {
		if reason := badName(name); reason != "" {
			return reason
		}
	}
	return ""
}

func badName(name string) string {
	switch {
	case name == "..":
		return "leads out of the module"
	case name == "", name == ".":
		return "is no clean path: it has an empty part, or one that is a dot"
	case len(name) > maxName:
		return fmt.Sprintf("has a name of more than %d bytes", maxName)
	case strings.ContainsFunc(name, isInvisible):
		return "has an invisible character in its name"
	case strings.ContainsAny(name, `<>:"|?*\`):
		return `has one of the characters <>:"|?*\ in its name, which Windows does not allow`
	case strings.HasSuffix(name, "."), strings.HasSuffix(name, " "):
		return "ends in a dot or a space, which Windows removes"
	case strings.EqualFold(name, ".git"):
		return "belongs to git, and not to a module"
	}
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	if slices.Contains(devices, strings.TrimRight(base, " ")) {
		return "is the name of a device on Windows"
	}
	return ""
}

func isInvisible(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.Is(unicode.Variation_Selector, r)
}

var devices = []string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6",
	"COM7", "COM8", "COM9", "LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
	"COM¹", "COM²", "COM³", "LPT¹", "LPT²", "LPT³"}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
