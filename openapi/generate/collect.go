package main

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	admissionv1 "k8s.io/api/admission/v1"
	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/version"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/generated/openapi"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// modelNamer is what generated types say about their name in OpenAPI documents.
type modelNamer interface{ OpenAPIModelName() string }

// leaves are the types whose JSON form is not that of their Go fields, with our word for each.
var leaves = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():                            "quantity",
	reflect.TypeFor[intstr.IntOrString]():                           "int_or_string",
	reflect.TypeFor[metav1.Time]():                                  "time",
	reflect.TypeFor[metav1.MicroTime]():                             "micro_time",
	reflect.TypeFor[metav1.Duration]():                              "duration",
	reflect.TypeFor[runtime.RawExtension]():                         "raw_extension",
	reflect.TypeFor[metav1.FieldsV1]():                              "fields_v1",
	reflect.TypeFor[apiextensionsv1.JSON]():                         "json",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrBool]():        "schema_or_bool",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrArray]():       "schema_or_array",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrStringArray](): "schema_or_strings",
}

// extraRoots are types that answers, options and webhooks use and no resource refers to.
var extraRoots = []any{
	metav1.Status{}, metav1.List{}, metav1.WatchEvent{}, metav1.APIVersions{}, metav1.APIGroup{},
	metav1.APIGroupList{}, metav1.APIResourceList{}, metav1.DeleteOptions{}, metav1.CreateOptions{},
	metav1.PatchOptions{}, metav1.UpdateOptions{}, metav1.ListOptions{}, metav1.GetOptions{},
	metav1.PartialObjectMetadata{}, metav1.PartialObjectMetadataList{}, metav1.Patch{},
	metav1.Table{}, metav1.TableOptions{}, version.Info{},
	apidiscoveryv2.APIGroupDiscoveryList{}, admissionv1.AdmissionReview{},
	apiextensionsv1.ConversionReview{}, corev1.PodLogOptions{},
}

type collector struct {
	scheme      *runtime.Scheme
	definitions map[string]common.OpenAPIDefinition
	types       map[reflect.Type]*typeFacts
}

func newCollector() *collector {
	c := &collector{scheme: runtime.NewScheme(), types: map[reflect.Type]*typeFacts{}}
	for _, add := range []func(*runtime.Scheme) error{
		clientscheme.AddToScheme, apiextensionsv1.AddToScheme, apiregistrationv1.AddToScheme,
		metricsv1beta1.AddToScheme,
	} {
		if err := add(c.scheme); err != nil {
			panic(err)
		}
	}
	c.definitions = openapi.GetOpenAPIDefinitions(func(path string) spec.Ref {
		return spec.MustCreateRef(path)
	})
	return c
}

func (c *collector) addKind(groupVersion, kind string) error {
	gv, err := schema.ParseGroupVersion(groupVersion)
	if err != nil {
		return err
	}
	object, err := c.scheme.New(gv.WithKind(kind))
	if err != nil {
		return err
	}
	c.add(reflect.TypeOf(object).Elem())
	return nil
}

func (c *collector) addExtraRoots() {
	for _, root := range extraRoots {
		c.add(reflect.TypeOf(root))
	}
}

// add collects the facts of a type with a row of its own, and of all that it reaches.
func (c *collector) add(t reflect.Type) {
	if c.types[t] != nil {
		return
	}
	facts := &typeFacts{name: modelName(t), goName: t.Name(), kind: "struct"}
	c.types[t] = facts
	if word, ok := leaves[t]; ok {
		facts.kind = word
		if !strings.HasPrefix(word, "schema_or_") {
			return
		}
	}
	definition := c.definitions[facts.name].Schema
	facts.noteSchema(definition)
	for i := range t.NumField() {
		if field := t.Field(i); field.IsExported() && field.Tag.Get("json") != "-" {
			facts.fields = append(facts.fields, c.field(field, facts, definition))
		}
	}
}

// typeWord names a type in a field's row and collects it when it has a row of its own.
func (c *collector) typeWord(t reflect.Type) string {
	if _, ok := leaves[t]; ok {
		c.add(t)
		return modelName(t)
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int64:
		return "int64"
	case reflect.Int32:
		return "int32"
	case reflect.Float64:
		return "double"
	case reflect.Interface:
		return "any"
	case reflect.Struct:
		c.add(t)
		return modelName(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		if isStringList(t) {
			return "string_list"
		}
	}
	panic(fmt.Sprintf("no form for Go type %v", t))
}

func modelName(t reflect.Type) string {
	if named, ok := reflect.Zero(t).Interface().(modelNamer); ok {
		return named.OpenAPIModelName()
	}
	// k8s.io/api/admission/v1.AdmissionReview -> io.k8s.api.admission.v1.AdmissionReview
	parts := strings.Split(t.PkgPath(), "/")
	host := strings.Split(parts[0], ".")
	for i, j := 0, len(host)-1; i < j; i, j = i+1, j-1 {
		host[i], host[j] = host[j], host[i]
	}
	return strings.Join(append(append(host, parts[1:]...), t.Name()), ".")
}

// text prints all types, sorted by name.
func (c *collector) text() (string, error) {
	all := make([]*typeFacts, 0, len(c.types))
	for _, facts := range c.types {
		all = append(all, facts)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	var out strings.Builder
	for i, facts := range all {
		if i > 0 && all[i-1].name == facts.name {
			return "", fmt.Errorf("two Go types are called %s", facts.name)
		}
		facts.print(&out)
	}
	return out.String(), nil
}
