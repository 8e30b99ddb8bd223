package tree_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/hclspec/modules/tree"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// zip packs with gzip.
func zip(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	must(t, err)
	must(t, w.Close())
	return b.Bytes()
}

// archived is an archive of entries. A header without a type is that of a file whose content is x.
func archived(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	return zip(t, archive(t, headers...))
}

func archive(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := ""
		if h.Typeflag == 0 {
			h.Typeflag, h.Size, content = tar.TypeReg, 1, "x"
		}
		must(t, w.WriteHeader(&h))
		_, err := io.WriteString(w, content)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func named(names ...string) (all []tar.Header) {
	for _, name := range names {
		all = append(all, tar.Header{Name: name, Mode: 0o644})
	}
	return all
}

func many(n int, name string) (all []tar.Header) {
	for i := range n {
		all = append(all, tar.Header{Name: fmt.Sprintf(name, i), Mode: 0o644})
	}
	return all
}

// unpack reads an archive into a new directory.
func unpack(ctx context.Context, t testing.TB, text []byte) (dir string, hash tree.Hash, err error) {
	t.Helper()
	dir = t.TempDir()
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	w, err := tree.NewWriter(root)
	must(t, err)
	if err := tree.ReadArchive(ctx, bytes.NewReader(text), w); err != nil {
		return dir, hash, err
	}
	hash, err = w.Close()
	must(t, err)
	return dir, hash, nil
}

// files are all files below a directory, with their modes.
func files(t testing.TB, dir string) (all []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			info, _ := entry.Info()
			short, _ := filepath.Rel(dir, path)
			all = append(all, info.Mode().String()+" "+filepath.ToSlash(short))
		}
		return err
	}))
	return all
}

// hostile are archives that no module is read from, with the reason.
func hostile(t testing.TB) map[string]struct {
	text []byte
	want string
} {
	type c = struct {
		text []byte
		want string
	}
	file := func(names ...string) []byte { return archived(t, named(names...)...) }
	entry := func(flag byte, name, link string) []byte {
		return archived(t, append(named("main.kplan.hcl"), tar.Header{Typeflag: flag, Name: name, Linkname: link, Mode: 0o777})...)
	}
	good := archive(t, named("main.kplan.hcl")...)
	huge := tar.Header{Typeflag: tar.TypeReg, Name: "huge", Size: 1 << 40}
	var header bytes.Buffer
	must(t, tar.NewWriter(&header).WriteHeader(&huge))
	sparse := archive(t, tar.Header{Name: "sparse", Mode: 0o644})
	sparse[156] = 'S'
	checksum(sparse[:512])
	return map[string]c{
		"parent":                    {file("../evil"), `"../evil" leads out of the module`},
		"parent inside":             {file("a/../../evil"), `"a/../../evil" leads out of the module`},
		"parent at the end":         {file("a/.."), `"a/.." leads out of the module`},
		"absolute":                  {file("/etc/passwd"), `"/etc/passwd" is an absolute path, which leads out of the module`},
		"absolute behind a dot":     {file(".//etc/passwd"), `"/etc/passwd" is an absolute path, which leads out of the module`},
		"Windows drive":             {file(`C:\evil`), `"C:\\evil" has one of the characters <>:"|?*\ in its name, which Windows does not allow`},
		"backslashes":               {file(`..\evil`), `"..\\evil" has one of the characters <>:"|?*\ in its name, which Windows does not allow`},
		"stream":                    {file("a:b"), `"a:b" has one of the characters <>:"|?*\ in its name, which Windows does not allow`},
		"device of Windows":         {file("sub/NUL.txt"), `"sub/NUL.txt" is the name of a device on Windows`},
		"dot at the end":            {file("a./b"), `"a./b" ends in a dot or a space, which Windows removes`},
		"newline":                   {file("a\nb"), `"a\nb" has an invisible character in its name`},
		"escape":                    {file("a\x1b[2J"), `"a\x1b[2J" has an invisible character in its name`},
		"text direction":            {file("a\u202elch.nalpk.b"), `"a\u202elch.nalpk.b" has an invisible character in its name`},
		"not UTF-8":                 {file("a\xff"), `"a\xff" is not written in UTF-8`},
		"of git":                    {file(".Git/config"), `".Git/config" belongs to git, and not to a module`},
		"symbolic link":             {entry(tar.TypeSymlink, "link", "/etc/passwd"), `"link" is a symbolic link; a module has regular files only`},
		"symbolic link inside":      {entry(tar.TypeSymlink, "link", "main.kplan.hcl"), `"link" is a symbolic link; a module has regular files only`},
		"symbolic link, directory":  {entry(tar.TypeSymlink, "a", ".."), `"a" is a symbolic link; a module has regular files only`},
		"hard link":                 {entry(tar.TypeLink, "link", "/etc/shadow"), `"link" is a hard link; a module has regular files only`},
		"character device":          {entry(tar.TypeChar, "zero", ""), `"zero" is a device; a module has regular files only`},
		"block device":              {entry(tar.TypeBlock, "sda", ""), `"sda" is a device; a module has regular files only`},
		"named pipe":                {entry(tar.TypeFifo, "pipe", ""), `"pipe" is a named pipe; a module has regular files only`},
		"sparse file":               {zip(t, sparse), "it is no tar archive, or a damaged one: invalid tar header"},
		"twice":                     {file("a", "a"), `"a" is there twice`},
		"twice but for capitals":    {file("Read.me", "read.me"), `"read.me" has the name of "Read.me" on systems that don't tell capitals from small letters`},
		"directories, but capitals": {file("A/b", "a/c"), `"a/c" has the name of "A" on systems that don't tell capitals from small letters`},
		"two forms of é": {file("\u00e9", "e\u0301"), "\"e\u0301\" has the name of \"\u00e9\" on systems that don't " +
			"tell capitals from small letters"},
		"file and directory": {file("a", "a/b"), `"a/b" has the place of "a", of which one is a file and the other a directory`},
		"directory and file": {file("a/b", "a"), `"a" has the place of "a", of which one is a file and the other a directory`},
		"deep":               {file(strings.Repeat("d/", 40) + "f"), `is more than 32 directories deep`},
		"long name":          {file(strings.Repeat("n", 300)), `has a name of more than 255 bytes`},
		"long path":          {file(strings.Repeat(strings.Repeat("n", 200)+"/", 6) + "f"), `has a path of more than 1024 bytes`},
		"many files":         {archived(t, many(10_001, "f%d")...), "it has more than 10000 files"},
		"many directories":   {archived(t, many(10_000, "d%d/a/f")...), "it has more than 10000 files"},
		"declared large":     {zip(t, header.Bytes()), "its files have more than 64 MiB together"},
		"bomb": {zip(t, append(archive(t, tar.Header{Name: "a"})[:1024], make([]byte, 130<<20)...)), "its " +
			"files have more than 64 MiB together"},
		"nothing":             {nil, "the archive ends in the middle"},
		"empty":               {zip(t, nil), "the archive is empty"},
		"no gzip":             {good, "it is no archive that is packed with gzip: invalid header"},
		"no tar":              {zip(t, bytes.Repeat([]byte("x"), 2000)), "it is no tar archive, or a damaged one: invalid tar header"},
		"cut off, tar":        {zip(t, good[:512]), "the archive ends in the middle"},
		"cut off, gzip":       {zip(t, good)[:40], "the archive ends in the middle"},
		"damaged checksum":    {flip(zip(t, good), -6), "it is no archive that is packed with gzip: invalid checksum"},
		"something behind it": {zip(t, append(slices.Clone(good), []byte("evil")...)), "there is something behind the end of the archive"},
		"a second archive":    {append(zip(t, good), zip(t, good)...), "there is something behind the end of the archive"},
	}
}

func flip(text []byte, at int) []byte {
	text[len(text)+at] ^= 1
	return text
}

// checksum makes a header valid again.
func checksum(header []byte) {
	copy(header[148:156], "        ")
	sum := 0
	for _, c := range header {
		sum += int(c)
	}
	copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// TestHostileArchives: none of them is read, each has its reason, and nothing is written outside of the tree.
func TestHostileArchives(t *testing.T) {
	all := hostile(t)
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			dir, _, err := unpack(t.Context(), t, c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nand should be\n%s", err, c.want)
			}
			for _, file := range files(t, dir) {
				if mode, name, _ := strings.Cut(file, " "); mode != "-r--r--r--" || !strings.HasPrefix(name, "tree/") {
					t.Errorf("%s was written", file)
				}
			}
			if entries, _ := os.ReadDir(filepath.Dir(dir)); len(entries) != 1 {
				t.Errorf("beside the directory is %v", entries)
			}
			if took := time.Since(begun); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	t.Logf("%d archives", len(all))
}

// TestArchive: what is read is what was packed, whatever the modes are.
func TestArchive(t *testing.T) {
	text := archived(t,
		tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "x"}},
		tar.Header{Typeflag: tar.TypeDir, Name: "./"}, tar.Header{Typeflag: tar.TypeDir, Name: "./sub/", Mode: 0o7777},
		tar.Header{Name: "./main.kplan.hcl", Mode: 0o4755}, tar.Header{Name: "sub/a b.txt", Mode: 0o000}, tar.Header{Name: "ä/.hidden"})
	dir, hash, err := unpack(t.Context(), t, text)
	must(t, err)
	want := []string{"-r--r--r-- tree/main.kplan.hcl", "-r--r--r-- tree/sub/a b.txt", "-r--r--r-- tree/ä/.hidden"}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("it has %q", got)
	}
	root, err := os.OpenRoot(dir)
	must(t, err)
	again, omitted, err := tree.Read(root)
	if err != nil || again != hash || len(omitted) != 0 {
		t.Errorf("read again it is %s, %v, %v", again, omitted, err)
	}
	p := tree.NewPacker()
	for _, name := range []string{"ä/.hidden", "sub/a b.txt", "main.kplan.hcl"} {
		must(t, p.Add(name, []byte("x")))
	}
	packed, packedHash, err := p.Close()
	must(t, err)
	if packedHash != hash {
		t.Errorf("packed it is %s, and read %s", packedHash, hash)
	}
	if _, unpacked, err := unpack(t.Context(), t, packed); err != nil || unpacked != hash {
		t.Errorf("packed and unpacked it is %s, %v", unpacked, err)
	}
}

// TestHash holds the hash against what docs/modules.md says: anybody can compute it with sha256sum.
func TestHash(t *testing.T) {
	_, hash, err := unpack(t.Context(), t, archived(t, named("b", "a/c")...))
	must(t, err)
	// printf x | sha256sum is 2d711642…; each line is that, two spaces and the path; the lines are hashed, in base64.
	if want := "h1:TbD9B2RqfeP28mTMYwWW7X+0zMdkKWGVuNnS4TOLrSA="; hash.String() != want {
		t.Errorf("it is %s, want %s", hash, want)
	}
	parsed, err := tree.ParseHash(hash.String())
	if err != nil || parsed != hash {
		t.Errorf("read again it is %v, %v", parsed, err)
	}
}

// TestInterruptedArchive: the end of the context ends the reading.
func TestInterruptedArchive(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := unpack(ctx, t, archived(t, many(1000, "f%d")...)); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(archive(f, named("main.kplan.hcl", "a/b")...), true)
	for _, c := range hostile(f) {
		if len(c.text) < 64<<10 {
			f.Add(c.text, false)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, pack bool) {
		if pack {
			text = zip(t, text)
		}
		dir, hash, err := unpack(t.Context(), t, text)
		for _, file := range files(t, dir) {
			if !strings.HasPrefix(file, "-r--r--r-- tree/") && file != "-r--r--r-- omitted" {
				t.Errorf("%s was written", file)
			}
		}
		if err != nil {
			return
		}
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		if again, _, err := tree.Read(root); err != nil || again != hash {
			t.Errorf("read again it is %s, %v", again, err)
		}
	})
}
