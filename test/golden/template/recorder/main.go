// Records what Go's text/template with sprig makes of templates: reads ../*.cases, writes
// ../vectors.jsonl.
//
//	cd test/golden/template/recorder && go run .
//
// A file of cases has a template a line; `data: JSON` sets the data of those below it, `# ` begins a
// comment.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

type vector struct {
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
	Output   string          `json:"output"`
	Refused  bool            `json:"refused,omitempty"`
	Error    bool            `json:"error,omitempty"`
}

func record(text, data string) (result vector) {
	result = vector{Template: text, Data: json.RawMessage(data)}
	parsed, err := template.New("").Funcs(sprig.TxtFuncMap()).Parse(strings.TrimSpace(text))
	if err != nil {
		result.Refused = true
		return result
	}
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber() // as KWOK decodes what its templates see
	var value any
	if err := decoder.Decode(&value); err != nil {
		log.Fatalf("%s: %v", data, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, value); err != nil {
		result.Error = true
		return result
	}
	result.Output = out.String()
	return result
}

func readCases(path string, visit func(text, data string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	data := "null"
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "" || strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "data: "):
			data = strings.TrimPrefix(line, "data: ")
		default:
			visit(line, data)
		}
	}
	return lines.Err()
}

func main() {
	time.Local = time.UTC
	out, err := os.Create("../vectors.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	writer := bufio.NewWriter(out)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	count := 0
	files, err := filepath.Glob("../*.cases")
	for _, file := range files {
		err = errors.Join(err, readCases(file, func(text, data string) {
			count++
			if err := encoder.Encode(record(text, data)); err != nil {
				log.Fatal(err)
			}
		}))
	}
	if err = errors.Join(err, writer.Flush(), out.Close()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(count, "vectors")
}
