package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// kwokModule publishes the definitions of the custom resources that are served from the start.
const kwokModule = "sigs.k8s.io/kwok@v0.8.0"

const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// writeCustom writes, for each definition in the module, a row and a subresource's row, the rows of
// its types, and its schema: what a server learns from a CustomResourceDefinition.
func writeCustom(facts string) error {
	folder, err := moduleFolder(kwokModule)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "kustomize/crd/bases/*.yaml"))
	if err != nil {
		return err
	}
	var resources, schemas strings.Builder
	resources.WriteString(resourcesHeader)
	types := map[string]*typeFacts{}
	for _, file := range files { // by name: in the order of the resources
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, version := range crd.Spec.Versions {
			if !version.Served {
				continue
			}
			resources.WriteString(customRows(crd.Spec, version))
			schema := version.Schema.OpenAPIV3Schema
			stripDescriptions(schema)
			name := customTypeName(crd.Spec, version.Name)
			schemas.WriteString(name + "\t" + compactJSON(schema) + "\n")
			addRootType(types, name, crd.Spec.Names.Kind, schema)
		}
	}
	names := make([]string, 0, len(types))
	for name := range types {
		names = append(names, name)
	}
	slices.Sort(names)
	var rows strings.Builder
	for _, name := range names {
		types[name].print(&rows)
	}
	for name, text := range map[string]string{
		"custom_resources.tsv": resources.String(),
		"custom_types.tsv":     rows.String(),
		"custom_schemas.tsv":   schemas.String(),
	} {
		if err := os.WriteFile(filepath.Join(facts, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// moduleFolder has the module downloaded into Go's cache. Its code is not needed, so it is not in
// go.mod.
func moduleFolder(module string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", module)
	command.Dir = os.TempDir()
	text, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	var download struct{ Dir string }
	if err := json.Unmarshal(text, &download); err != nil {
		return "", err
	}
	return download.Dir, nil
}

func customRows(crd apiextensionsv1.CustomResourceDefinitionSpec, version apiextensionsv1.CustomResourceDefinitionVersion) string {
	names := crd.Names
	gv := crd.Group + "/" + version.Name
	scope := strconv.FormatBool(crd.Scope == apiextensionsv1.NamespaceScoped)
	// Upstream: StorageVersionHash in apiserver/pkg/endpoints/discovery.
	sum := sha256.Sum256([]byte(gv + "/" + names.Kind))
	row := strings.Join([]string{
		gv, names.Plural, names.Kind, "", scope, strings.Join(names.ShortNames, ","),
		strings.Join(names.Categories, ","), names.Singular,
		"create,delete,deletecollection,get,list,patch,update,watch",
		base64.StdEncoding.EncodeToString(sum[:8]),
	}, "\t") + "\n"
	if version.Subresources != nil && version.Subresources.Status != nil {
		row += strings.Join([]string{
			gv, names.Plural + "/status", names.Kind, "", scope, "", "", "", "get,patch,update", "",
		}, "\t") + "\n"
	}
	return row
}

// customTypeName is the name of the kind in OpenAPI documents.
func customTypeName(crd apiextensionsv1.CustomResourceDefinitionSpec, version string) string {
	parts := strings.Split(crd.Group, ".")
	slices.Reverse(parts)
	return strings.Join(append(parts, version, crd.Names.Kind), ".")
}

func stripDescriptions(schema *apiextensionsv1.JSONSchemaProps) {
	schema.Description = ""
	for name, property := range schema.Properties {
		stripDescriptions(&property)
		schema.Properties[name] = property
	}
	if schema.Items != nil {
		stripDescriptions(schema.Items.Schema)
	}
	if schema.AdditionalProperties != nil {
		stripDescriptions(schema.AdditionalProperties.Schema)
	}
}

func addRootType(types map[string]*typeFacts, name, kind string, schema *apiextensionsv1.JSONSchemaProps) {
	addCustomType(types, name, kind, schema)
	delete(types, name+".metadata") // it is that of all kinds, whatever the schema says
	root := types[name]
	root.fields = slices.DeleteFunc(root.fields, func(f fieldFacts) bool {
		return f.jsonName == "metadata"
	})
	meta := fieldFacts{jsonName: "metadata", goName: "ObjectMeta", typeWord: objectMeta}
	at := slices.IndexFunc(root.fields, func(f fieldFacts) bool { return f.jsonName > "metadata" })
	root.fields = slices.Insert(root.fields, max(at, 0), meta)
}

// addCustomType adds a row for an object of the schema; objects in it have names behind its own.
func addCustomType(types map[string]*typeFacts, name, goName string, schema *apiextensionsv1.JSONSchemaProps) {
	facts := &typeFacts{name: name, goName: goName, kind: "struct", notes: []string{"custom"}}
	types[name] = facts
	properties := make([]string, 0, len(schema.Properties))
	for property := range schema.Properties {
		properties = append(properties, property)
	}
	slices.Sort(properties)
	for _, property := range properties {
		part := schema.Properties[property]
		field := fieldFacts{jsonName: property}
		field.typeWord = customWord(types, name+"."+property, &part)
		field.noteCustom(&part)
		facts.fields = append(facts.fields, field)
	}
}

func (f *fieldFacts) noteCustom(schema *apiextensionsv1.JSONSchemaProps) {
	if keys := schema.XListMapKeys; len(keys) > 0 {
		f.note("list-map-keys=" + strings.Join(keys, ","))
	}
	if schema.XListType != nil {
		f.note("list-type=" + *schema.XListType)
	}
	if schema.XMapType != nil {
		f.note("map-type=" + *schema.XMapType)
	}
	if schema.Default != nil {
		f.note("default=" + string(schema.Default.Raw))
	}
}

// customWord is the type of a schema as the rows have it. Validation is by the schema itself, so
// the word matters for what is a list, a map or an object.
func customWord(types map[string]*typeFacts, name string, schema *apiextensionsv1.JSONSchemaProps) string {
	switch {
	case schema.XIntOrString:
		return "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
	case schema.Type == "array":
		return "[]" + customWord(types, name, schema.Items.Schema)
	case schema.Type == "object" && schema.AdditionalProperties != nil:
		return "{}" + customWord(types, name, schema.AdditionalProperties.Schema)
	case schema.Type == "object":
		addCustomType(types, name, "", schema)
		return name
	case schema.Type == "string":
		return "string"
	case schema.Type == "boolean":
		return "bool"
	case schema.Type == "integer":
		return "int64"
	case schema.Type == "number":
		return "double"
	}
	panic(fmt.Sprintf("%s: no form for type %q", name, schema.Type))
}
