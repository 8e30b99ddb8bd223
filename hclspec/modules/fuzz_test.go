package modules

import (
	"strings"
	"testing"
)

func FuzzSource(f *testing.F) {
	for _, text := range []string{
		"./a", "../a/b", "git::https://host.example/a.git//b?ref=v1", "git::ssh://git@host.example:22/a", "oci://host.example:5000/a/b//c",
		"git@host.example:a/b.git", "https://me:secret@host.example/a", "github.com/a/b", "a/b/c", "s3::https://x", "git::http://[::1]:1/a",
		"../../  /", "git::https://host.example/ё", "./...", "./..a/b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSource(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x00\x1b\n\r") {
				t.Errorf("the message has control characters: %q", err)
			}
			return
		}
		written := s.String()
		again, err := ParseSource(written)
		if err != nil || again != s {
			t.Fatalf("%q is %+v, written %q, which is %+v, %v", text, s, written, again, err)
		}
		for _, part := range []string{s.Address, s.Ref, s.Sub} {
			if strings.HasPrefix(part, "-") || strings.ContainsAny(part, "\x00\n\r") || strings.HasPrefix(part, "../") {
				t.Errorf("%q has the part %q", text, part)
			}
		}
		if s.Kind == Git && !strings.HasPrefix(s.Address, "https://") && !strings.HasPrefix(s.Address, "ssh://") &&
			!strings.HasPrefix(s.Address, "http://") {
			t.Errorf("%q has the address %q", text, s.Address)
		}
	})
}

func FuzzLockFile(f *testing.F) {
	const hash = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	f.Add(`module "git::https://host.example/a.git" {` + "\n commit = \"" + strings.Repeat("0", 40) + "\"\n hash = \"" + hash + "\"\n}\n")
	f.Add(`module "oci://host.example/a" {` + "\n constraint = \"~> 1.4\"\n version = \"1.4.2\"\n digest = \"sha256:" + strings.Repeat("0", 64) +
		"\"\n hash = \"" + hash + "\"\n}\n")
	f.Add("module {")
	f.Add("<<<<<<< HEAD\n")
	f.Fuzz(func(t *testing.T, text string) {
		read, diags := parsePins([]byte(text), LockFile)
		if diags.HasErrors() {
			return
		}
		written := read.encode()
		again, diags := parsePins(written, LockFile)
		if diags.HasErrors() || len(again) != len(read) {
			t.Fatalf("%q is written\n%s\nwhich is %v", text, written, diags)
		}
		for k, p := range read {
			if again[k] != p {
				t.Errorf("%v is %v, and read again %v", k, p, again[k])
			}
		}
	})
}
