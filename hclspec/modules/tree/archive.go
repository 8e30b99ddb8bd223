package tree

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxArchive bounds what an archive unpacks to: its files, and a header and padding for each entry.
const maxArchive = MaxSize + 3*MaxFiles*1536

// ReadArchive adds the files of a tar archive that is packed with gzip. It must be the whole of from.
func ReadArchive(ctx context.Context, from io.Reader, to *Writer) error {
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return notPacked(err)
	}
	bounded := &io.LimitedReader{R: &until{ctx, unpacked}, N: maxArchive}
	err = readTar(tar.NewReader(bounded), to)
	switch {
	case bounded.N <= 0:
		return errTooLarge
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return notPacked(err)
	case err != nil:
		return err
	}
	return drain(bounded)
}

func notPacked(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return fmt.Errorf("it is no archive that is packed with gzip: %s", strings.TrimPrefix(err.Error(), "gzip: "))
}

var errCut = errors.New("the archive ends in the middle")

// drain reads what is behind the end of the archive: the checksum, and padding.
func drain(r *io.LimitedReader) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		for _, c := range buffer[:n] {
			if c != 0 {
				return errors.New("there is something behind the end of the archive")
			}
		}
		switch {
		case r.N <= 0:
			return errTooLarge
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return notPacked(err)
		}
	}
}

func readTar(archive *tar.Reader, to *Writer) error {
	for entries := 0; ; entries++ {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF) && entries == 0:
			return errors.New("the archive is empty")
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			return errCut
		case errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong):
			return fmt.Errorf("it is no tar archive, or a damaged one: %s", strings.TrimPrefix(err.Error(), "archive/tar: "))
		case err != nil:
			return err
		case entries > 3*MaxFiles:
			return errTooMany
		}
		if err := readEntry(header, archive, to); err != nil {
			return err
		}
	}
}

func readEntry(header *tar.Header, content io.Reader, to *Writer) error {
	name := strings.TrimPrefix(header.Name, "./")
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return &Refusal{name, "is a sparse file; a module has regular files only"}
		}
	}
	switch header.Typeflag {
	case tar.TypeXGlobalHeader: // git archive writes one
		return nil
	case tar.TypeDir:
		if name = strings.TrimSuffix(name, "/"); name == "" || name == "." {
			return nil
		}
		return to.Dir(name)
	case tar.TypeReg:
		err := to.Add(name, header.Size, content)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errCut
		}
		return err
	}
	return &Refusal{name, "is " + typeName(header.Typeflag) + "; a module has regular files only"}
}

func typeName(flag byte) string {
	switch flag {
	case tar.TypeSymlink:
		return "a symbolic link"
	case tar.TypeLink:
		return "a hard link"
	case tar.TypeChar, tar.TypeBlock:
		return "a device"
	case tar.TypeFifo:
		return "a named pipe"
	case tar.TypeGNUSparse:
		return "a sparse file"
	}
	return fmt.Sprintf("an entry of type %q", flag)
}

// until ends reading at the end of a context.
type until struct {
	ctx  context.Context
	from io.Reader
}

func (r *until) Read(p []byte) (int, error) {
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
