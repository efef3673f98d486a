package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
)

type typeFacts struct {
	name, goName, kind string
	notes              []string
	fields             []fieldFacts
}

type fieldFacts struct {
	jsonName, goName string
	number           int
	typeWord         string // "*" pointer, "[]" list, "{}" map, then the type
	notes            []string
}

const extensionPrefix = "x-kubernetes-"

func (t *typeFacts) note(text string)  { t.notes = append(t.notes, text) }
func (f *fieldFacts) note(text string) { f.notes = append(f.notes, text) }

// noteSchema notes what the OpenAPI definition says of the type itself.
func (t *typeFacts) noteSchema(s spec.Schema) {
	for _, key := range sortedKeys(s.Extensions) {
		switch value := s.Extensions[key]; key {
		case extensionPrefix + "map-type":
			if value != "atomic" {
				panic(fmt.Sprintf("%s: map type %v", t.name, value))
			}
			t.note("map_atomic")
		case extensionPrefix + "unions":
			t.note("unions=" + compactJSON(value))
		default:
			panic(fmt.Sprintf("%s: extension %s", t.name, key))
		}
	}
}

func (c *collector) field(field reflect.StructField, owner *typeFacts, definition spec.Schema) fieldFacts {
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	f := fieldFacts{jsonName: name, goName: field.Name, number: protobufNumber(field)}
	t := field.Type
	if t.Kind() == reflect.Pointer {
		f.typeWord = "*"
		t = t.Elem()
	}
	if hasNamedParts(t) {
		f.note("go-type=" + t.String())
	}
	list := t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
	switch {
	case t.Kind() == reflect.Map:
		f.typeWord += "{}"
		t = t.Elem()
	case list && !isStringList(t):
		f.typeWord += "[]"
		t = t.Elem()
	}
	if f.typeWord == "*{}" || f.typeWord == "*[]" {
		panic(fmt.Sprintf("%s.%s: pointer to a list or map", owner.name, field.Name))
	}
	f.typeWord += c.typeWord(t)
	words := strings.Split(options, ",")
	// Go never omits a struct for omitempty.
	if slices.Contains(words, "omitempty") && field.Type.Kind() != reflect.Struct {
		f.note("omitempty")
	}
	if slices.Contains(words, "omitzero") {
		f.note("omitzero")
	}
	if name == "" && field.Anonymous && owner.kind == "struct" {
		f.note("inline")
		return f
	}
	if property, ok := definition.Properties[name]; ok {
		f.noteProperty(property, field, slices.Contains(definition.Required, name))
	} else if owner.kind == "struct" && len(definition.Properties) > 0 {
		panic(fmt.Sprintf("%s has no property %q", owner.name, name))
	}
	return f
}

// hasNamedParts tells whether Go's name of the type says more than its structure: v1.PullPolicy for
// a string, v1.ResourceList for a map. Decoding errors print these names.
func hasNamedParts(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Interface:
		return false
	case reflect.Map:
		if hasNamedParts(t.Key()) || hasNamedParts(t.Elem()) {
			return true
		}
	case reflect.Slice, reflect.Pointer:
		if hasNamedParts(t.Elem()) {
			return true
		}
	}
	return t.PkgPath() != ""
}

// protobufNumber reads the tag `protobuf:"bytes,3,opt,name=x"`; 0 when there is none.
func protobufNumber(field reflect.StructField) int {
	parts := strings.Split(field.Tag.Get("protobuf"), ",")
	if len(parts) < 2 {
		return 0
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil {
		panic(err)
	}
	if slices.Contains(parts, "packed") {
		panic(field.Name + " is packed")
	}
	return number
}

// isStringList tells the named lists of strings that are messages of their own in protobuf.
func isStringList(t reflect.Type) bool { return t.Name() == "Verbs" || t.Name() == "ExtraValue" }

// noteProperty notes what the OpenAPI definition adds to the Go field.
func (f *fieldFacts) noteProperty(property spec.Schema, field reflect.StructField, required bool) {
	if required {
		f.note("required")
	}
	for _, key := range sortedKeys(property.Extensions) {
		value := property.Extensions[key]
		switch short := strings.TrimPrefix(key, extensionPrefix); short {
		case "patch-strategy", "patch-merge-key", "list-type", "map-type":
			f.note(short + "=" + value.(string))
		case "list-map-keys":
			var keys []string
			for _, k := range value.([]any) {
				keys = append(keys, k.(string))
			}
			f.note(short + "=" + strings.Join(keys, ","))
		default:
			panic(fmt.Sprintf("%s: extension %s", f.goName, key))
		}
	}
	if !reflect.DeepEqual(property.Default, impliedDefault(field)) {
		f.note("default=" + compactJSON(property.Default))
	}
	values := property.Enum
	if property.Items != nil && property.Items.Schema != nil {
		values = append(values, property.Items.Schema.Enum...)
	}
	if property.AdditionalProperties != nil && property.AdditionalProperties.Schema != nil {
		values = append(values, property.AdditionalProperties.Schema.Enum...)
	}
	if len(values) > 0 {
		var words []string
		for _, v := range values {
			words = append(words, v.(string))
		}
		f.note("enum=" + strings.Join(words, ","))
	}
}

// impliedDefault is the default that the documents give a field of the Go type without a marker:
// {} for structs that Go always writes, the zero value for scalars that it always writes.
func impliedDefault(field reflect.StructField) any {
	_, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	omitEmpty := strings.Contains(options, "omitempty")
	if _, leaf := leaves[field.Type]; leaf {
		return nil
	}
	switch kind := field.Type.Kind(); {
	case kind == reflect.Struct:
		return map[string]any{}
	case omitEmpty:
		return nil
	case kind == reflect.String:
		return ""
	case kind == reflect.Bool:
		return false
	case kind == reflect.Int32 || kind == reflect.Int64 || kind == reflect.Int:
		return 0
	}
	return nil
}

func (t *typeFacts) print(out *strings.Builder) {
	printRow(out, []string{t.name, t.goName, t.kind}, t.notes)
	for _, f := range t.fields {
		printRow(out, []string{"", f.jsonName, f.goName, strconv.Itoa(f.number), f.typeWord}, f.notes)
	}
}

func printRow(out *strings.Builder, columns, notes []string) {
	out.WriteString(strings.Join(append(columns, notes...), "\t"))
	out.WriteByte('\n')
}

func compactJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
