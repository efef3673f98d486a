// Records what Go's text/template with sprig makes of the templates in ../../template/*.cases;
// `data: JSON` sets their data.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"

	"kulisse/test/golden/recorder/vectors"
)

type vector struct {
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`
	Output   string          `json:"output"`
	Refused  bool            `json:"refused,omitempty"`
	Error    bool            `json:"error,omitempty"`
}

func record(text, data string) any {
	result := vector{Template: text, Data: json.RawMessage(data)}
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

func main() { vectors.Record("../template", "data", func(vectors.Visit) {}, record) }
