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
	server := flag.String("server", "", "URL of a real server (kubectl proxy): writes resources.tsv from its discovery first")
	flag.Parse()
	if err := run(*facts, *server); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(facts, server string) error {
	resources := filepath.Join(facts, "resources.tsv")
	if server != "" {
		if err := writeResources(server, resources); err != nil {
			return err
		}
	}
	c := newCollector()
	for _, path := range []string{resources, filepath.Join(facts, "aggregated_resources.tsv")} {
		kinds, err := readKinds(path)
		if err != nil {
			return err
		}
		for _, k := range kinds {
			if err := c.addKind(k.groupVersion, k.kind); err != nil {
				return err
			}
		}
	}
	c.addExtraRoots()
	text, err := c.text()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(facts, "types.tsv"), []byte(text), 0o644); err != nil {
		return err
	}
	return writeCustom(facts)
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
		if len(column) < 9 || column[0] == "groupVersion" {
			continue
		}
		gv := column[0]
		if column[3] != "" {
			gv = column[3]
		}
		kinds = append(kinds, groupVersionKind{gv, column[2]})
		if strings.Contains(","+column[8]+",", ",list,") {
			kinds = append(kinds, groupVersionKind{gv, column[2] + "List"})
		}
	}
	return kinds, scanner.Err()
}
