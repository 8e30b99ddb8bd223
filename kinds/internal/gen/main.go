// Command gen writes builtin.txt, the table from which package kinds knows the
// built-in kinds. It reads the sources of the Kubernetes API modules that
// go.mod pins and adds what no marker there has, kept by hand in facts.txt.
//
// Run it with go generate ./kinds. TestTableIsCurrent fails when the table and
// its sources differ.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	facts := flag.String("facts", "internal/gen/facts.txt", "the facts kept by hand")
	out := flag.String("out", "builtin.txt", "the table to write")
	flag.Parse()
	table, err := generate(*facts)
	if err == nil {
		err = os.WriteFile(*out, table, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// generate is the whole table.
func generate(factsFile string) ([]byte, error) {
	src, err := openSource()
	if err != nil {
		return nil, err
	}
	facts, err := readFacts(factsFile)
	if err != nil {
		return nil, err
	}
	kinds, err := src.kinds(facts.unserved)
	if err != nil {
		return nil, err
	}
	types, err := src.reachable(kinds)
	if err != nil {
		return nil, err
	}
	if err := facts.apply(types); err != nil {
		return nil, err
	}
	return render(src.versions, kinds, types, facts), nil
}
