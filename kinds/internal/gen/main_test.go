package main

import (
	"os"
	"testing"
)

func TestTableIsCurrent(t *testing.T) {
	want, err := generate("facts.txt")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../builtin.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("builtin.txt is not what its sources give; run go generate ./kinds and look at what changed")
	}
}
