package funcs

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
)

// fileFunctions read files of one directory. Their arguments are relative to
// it, whatever the working directory.
func fileFunctions(dir source.Directory, b *budget.Budget) map[string]function.Function {
	hex, base64 := hex.EncodeToString, base64.StdEncoding.EncodeToString
	return map[string]function.Function{
		"file": fileFunc(dir, b, "The content of a file in UTF-8.", asText),
		"filebase64": fileFunc(dir, b, "The content of a file, in base64.", func(src string) (string, error) {
			return base64([]byte(src)), nil
		}),
		"filebase64sha256": fileFunc(dir, b, "The SHA-256 of a file, in base64.", hashing(sha256.New, base64)),
		"filebase64sha512": fileFunc(dir, b, "The SHA-512 of a file, in base64.", hashing(sha512.New, base64)),
		"filemd5":          fileFunc(dir, b, "The MD5 of a file, in hexadecimal.", hashing(md5.New, hex)),
		"filesha1":         fileFunc(dir, b, "The SHA-1 of a file, in hexadecimal.", hashing(sha1.New, hex)),
		"filesha256":       fileFunc(dir, b, "The SHA-256 of a file, in hexadecimal.", hashing(sha256.New, hex)),
		"filesha512":       fileFunc(dir, b, "The SHA-512 of a file, in hexadecimal.", hashing(sha512.New, hex)),
		"fileexists":       fileexistsFunc(dir),
		"fileset":          filesetFunc(dir),
		"basename": textFunc("The last element of a path.", func(p string) (string, error) {
			return path.Base(filepath.ToSlash(p)), nil
		}),
		"dirname": textFunc("A path without its last element.", func(p string) (string, error) {
			return path.Dir(filepath.ToSlash(p)), nil
		}),
	}
}

func asText(src string) (string, error) {
	if !utf8.ValidString(src) {
		return "", errors.New("its content is not text in UTF-8; filebase64 reads any content")
	}
	if !source.IsNormal(src) {
		return "", errors.New("its text would be changed, since it is not in Unicode's normal form C, in which every value is; " +
			"filebase64 reads it as it is, for data of a Secret or binaryData of a ConfigMap")
	}
	return src, nil
}

var pathParam = function.Parameter{Name: "path", Type: cty.String}

// fileFunc is a function of a file's content.
func fileFunc(dir source.Directory, b *budget.Budget, description string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{pathParam},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			src, err := dir.ReadPublic(name)
			if err != nil {
				return cty.NilVal, fileError(name, err)
			}
			b.File(name, len(src))
			b.Spend(int64(len(src)))
			text, err := f(string(src))
			if err != nil {
				return cty.NilVal, fileError(name, err)
			}
			return cty.StringVal(text), nil
		},
	})
}

// fileError describes an error about a path that the configuration names.
func fileError(name string, err error) error {
	hint := ""
	if strings.HasPrefix(name, "~") {
		hint = "; a path here does not begin at anyone's home"
	}
	return function.NewArgErrorf(0, "%q can't be read: %w%s", name, err, hint)
}

func fileexistsFunc(dir source.Directory) function.Function {
	return function.New(&function.Spec{
		Description: "Reports whether there is a file of that name.",
		Params:      []function.Parameter{pathParam},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			exists, err := dir.Exists(args[0].AsString())
			if err != nil {
				return cty.NilVal, fileError(args[0].AsString(), err)
			}
			return cty.BoolVal(exists), nil
		},
	})
}

func filesetFunc(dir source.Directory) function.Function {
	return function.New(&function.Spec{
		Description: "The names of the files in a directory that match a pattern such as **/*.yaml.",
		Params:      []function.Parameter{pathParam, {Name: "pattern", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Set(cty.String)),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			names, err := matchFiles(dir, args[0].AsString(), args[1].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			if len(names) == 0 {
				return cty.SetValEmpty(cty.String), nil
			}
			values := make([]cty.Value, len(names))
			for i, name := range names {
				values[i] = cty.StringVal(name)
			}
			return cty.SetVal(values), nil
		},
	})
}

// maxMatches bounds what one fileset finds, maxWildcards what its pattern may
// branch into: every ** and every {a,b} multiplies the work.
const (
	maxMatches   = 10_000
	maxWildcards = 8
)

// matchFiles lists the regular files below dir, a directory of the
// configuration, that match a pattern.
func matchFiles(in source.Directory, dir, pattern string) ([]string, error) {
	if strings.Count(pattern, "**")+strings.Count(pattern, "{") > maxWildcards {
		return nil, function.NewArgErrorf(1, "the pattern has more than %d of ** and {…}", maxWildcards)
	}
	dir = path.Clean(filepath.ToSlash(dir))
	pattern = path.Clean(filepath.ToSlash(pattern))
	if !fs.ValidPath(dir) {
		return nil, fileError(dir, source.ErrOutside)
	}
	if path.IsAbs(pattern) || pattern == ".." || strings.HasPrefix(pattern, "../") {
		return nil, function.NewArgErrorf(1, "%q can't be matched: %w", pattern, source.ErrOutside)
	}
	if !doublestar.ValidatePattern(pattern) {
		return nil, function.NewArgErrorf(1, "%q is not a pattern such as *.yaml or **/*.{json,yaml}", pattern)
	}
	root, err := os.OpenRoot(string(in))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	below, err := fs.Sub(root.FS(), dir)
	if err != nil {
		return nil, fileError(dir, source.ReadError(err))
	}
	var names []string
	err = doublestar.GlobWalk(below, pattern, func(name string, _ fs.DirEntry) error {
		info, err := fs.Stat(below, name)
		if err != nil || !info.Mode().IsRegular() || source.IsHidden(path.Join(dir, name)) {
			return nil // a link that leads out of the directory or nowhere, or what no function reads
		}
		if names = append(names, name); len(names) > maxMatches {
			return fmt.Errorf("more than %d files match %q", maxMatches, pattern)
		}
		return nil
	}, doublestar.WithNoFollow())
	return names, err
}
