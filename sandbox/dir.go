package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// dir is the directory of one sandbox. Everything about a sandbox is found from it, and nothing of it is elsewhere.
type dir string

// openDir names the directory of a sandbox, which need not exist yet.
func openDir(path string) (dir, error) {
	abs, err := filepath.Abs(path)
	return dir(abs), err
}

func (d dir) file(elem ...string) string {
	return filepath.Join(append([]string{string(d)}, elem...)...)
}

func (d dir) kubeconfig() string        { return d.file("kubeconfig") }
func (d dir) auditLog() string          { return d.file("audit.log") }
func (d dir) token() string             { return d.file("token") }
func (d dir) log(part string) string    { return d.file("logs", part+".log") }
func (d dir) pki(name string) string    { return d.file("pki", name) }
func (d dir) config(name string) string { return d.file("config", name) }
func (d dir) statusFile() string        { return d.file("status.json") }
func (d dir) lockFile() string          { return d.file("lock") }
func (d dir) client(name string) string { return d.config(name + ".kubeconfig") }
func (d dir) etcdData() string          { return d.file("etcd") }

// create makes the directory and those in it.
func (d dir) create() error {
	for _, sub := range []string{"pki", "config", "logs"} {
		if err := os.MkdirAll(d.file(sub), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// purge removes the directory, if it is a sandbox's.
func (d dir) purge() error {
	if _, err := os.Stat(d.lockFile()); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(string(d)); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("%s is not a sandbox's directory; it stays", d)
	}
	return os.RemoveAll(string(d))
}

// errRunning says that a supervisor is at work in the directory.
var errRunning = errors.New("sandbox is running")

// lock makes the caller the directory's only supervisor until it closes the file or ends, however it ends.
func (d dir) lock() (*os.File, error) {
	f, err := os.OpenFile(d.lockFile(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errRunning
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f, nil
}

// supervised reports whether a supervisor is at work in the directory.
func (d dir) supervised() bool {
	if _, err := os.Stat(d.lockFile()); err != nil {
		return false
	}
	f, err := d.lock()
	if err != nil {
		return errors.Is(err, errRunning)
	}
	f.Close()
	return false
}

// write replaces a file of the sandbox at once: a reader sees the old text or the new.
func (d dir) write(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Close()); err != nil {
		os.Remove(temp.Name())
		return err
	}
	return os.Rename(temp.Name(), path)
}

// readStatus is what the supervisor wrote down last; ok is false if there never was one.
func (d dir) readStatus() (s Status, ok bool, err error) {
	text, err := os.ReadFile(d.statusFile())
	if errors.Is(err, os.ErrNotExist) {
		return Status{}, false, nil
	}
	if err != nil {
		return Status{}, false, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return Status{}, false, fmt.Errorf("%s: %w", d.statusFile(), err)
	}
	return s, true, nil
}

func (d dir) writeStatus(s Status) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return d.write(d.statusFile(), append(text, '\n'))
}
