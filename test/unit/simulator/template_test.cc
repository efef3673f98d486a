// Goal: templates render as Go's text/template does with KWOK's functions.
// Method: the rows of the language were run through Go's text/template over the same data, decoded
// with json.Number; a row marked "ours" differs on purpose. Functions of sprig and KWOK: by their
// documented results.
#include "simulator/stage/template.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "simulator/limits.h"
#include "test/unit/simulator/template_support.h"

namespace kulisse::simulator {
namespace {

constexpr std::string_view kData = R"({
  "s": "text", "n": 3, "zero": 0, "t": true, "f": false, "empty": "", "list": ["a", "b"],
  "map": {"y": 2, "x": 1}, "objects": [{"name": "one"}, {"name": "two", "v": "w"}], "none": []
})";

std::string Rendered(std::string_view text, TemplateScope scope = TemplateScope::kPod) {
  auto compiled = Template::Compile(text, scope);
  if (!compiled) return "refused: " + compiled.error();
  const auto data = json::Parse(kData);
  FixedEnvironment environment;
  auto rendered = compiled->Render(data->root, environment);
  return rendered ? *rendered : "error: " + rendered.error();
}

struct Row {
  std::string_view text, want;
};

constexpr Row kGoRows[] = {
    {"plain", "plain"},
    {"{{ .s }}", "text"},
    {"{{.n}} {{ .t }}", "3 true"},
    {"{{ .missing }}", "<no value>"},
    {"{{ .missing.deeper }}", "<no value>"},
    {"a {{- .s -}} b", "atextb"},
    {"a {{/* comment */}} b", "a  b"},
    {"a {{- /* comment */ -}} b", "ab"},
    {"{{ .list }} {{ .map }}", "[a b] map[x:1 y:2]"},
    {"{{ if .t }}yes{{ else }}no{{ end }}", "yes"},
    {"{{ if .f }}1{{ else if .empty }}2{{ else if .s }}3{{ else }}4{{ end }}", "3"},
    {"{{ if .zero }}a number of the data is true{{ end }}", "a number of the data is true"},
    {"{{ if 0 }}yes{{ else }}no{{ end }}", "no"},
    {"{{ range .list }}<{{ . }}>{{ end }}", "<a><b>"},
    {"{{ range $i, $v := .list }}{{ $i }}={{ $v }};{{ end }}", "0=a;1=b;"},
    {"{{ range $k, $v := .map }}{{ $k }}={{ $v }};{{ end }}", "x=1;y=2;"},
    {"{{ range .none }}x{{ else }}empty{{ end }}", "empty"},
    {"{{ range .missing }}x{{ else }}nil{{ end }}", "nil"},
    {"{{ range 3 }}{{ . }}{{ end }}", "012"},
    {"{{ range .list }}{{ if eq . \"b\" }}{{ break }}{{ end }}{{ . }}{{ end }}", "a"},
    {"{{ range .list }}{{ if eq . \"a\" }}{{ continue }}{{ end }}{{ . }}{{ end }}", "b"},
    {"{{ with .s }}[{{ . }}]{{ end }}", "[text]"},
    {"{{ with .missing }}x{{ else }}none{{ end }}", "none"},
    {"{{ with $x := .s }}{{ $x }}{{ end }}", "text"},
    {"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
    {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"},
    {"{{ $root := . }}{{ range .objects }}{{ $root.s }}{{ .name }} {{ end }}", "textone texttwo "},
    {"{{ range .objects }}{{ $.n }}{{ end }}", "33"},
    {"{{ define \"t\" }}({{ . }}){{ end }}{{ template \"t\" .s }}", "(text)"},
    {"{{ block \"b\" .s }}<{{ . }}>{{ end }}", "<text>"},
    {"{{ or .missing .empty \"x\" }}", "x"},
    {"{{ or .s (index .none 5) }}", "text"},
    {"{{ and .t .s }}", "text"},
    {"{{ and .f (index .none 5) }}", "false"},
    {"{{ not .f }}", "true"},
    {"{{ .s | printf \"%s-%s\" \"a\" }}", "a-text"},
    {"{{ eq .s \"text\" }} {{ eq .s \"a\" \"text\" }} {{ ne .s \"x\" }}", "true true true"},
    {"{{ eq .missing \"Always\" }}", "false"},
    {"{{ eq .n \"3\" }}", "true"},
    {"{{ lt 1 2 }} {{ le 2 2 }} {{ gt 1 2 }} {{ ge 2 2 }}", "true true false true"},
    {"{{ lt \"a\" \"b\" }}", "true"},
    {"{{ eq .n 3 }}", "true"},  // ours: Go refuses to compare a json.Number
    {"{{ index .list 1 }} {{ index .map \"x\" }}", "b 1"},
    {"{{ index .map \"none\" }}", "<no value>"},
    {"{{ (index .objects 1).name }}", "two"},
    {"{{ len .list }} {{ len .s }} {{ len .map }}", "2 4 2"},
    {"{{ slice .s 1 3 }}", "ex"},
    {"{{ print 1 2 \"x\" 3 }}", "1 2x3"},
    {"{{ printf \"%s %v %q %t %d %%\" .s .n .s .t 5 }}", "text 3 \"text\" true 5 %"},
    {"{{ printf \"%05d|%-4s|%4s|%x\" 42 \"a\" \"b\" 255 }}", "00042|a   |   b|ff"},
    {"{{ printf \"%d\" \"x\" }}", "%!d(string=x)"},
    {"{{ printf \"%v %s\" .missing .missing }}", "<nil> %!s(<nil>)"},
    {"{{ `raw \"x\"` }} {{ \"a\\tb\\u00e4\" }} {{ 'a' }} {{ 0x1f }} {{ 1.5 }}",
     "raw \"x\" a\tb\xc3\xa4 97 31 1.5"},
    {"{{ dict \"a\" 1 \"b\" .s }}", "map[a:1 b:text]"},
    {"{{ list 1 \"a\" .t | join \"-\" }}", "1-a-true"},
    {"{{ default \"d\" .empty }} {{ .missing | default \"e\" }} {{ .s | default \"f\" }}",
     "d e text"},
    {"{{ quote .s .n }}", "\"text\" \"3\""},
    {"{{ Quote .s }} {{ Quote 5 }} {{ Quote nil }} {{ Quote .n }}",
     "\"text\" \"5\" \"null\" \"3\""},
    {"{{ Quote \"<&\\\"\" }}", "\"\\u003c\\u0026\\\"\""},
    {"{{ Now }} {{ StartTime }}", "2026-01-02T03:04:05.5Z 2026-01-01T00:00:00Z"},
    {"{{ Version }}", "0.8.0"},
    {"{{ range NodeConditions }}{{ .type }}={{ .status }} {{ end }}",
     "Ready=True MemoryPressure=False DiskPressure=False PIDPressure=False "
     "NetworkUnavailable=False "},
    {"{{ NodeIP }} {{ NodeIPWith \"n\" }} {{ index (NodeIPsWith \"n\") 0 }}",
     "127.0.0.1 192.0.2.1 192.0.2.1"},
    {"{{ PodIPWith \"n\" false \"u\" \"p\" \"ns\" }} {{ PodIPWith \"n\" true \"\" \"\" \"\" }}",
     "10.244.0.1 192.0.2.1"},
    {"{{ YAML .map }}", "x: 1\n\"y\": 2\n"},
    {"k: {{ YAML .map 1 }}", "k: \n  x: 1\n  \"y\": 2\n  "},
    {"  trimmed  ", "trimmed"},
    {"{{ $x := .s | print \"a\" }}{{ $x }}", "atext"},
    {"{{\n.s\n}}", "text"},
    {"{{ true }}{{ (and true false) }}", "truefalse"},
};

TEST(TemplateTest, RendersAsGoDoes) {
  for (const Row& row : kGoRows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(Rendered(row.text), row.want);
  }
}

TEST(TemplateTest, RefusesWhenItCompiles) {
  constexpr Row kRows[] = {
      {"{{ foo }}", "refused: line 1: function \"foo\" is not defined"},
      {"a\n\n{{ uppercase .s }}", "refused: line 3: function \"uppercase\" is not defined"},
      {"{{ env .s }}",
       "refused: line 1: function \"env\" is not supported: it needs the host or keys"},
      {"{{ genCA .s 1 }}",
       "refused: line 1: function \"genCA\" is not supported: it needs the host or keys"},
      {"{{ $x }}", "refused: line 1: undefined variable \"$x\""},
      {"{{ if .s }}", "refused: line 1: unexpected end of template: {{end}} is missing"},
      {"{{ end }}", "refused: line 1: unexpected {{end}}"},
      {"{{ .s", "refused: line 1: unclosed action"},
      {"{{ break }}", "refused: line 1: {{break}} outside {{range}}"},
      {"{{ template \"x\" }}", "refused: line 1: template \"x\" is not defined"},
      {"{{ nil }}", "refused: line 1: nil is not a command"},
      {"{{ .s .n }}", "refused: line 1: can't give argument to non-function"},
      {"{{ len }}", "refused: line 1: wrong number of arguments for \"len\": 0"},
      {"{{ \"abc }}", "refused: line 1: malformed string constant"},
      {"{{ }}", "refused: line 1: missing value for command"},
      {"{{ 1x }}", "refused: line 1: bad number syntax: \"1x\""},
      {"{{ /* x }}", "refused: line 1: unexpected \"/\" in operand"},
      {"{{ NodePort }}", "refused: line 1: function \"NodePort\" is not defined"},  // pods: no
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(Rendered(row.text), row.want);
  }
}

TEST(TemplateTest, FailsWhenItRuns) {
  constexpr Row kRows[] = {
      {"{{ .s.x }}", "error: line 1: can't evaluate field x in type string"},
      {"{{ index .list 9 }}", "error: line 1: index: index out of range: 9"},
      {"{{ index .missing 0 }}", "error: line 1: index: index of untyped nil"},
      {"{{ range .t }}{{ end }}", "error: line 1: range can't iterate over bool"},
      {"{{ eq .t \"x\" }}", "error: line 1: eq: incompatible types for comparison"},
      {"{{ eq .list .list }}", "error: line 1: eq: non-comparable type"},
      {"{{ printf \"%z\" 1 }}", "error: line 1: printf: verb %z is not supported"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(Rendered(row.text), row.want);
  }
}

TEST(TemplateTest, FunctionsOfAKindAreNotThereForOthers) {
  EXPECT_EQ(Rendered("{{ NodePort }}", TemplateScope::kNode), "0");
  EXPECT_TRUE(Rendered("{{ PodIP }}", TemplateScope::kNode).starts_with("refused"));
  EXPECT_TRUE(Rendered("{{ NodeIP }}", TemplateScope::kAny).starts_with("refused"));
}

// The environment's generator is seeded: the same template gives the same text.
TEST(TemplateTest, ChanceComesFromTheEnvironment) {
  constexpr std::string_view kTexts[] = {
      "{{ randAlphaNum 12 }} {{ randAlpha 5 }} {{ randNumeric 5 }} {{ randAscii 5 }}",
      "{{ uuidv4 }} {{ randInt 5 10 }} {{ shuffle \"abcdef\" }} {{ randBytes 8 }}"};
  for (const std::string_view text : kTexts) {
    EXPECT_EQ(Rendered(text), Rendered(text));
  }
  EXPECT_EQ(Rendered("{{ randAlphaNum 12 | len }} {{ uuidv4 | len }}"), "12 36");
  EXPECT_EQ(Rendered("{{ regexMatch `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]` uuidv4 }}"),
            "true");
  EXPECT_EQ(Rendered("{{ randAlpha 10 | eq (randAlpha 10) }}"), "false");
}

TEST(TemplateTest, SprigTimesComeFromTheEnvironment) {
  EXPECT_EQ(Rendered("{{ now }}"), "2026-01-02 03:04:05.5 +0000 UTC");
  EXPECT_EQ(Rendered("{{ now | date `2006-01-02 15:04` }}"), "2026-01-02 03:04");
  EXPECT_EQ(Rendered("{{ now | dateModify `-90m` | ago }}"), "1h30m0s");
  EXPECT_EQ(Rendered("{{ now | dateModify `-90m` | durationRound }}"), "1h");
  EXPECT_EQ(Rendered("{{ now | unixEpoch }}"), "1767323045");
  EXPECT_TRUE(Rendered("{{ dateInZone `15` now `Europe/Berlin` }}").starts_with("error: "));
}

TEST(TemplateTest, BoundsWhatFunctionsMake) {
  constexpr std::string_view kTexts[] = {
      "{{ repeat 999999999 .s }}",       "{{ until 999999999 }}",
      "{{ seq 0 9223372036854775806 }}", "{{ indent 999999999 .s }}",
      "{{ randAlpha 999999999 }}",       "{{ untilStep 0 9223372036854775807 1 }}"};
  for (const std::string_view text : kTexts) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(Rendered(text).starts_with("error: ")) << Rendered(text).substr(0, 100);
  }
}

TEST(TemplateTest, TheObjectItselfStaysAsItIs) {
  EXPECT_EQ(Rendered("{{ $m := set .map `z` 3 }}{{ $m }} {{ .map }}"),
            "map[x:1 y:2 z:3] map[x:1 y:2]");
}

TEST(TemplateTest, BoundsNestingStepsAndOutput) {
  std::string nested;
  for (int i = 0; i < 1'000; ++i) nested += "{{ if true }}";
  EXPECT_TRUE(Rendered(nested).starts_with("refused"));
  EXPECT_TRUE(Rendered("{{ " + std::string(1'000, '(')).starts_with("refused"));
  EXPECT_TRUE(Rendered("{{ range 2000000 }}{{ end }}").starts_with("error"));
  EXPECT_TRUE(Rendered("{{ range 200000 }}0123456789{{ end }}").starts_with("error"));
  EXPECT_TRUE(Rendered("{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}")
                  .starts_with("error"));
}

TEST(TemplateTest, BoundsNestingTimesCalls) {
  std::string text = "{{ define \"t\" }}";
  for (int i = 0; i < 150; ++i) text += "{{ if true }}";
  text += "{{ template \"t\" }}";
  for (int i = 0; i < 150; ++i) text += "{{ end }}";
  EXPECT_TRUE(Rendered(text + "{{ end }}{{ template \"t\" }}").starts_with("error"));
}

TEST(TemplateTest, ReadsWhatItRenderedAsYaml) {
  const auto compiled = Template::Compile("a: {{ .s }}\nb:\n- {{ .n }}\n", TemplateScope::kAny);
  const auto data = json::Parse(kData);
  FixedEnvironment environment;
  json::Arena arena;
  const auto value = compiled->RenderValue(data->root, environment, arena);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(json::ToString(*value), R"({"a":"text","b":[3]})");
}

}  // namespace
}  // namespace kulisse::simulator
