// Package ownership finds which manager owns which fields of an object, from the
// managedFields that the API server records.
//
// Of reads the record of one object. It costs little: the field sets of an entry,
// which are nearly all of a record, are read when they are first asked for, and
// then once. They are read from decoded JSON, as the client has it already; to
// encode it again for each of thousands of objects takes longer than all the rest
// of comparing them. Fields are sets of structured-merge-diff, the server's own
// library. Entries that can't be read, of a newer server say, own nothing, except
// for kplan's own, for which that is an error.
package ownership

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
)

// Manager is the field manager that kplan applies as.
const Manager = "kplan"

// Record is the managedFields of one object, in the server's order. It is for one
// goroutine at a time.
type Record []*Entry

// Entry is what one manager wrote into an object by one operation.
type Entry struct {
	Manager     string
	Applied     bool      // by server-side apply rather than an update
	Subresource string    // through which it was written: scale, status; mostly ""
	APIVersion  string    // in which the fields are spelled
	Time        time.Time // of the last change, in UTC; zero where it is not recorded

	raw    map[string]any // the entry as it was decoded
	fields *fieldpath.Set // once read
	err    error
}

// Of reads the record of an object in JSON form. The object is kept: do not change
// it while the record is used.
func Of(object map[string]any) Record {
	list := managedFields(object)
	record, entries := make(Record, len(list)), make([]Entry, len(list))
	for i, v := range list {
		raw, _ := v.(map[string]any)
		entries[i].read(raw)
		record[i] = &entries[i]
	}
	return record
}

func managedFields(object map[string]any) []any {
	metadata, _ := object["metadata"].(map[string]any)
	list, _ := metadata["managedFields"].([]any)
	return list
}

func (e *Entry) read(raw map[string]any) {
	e.raw = raw
	e.Manager, _ = raw["manager"].(string)
	e.Applied = raw["operation"] == string(metav1.ManagedFieldsOperationApply)
	e.Subresource, _ = raw["subresource"].(string)
	e.APIVersion, _ = raw["apiVersion"].(string)
	if text, ok := raw["time"].(string); ok {
		at, _ := time.Parse(time.RFC3339, text)
		e.Time = at.UTC()
	}
}

// Fields are the fields that the entry lists as owned. Do not change them.
func (e *Entry) Fields() (*fieldpath.Set, error) {
	if e.fields == nil && e.err == nil {
		fieldsV1, _ := e.raw["fieldsV1"].(map[string]any)
		e.fields, _, e.err = readSet(fieldsV1)
		switch {
		case e.err != nil:
			e.err = fmt.Errorf("managedFields of manager %q: %w", e.Manager, e.err)
		case e.fields == nil:
			e.fields = &fieldpath.Set{}
		}
	}
	return e.fields, e.err
}

// Owns reports whether the manager owns the field at a path or any below it.
func (e *Entry) Owns(path addrs.Path) bool {
	fields, err := e.Fields()
	return err == nil && Owns(fields, path)
}

// Raw is the entry in JSON form, as the object has it.
func (e *Entry) Raw() map[string]any { return e.raw }

// Without is the entry in its JSON form, without what it lists below these fields.
func (e *Entry) Without(fields addrs.PathSet) map[string]any {
	all, err := e.Fields()
	if err != nil || len(fields) == 0 {
		return e.raw
	}
	kept := &fieldpath.Set{}
	all.Iterate(func(elements fieldpath.Path) {
		if path := Path(elements); fields.Outermost(path) == path {
			kept.Insert(elements.Copy())
		}
	})
	if kept.Equals(all) {
		return e.raw
	}
	raw := maps.Clone(e.raw)
	raw["fieldsV1"] = fieldsV1Of(kept)
	return raw
}

// OwnEntry is the entry of kplan's applies, nil where there is none.
func (r Record) OwnEntry() *Entry {
	for _, e := range r {
		if e.Manager == Manager && e.Applied && e.Subresource == "" {
			return e
		}
	}
	return nil
}

// OwnFields are the fields that kplan owns by applying in that API version, nil
// where it applied in none or in another.
func (r Record) OwnFields(apiVersion string) (*fieldpath.Set, error) {
	own := r.OwnEntry()
	if own == nil || own.APIVersion != apiVersion {
		return nil, nil
	}
	return own.Fields()
}

// OwnPaths are the fields that kplan owns by applying, in whatever API version.
func (r Record) OwnPaths() (paths []addrs.Path) {
	own := r.OwnEntry()
	if own == nil {
		return nil
	}
	fields, err := own.Fields()
	if err != nil {
		return nil
	}
	for elements := range fields.Leaves().All() {
		paths = append(paths, Path(elements))
	}
	return paths
}

// OtherEntry is the entry of a manager other than kplan that owns the field at a path or
// any below it, nil where none does.
func (r Record) OtherEntry(path addrs.Path) *Entry {
	for _, e := range r {
		if e.Manager != Manager && e.Owns(path) {
			return e
		}
	}
	return nil
}

// KplanFields are the fields that kplan owns, by whatever operation.
func (r Record) KplanFields() *fieldpath.Set {
	return r.union(func(e *Entry) bool { return e.Manager == Manager })
}

// OtherFields are the fields that managers other than kplan own.
func (r Record) OtherFields() *fieldpath.Set {
	return r.union(func(e *Entry) bool { return e.Manager != Manager })
}

// AllFields are the fields that anybody owns.
func (r Record) AllFields() *fieldpath.Set { return r.union(func(*Entry) bool { return true }) }

func (r Record) union(wanted func(*Entry) bool) *fieldpath.Set {
	all := &fieldpath.Set{}
	for _, e := range r {
		if !wanted(e) {
			continue
		}
		if fields, err := e.Fields(); err == nil {
			all = all.Union(fields)
		}
	}
	return all
}

// First is the entry of who wrote into the object first, other than into a
// subresource, nil where no time is recorded.
func (r Record) First() *Entry {
	var first *Entry
	for _, e := range r {
		if e.Subresource == "" && !e.Time.IsZero() && (first == nil || e.Time.Before(first.Time)) {
			first = e
		}
	}
	return first
}

// SameOwners reports whether two objects have the same managers owning the same fields,
// at whatever times.
func SameOwners(a, b map[string]any) bool { return slices.Equal(untimed(a), untimed(b)) }

func untimed(object map[string]any) []string {
	var texts []string
	for _, entry := range Of(object) {
		raw := maps.Clone(entry.raw)
		delete(raw, "time")
		text, err := json.Marshal(raw)
		if err != nil {
			panic("ownership: an object that came as JSON has no JSON form: " + err.Error())
		}
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}
