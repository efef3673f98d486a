// Writes what cel-go 0.26, and KWOK 0.8 with it, answer to the expressions of the *.cel files here.
// The README tells how it is run.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	corev1 "k8s.io/api/core/v1"
	"maps"
	kwokcel "sigs.k8s.io/kwok/pkg/utils/cel"
	"slices"
)

// An outcome is ["refused", text], ["error", text] or ["value", type, text].
type compile func(expression string) (func() (ref.Val, error), error)

func main() {
	standard := newStandard()
	strict := newStandard(cel.CrossTypeNumericComparisons(true), cel.HomogeneousAggregateLiterals())
	write("standard", standard)
	write("syntax", standard)
	write("strict", strict)
	write("kwok_pod", newKwok(read[corev1.Pod]("pod.json")))
	write("kwok_node", newKwok(read[corev1.Node]("node.json")))
	write("kwok_any", newKwok(*read[map[string]any]("any.json")))
}

func newStandard(options ...cel.EnvOption) compile {
	data := *read[map[string]any]("variables.json")
	options = append(options,
		cel.Variable("b", cel.BoolType),
		cel.Variable("i", cel.IntType),
		cel.Variable("f", cel.DoubleType),
		cel.Variable("s", cel.StringType),
		cel.Variable("ints", cel.ListType(cel.IntType)),
		cel.Variable("labels", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("o", cel.DynType),
		cel.Variable("a.b", cel.IntType),
	)
	env, err := cel.NewEnv(options...)
	check(err)
	return func(expression string) (func() (ref.Val, error), error) {
		ast, issues := env.CompileSource(common.NewStringSource(expression, "<input>"))
		if issues.Err() != nil {
			return nil, issues.Err()
		}
		program, err := env.Program(ast)
		if err != nil {
			return nil, err
		}
		return func() (ref.Val, error) { v, _, err := program.Eval(data); return v, err }, nil
	}
}

func newKwok(self any) compile {
	env, err := kwokcel.NewEnvironment(kwokcel.EnvironmentConfig{
		Types:       slices.Clone(kwokcel.DefaultTypes),
		Conversions: slices.Clone(kwokcel.DefaultConversions),
		Methods:     maps.Clone(kwokcel.FuncsToMethods(kwokcel.DefaultFuncs)),
		Funcs:       maps.Clone(kwokcel.DefaultFuncs),
		Vars:        map[string]any{"self": self},
	})
	check(err)
	return func(expression string) (func() (ref.Val, error), error) {
		program, err := env.Compile(expression)
		if err != nil {
			return nil, err
		}
		return func() (ref.Val, error) {
			v, _, err := program.Eval(map[string]any{"self": self})
			return v, err
		}, nil
	}
}

// Numbers without a fraction are ints, as in objects of Kubernetes.
func read[T any](name string) *T {
	data, err := os.ReadFile(name)
	check(err)
	value := new(T)
	check(json.Unmarshal(data, value))
	if m, ok := any(value).(*map[string]any); ok {
		*m = whole(*m).(map[string]any)
	}
	return value
}

func whole(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if v == float64(int64(v)) && v < 1e15 {
			return int64(v)
		}
	}
	return value
}

// The file's expressions, one a line; lines that begin with # are comments; \n, \t and \r in an
// expression between ⟦ and ⟧ are those characters.
func write(name string, compile compile) {
	in, err := os.Open(name + ".cel")
	check(err)
	defer in.Close()
	out, err := os.Create("../forms/cel_" + name + ".jsonl")
	check(err)
	defer out.Close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		line = strings.NewReplacer("⟦n⟧", "\n", "⟦t⟧", "\t", "⟦r⟧", "\r").Replace(line)
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		check(encoder.Encode(append([]string{line}, outcome(compile, line)...)))
	}
	check(lines.Err())
}

func outcome(compile compile, expression string) []string {
	program, err := compile(expression)
	if err != nil {
		return []string{"refused", clean(err.Error())}
	}
	value, err := program()
	if err != nil {
		return []string{"error", clean(err.Error())}
	}
	return []string{"value", clean(value.Type().TypeName()), clean(show(value))}
}

func show(value ref.Val) string {
	if quantity, ok := value.(kwokcel.Quantity); ok {
		return fmt.Sprintf("kubernetes.Quantity(%q)", quantity.Quantity.String())
	}
	return types.Format(value)
}

// KWOK's checker calls its types by their Go names.
func clean(text string) string {
	return strings.NewReplacer("cel.Quantity", "kubernetes.Quantity", "cel.ResourceList",
		"kubernetes.ResourceList").Replace(text)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
