// Package vectors records what a program of others makes of cases written by hand.
//
// A file of cases has a case a line; `NAME: JSON` sets what those below it work on, and `# ` begins
// a comment.
package vectors

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Visit is called with each case, and the JSON that it works on.
type Visit func(text, json string)

// Record reads folder/*.cases, where `name: ` sets the JSON, and more cases of generate; it writes
// what record makes of them into folder/vectors.jsonl.
func Record(folder, name string, generate func(Visit), record func(text, json string) any) {
	time.Local = time.UTC
	out, err := os.Create(filepath.Join(folder, "vectors.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	writer := bufio.NewWriter(out)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	count := 0
	visit := func(text, json string) {
		count++
		if err := encoder.Encode(record(text, json)); err != nil {
			log.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.cases"))
	for _, file := range files {
		err = errors.Join(err, read(file, name+": ", visit))
	}
	generate(visit)
	if err = errors.Join(err, writer.Flush(), out.Close()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(count, "vectors")
}

func read(path, prefix string, visit Visit) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	json := "null"
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "" || strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, prefix):
			json = strings.TrimPrefix(line, prefix)
		default:
			visit(line, json)
		}
	}
	return lines.Err()
}
