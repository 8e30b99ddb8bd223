// Package tree reads and writes the files of a module that came from elsewhere. Whoever made them is not trusted: a
// tree has regular files under portable names, and bounds on their number and size. Nothing else is written to disk,
// and nothing outside of the directory that the tree is written to.
//
// A tree is identified by its hash, which docs/modules.md defines. Modes and times are no part of it.
package tree

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The limits of a tree.
const (
	MaxSize    = 64 << 20 // of all files together, in bytes
	MaxFiles   = 10_000
	MaxDepth   = 32      // directories above a file
	maxPath    = 1024    // bytes of a path
	maxName    = 255     // bytes of one name in it
	maxOmitted = 8 << 20 // bytes of the list of omitted files
)

// A Refusal is something that a tree may not have.
type Refusal struct {
	Path   string
	Reason string // goes on after the path: "is a symbolic link"
}

func (r *Refusal) Error() string { return strconv.Quote(r.Path) + " " + r.Reason }

// errTooLarge and errTooMany are the errors of a tree that reaches its limits.
var (
	errTooLarge = fmt.Errorf("its files have more than %d MiB together", MaxSize>>20)
	errTooMany  = fmt.Errorf("it has more than %d files", MaxFiles)
)

// Hash identifies a tree.
type Hash [sha256.Size]byte

const hashPrefix = "h1:"

// String is the hash as the lock file has it.
func (h Hash) String() string { return hashPrefix + base64.StdEncoding.EncodeToString(h[:]) }

// Name is the hash as the name of a directory.
func (h Hash) Name() string { return hex.EncodeToString(h[:]) }

// ParseHash is the opposite of Hash.String.
func ParseHash(text string) (h Hash, err error) {
	encoded, isKnown := strings.CutPrefix(text, hashPrefix)
	if !isKnown {
		return h, fmt.Errorf("%s is what a hash begins with", hashPrefix)
	}
	bytes, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(bytes) != len(h) {
		return h, fmt.Errorf("after %s a hash has %d characters of base64", hashPrefix, base64.StdEncoding.EncodedLen(len(h)))
	}
	return Hash(bytes), nil
}

// Omitted is a file of the original that a tree does not have: a symbolic link, for example. A repository may have
// some that no module of it needs.
type Omitted struct {
	Path   string
	Reason string // as in a Refusal
}

// contents is what a hash is made of.
type contents struct {
	files   map[string][sha256.Size]byte
	omitted []Omitted
}

func (c *contents) hash() Hash {
	sum := sha256.New()
	for _, path := range sortedKeys(c.files) {
		fmt.Fprintf(sum, "%x  %s\n", c.files[path], path)
	}
	sum.Write(formatOmitted(c.omitted))
	return Hash(sum.Sum(nil))
}

// formatOmitted is a line for each file that a tree does not have, by path.
func formatOmitted(omitted []Omitted) []byte {
	slices.SortFunc(omitted, func(a, b Omitted) int { return strings.Compare(a.Path, b.Path) })
	var text []byte
	for _, o := range omitted {
		text = strconv.AppendQuote(text, o.Path)
		text = append(text, " "+o.Reason+"\n"...)
	}
	return text
}

func parseOmitted(text []byte) (omitted []Omitted, err error) {
	for line := range strings.Lines(string(text)) {
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, errDamaged
		}
		path, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, errDamaged
		}
		omitted = append(omitted, Omitted{path, strings.TrimSpace(line[len(quoted):])})
	}
	return omitted, nil
}

var errDamaged = errors.New("the list of omitted files is damaged")
