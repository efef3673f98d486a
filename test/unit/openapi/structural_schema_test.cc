#include "openapi/structural_schema.h"

#include <gtest/gtest.h>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/catalog.h"
#include "openapi/defaulting.h"
#include "openapi/typed.h"

namespace kulisse::openapi {
namespace {

json::Document Parse(std::string_view text) {
  auto document = json::Parse(text);
  EXPECT_TRUE(document.has_value()) << text;
  return std::move(*document);
}

// Goal: values are refused in the words of a real server. Method: rows by hand after kube-openapi;
// test/golden/api/custom has recorded answers for KWOK's schemas.
TEST(StructuralSchemaTest, SaysWhatIsWrong) {
  struct Row {
    std::string_view schema, value, want;
  };
  constexpr Row kRows[] = {
      {R"({"type":"string"})", R"("x")", ""},
      {R"({"type":"string"})", "5", "a: in type string: integer"},
      {R"({"type":"string","enum":["x","y"]})", R"("z")", "a: Unsupported"},
      {R"({"type":"string","pattern":"^[a-z]+$"})", R"("abc")", ""},
      {R"({"type":"string","pattern":"^[a-z]+$"})", R"("aBc")", "a: in body should match"},
      {R"({"type":"string","pattern":"("})", R"("aBc")", ""},
      {R"({"type":"string","maxLength":2})", "\"\xC3\xA4\xC3\xB6\"", ""},
      {R"({"type":"string","minLength":1})", R"("")", "a: in body should be at least 1 chars"},
      {R"({"type":"integer"})", "2", ""},
      {R"({"type":"integer"})", "2.0", ""},
      {R"({"type":"integer"})", "2.5", "a: in type integer: number; <nil>: placeless"},
      {R"({"type":"integer","format":"int32"})", "3000000000", "<nil>: placeless"},
      {R"({"type":"number"})", "2", ""},
      {R"({"type":"number","minimum":0})", "-1.5", "a: in body should be greater"},
      {R"({"type":"object","required":["b"]})", "{}", "a.b: Required"},
      {R"({"type":"array","items":{"type":"string"}})", R"(["x",null])",
       "a[1]: in type string: null"},
      {R"({"type":"array","x-kubernetes-list-type":"set"})", "[1,2,1]", "a[2]: Duplicate"},
      {R"({"additionalProperties":{"type":"boolean"}})", R"({"k":1})",
       "a.k: in type boolean: integer"},
      {R"({"x-kubernetes-int-or-string":true})", "1", ""},
      {R"({"x-kubernetes-int-or-string":true})", R"("1")", ""},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(std::string(row.schema) + " " + std::string(row.value));
    const json::Document schema =
        Parse(R"({"type":"object","properties":{"a":)" + std::string(row.schema) + "}}");
    const json::Document value = Parse(R"({"a":)" + std::string(row.value) + "}");
    FieldErrors errors;
    ValidateBySchema(value.root, schema.root, "", &errors);
    std::string got;
    for (const FieldError& error : errors) {
      std::string text = error.detail;
      if (const size_t at = text.find("must be of type ");
          at != text.npos && text[0] == 'I' && error.path != "<nil>") {
        text = "in type " + text.substr(at + 16);
        std::erase(text, '"');
      } else if (error.path == "<nil>") {
        text = "placeless";
      } else if (const size_t body = text.find("in body "); body != text.npos) {
        text = text.substr(body);
      }
      got += (got.empty() ? "" : "; ") + error.path + ": " + text;
    }
    EXPECT_EQ(got.substr(0, row.want.size()), row.want);
    EXPECT_EQ(got.empty(), row.want.empty()) << got;
  }
}

TEST(StructuralSchemaTest, AnObjectKeepsWhatItHasAndLosesWhatTheSchemaDoesNot) {
  const ResourceInfo* stages = Catalog::BuiltIn().Find("kwok.x-k8s.io", "v1alpha1", "stages");
  ASSERT_NE(stages, nullptr);
  json::Document stage = Parse(
      R"({"kind":"Stage","status":{"conditions":[]},"spec":{"x":1,"next":{"delete":false,"event":null},)"
      R"("steps":[{},null,{"y":2}],"resourceRef":{"kind":""},"selector":{"matchLabels":{"b":"","a":5}}},)"
      R"("metadata":{"name":"a","z":3}})");
  const TypeTable& types = TypeTable::BuiltIn();
  NormalizeReport report;
  ASSERT_TRUE(Normalize(stage.root, stages->type, types, stage.arena, &report).has_value());
  ApplyDefaults(stage.root, stages->type, types, stage.arena);
  const std::vector<std::string> unknown = {"spec.x", "spec.steps[2].y", "metadata.z"};
  EXPECT_EQ(report.unknown_fields, unknown);
  EXPECT_EQ(
      json::ToString(*stage.root.Find("spec")),
      R"({"next":{"delete":false,"statusSubresource":"status"},"resourceRef":{"apiGroup":"v1",)"
      R"("kind":""},"selector":{"matchLabels":{"a":5,"b":""}},"steps":[{},null,{}],"weight":0})");
  EXPECT_EQ(json::ToString(*stage.root.Find("status")), R"({"conditions":[]})");
}

}  // namespace
}  // namespace kulisse::openapi
