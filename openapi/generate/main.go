// Program generate reads the published Go types of Kubernetes and writes openapi/facts/types.tsv:
// one line per type and per field with names, numbers and keys, no descriptions. README.md has
// the command and the format.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	facts := flag.String("facts", "../facts", "folder of the facts: reads resources.tsv, writes types.tsv")
	flag.Parse()
	if err := run(*facts); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(facts string) error {
	kinds, err := readKinds(filepath.Join(facts, "resources.tsv"))
	if err != nil {
		return err
	}
	c := newCollector()
	for _, k := range kinds {
		if err := c.addKind(k.groupVersion, k.kind); err != nil {
			return err
		}
	}
	c.addExtraRoots()
	text, err := c.text()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(facts, "types.tsv"), []byte(text), 0o644)
}

type groupVersionKind struct{ groupVersion, kind string }

// readKinds returns the kinds of all rows; of resources (not subresources) their lists too.
func readKinds(path string) ([]groupVersionKind, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var kinds []groupVersionKind
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		column := strings.Split(scanner.Text(), "\t")
		if len(column) < 10 || column[0] == "groupVersion" {
			continue
		}
		gv := column[0]
		if column[4] != "" {
			gv = column[4]
		}
		kinds = append(kinds, groupVersionKind{gv, column[3]})
		if strings.Contains(","+column[9]+",", ",list,") {
			kinds = append(kinds, groupVersionKind{gv, column[3] + "List"})
		}
	}
	return kinds, scanner.Err()
}
