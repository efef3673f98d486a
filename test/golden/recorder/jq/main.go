// Records what gojq makes of the jq programs in ../../jq/*.cases, and of generated ones.
//
// `input: JSON` sets the input; `~ ` before a program says that the text of its error is not
// compared.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"strings"

	"github.com/itchyny/gojq"

	"kulisse/test/golden/recorder/vectors"
)

type vector struct {
	Program string            `json:"program"`
	Input   json.RawMessage   `json:"input"`
	Outputs []json.RawMessage `json:"outputs"`
	Refused bool              `json:"refused,omitempty"`
	Error   string            `json:"error,omitempty"`
	Loose   bool              `json:"loose,omitempty"`
}

const resultsMax = 10_000

func record(program, input string) any {
	program, loose := strings.CutPrefix(program, "~ ")
	result := vector{Program: program, Input: json.RawMessage(input), Outputs: []json.RawMessage{}, Loose: loose}
	query, err := gojq.Parse(program)
	var code *gojq.Code
	if err == nil {
		code, err = gojq.Compile(query)
	}
	if err != nil {
		result.Refused = true
		return result
	}
	var value any // numbers are float64, as KWOK decodes them
	if err := json.Unmarshal([]byte(input), &value); err != nil {
		log.Fatalf("%s: %v", input, err)
	}
	iter := code.Run(value)
	for len(result.Outputs) < resultsMax {
		output, ok := iter.Next()
		if !ok {
			break
		}
		if err, ok := output.(error); ok {
			result.Error = err.Error()
			break
		}
		text, err := gojq.Marshal(output)
		if err != nil {
			log.Fatal(err)
		}
		result.Outputs = append(result.Outputs, text)
	}
	return result
}

// What every operator, function and assignment does to every kind of value.
func generate(visit vectors.Visit) {
	const kinds = `[null,false,true,0,-1,2,2.5,1e3,"","ab","b,a","ä€","12",[],[1,2],[2,[1]],["a","b"],{},{"a":1},{"a":{"b":2},"c":null}]`
	for _, op := range []string{"+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "//"} {
		visit(fmt.Sprintf(`[.[] as $a | .[] as $b | try ($a %s $b) catch .]`, op), kinds)
	}
	for _, f := range []string{
		"abs", "add", "all", "any", "arrays", "ascii_downcase", "ascii_upcase", "booleans", "combinations", "explode",
		"finites", "first", "flatten", "floor", "from_entries", "fromdate", "implode", "infinite", "isfinite",
		"isinfinite", "isnan", "isnormal", "isempty(.[])", "iterables", "keys", "last", "length", "ltrim", "max", "min",
		"nan", "normals", "not", "nulls", "numbers", "objects", "paths", "recurse", "reverse", "rtrim", "scalars",
		"sort", "strings", "to_entries", "toboolean", "todate", "tojson", "tostream", "tostring", "transpose", "trim",
		"type", "unique", "utf8bytelength", "values", "walk(.)", "map(.)", "map_values(.)", "gmtime", "mktime", "sqrt",
		"pow(.; 2)", "log2", "exp10", "ceil", "round", "trunc", "fabs", "significand", "frexp", "modf", "logb", "gamma",
		"@text", "@json", "@html", "@uri", "@urid", "@csv", "@tsv", "@sh", "@base64", "@base64d", "-(.)", "+(.)",
		".[0]", ".[-1]", ".a", ".a?", ".[]", ".[]?", ".[1:]", ".[:1]", ".[0:1]", "..", "error", "tonumber",
		"with_entries(.)", "del(.[0])", "del(.a)", "del(.[])", "limit(1; .[])", "first(.[])", "last(.[])",
		"[.[]?]", "{a: .}", "[paths]", "[..]", "join(\"-\")", "group_by(.)", "unique_by(.)", "sort_by(.)", "min_by(.)",
		"max_by(.)", "any(.[]; .)", "all(.[]; .)", "ltrimstr(\"a\")", "rtrimstr(\"b\")", "trimstr(\"a\")",
		"startswith(\"a\")", "endswith(\"b\")", "split(\"\")", "split(\",\")", "test(\"a\")", "indices(\"a\")",
		"indices(1)", "index(\"a\")", "rindex(\"b\")", "indices([1])", "has(0)", "has(\"a\")", "contains(\"a\")",
		"contains([1])", "contains({a: 1})", "inside([1,2,[3]])", "inside(\"xab\")", "in([1])", "flatten(1)",
		"flatten(-1)", "bsearch(1)", "getpath([\"a\",\"b\"])", "getpath([0])", "paths(type == \"number\")",
		"setpath([\"a\"]; 1)", "setpath([1]; 1)", "setpath([]; 1)", "delpaths([[\"a\"]])", "delpaths([[0],[1]])",
		"tojson | fromjson", "pick(.a)", "pick(.[1])", "to_entries | from_entries", "range(.)", "[limit(3; repeat(.))]",
		"strftime(\"%Y\")", "strptime(\"%Y\")", "splits(\",\")", "sub(\"a\"; \"b\")", "gsub(\"a\"; \"b\")", "ascii",
		"tojson | @base64 | @base64d", "@base64 \"x\\(.)y\"", "@sh \"x \\(.)\"", "@json \"\\(.)\"", "isvalid(.a)",
		"IN(1, 2)", "INDEX(.a?)", "splits(1)", "test(1)", "ascii(65)", "getpath(1)", "getpath([[0]])", "error(null)",
	} {
		visit(fmt.Sprintf(`[.[] | try [%s] catch .]`, f), kinds)
	}
	const inputs = `[null,{"a":[1,2,3],"b":{"c":4}},[1,[2,3],{"a":5}],{"a":{"a":1}},"s",7]`
	paths := []string{".a", ".b.c", ".[0]", ".[-1]", ".a[1]", ".a[]", ".[]", ".a[1:]", ".[:1]", "..", ".a?", ".[]?",
		"(.a, .b)", ".a[5]", "getpath([\"x\",\"y\"])", "first(.a[]?)", "select(.a?)", "if . then .a else .b end",
		".a // .b", "recurse", "empty", "paths", "1", ".a | tostring", "limit(1; .[]?)", ".a[.b?]?", ". as $x | .a",
		"reduce .a as $x (.; .)", "label $l | .a, break $l", "try error catch .", "input_line_number", "[.a]", "$__loc__",
		"last(.[]?)", "nth(1; .[]?)", "until(true; .a)", ".a | values", "map(.)", "to_entries", "error", ".a.a"}
	for _, path := range paths {
		for _, form := range []string{"path(%s)", "%s = 9", "%s |= 8", "%s |= empty", "%s += 1", "%s -= 1", "%s *= 2",
			"%s /= 2", "%s %%= 2", "%s //= 3", "del(%s)", "[paths(%s)]", "pick(%s)", "%s = (1, 2)", "%s |= (., 3)", "%s += (1, 2)",
			"%s |= {x: .}"} {
			visit(fmt.Sprintf(`[.[] | try [`+form+`] catch .]`, path), inputs)
		}
	}
	generators := []string{"empty", "1", "1, 2", ".[]", ".[] | select(. > 1)", "range(3)", "error(\"e\")", "1, error(\"e\"), 3",
		"null, false", "limit(2; .[])", "first(.[])", "try error catch ., 4", "(.[] | (., 10))"}
	for _, g := range generators {
		for _, form := range []string{"[%s]", "[%s] | length", "first(%s)", "last(%s)", "isempty(%s)", "any(%s; .)", "all(%s; .)",
			"reduce (%s) as $x (0; . + $x)", "foreach (%s) as $x (0; . + $x)", "foreach (%s) as $x (0; . + $x; [$x, .])",
			"(%s) // 9", "[(%s)?]", "try (%s) catch 5", "{a: (%s), b: (%s)}", "[(%s) + (%s)]", "if (%s) then 1 else 2 end",
			"[limit(2; %s)]", "[skip(1; %s)]", "nth(1; %s)", "(%s) as $x | [$x, $x]", "(%s) as [$a] ?// $a | [$a]",
			"\"<\\(%s)>\"", "add(%s)", "[(%s) and (%s)]", "[(%s) or (%s)]", "label $f | (%s) | ., break $f", "def f: %s; [f, f]",
			"def f(g): [g, g]; f(%s)", "def f($x): $x; [f(%s)]", ".[%s]", "[.[] as $x | %s]", "IN(%s)", "[%s] | sort",
			"def f(g): g | g; [1, 2] | [f(%s)]"} {
			visit(strings.ReplaceAll(form, "%s", g), "[1,2,3]")
		}
	}
}

func main() { vectors.Record("../jq", "input", generate, record) }
