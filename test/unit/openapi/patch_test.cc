#include "openapi/patch/patch.h"

#include <gtest/gtest.h>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/limits.h"
#include "test/unit/openapi/golden_rows.h"

namespace kulisse::openapi {
namespace {

json::Document Parsed(std::string_view text) {
  auto document = json::Parse(text);
  EXPECT_TRUE(document.has_value()) << text;
  return std::move(*document);
}

std::string JsonPatch(std::string_view target, std::string_view patch) {
  json::Document document = Parsed(target);
  const json::Document operations = Parsed(patch);
  const auto result = ApplyJsonPatch(document.root, operations.root, document.arena);
  return result ? json::ToSortedString(document.root) : std::to_string(result.error().code);
}

// Every row was answered by evanphx/json-patch v4.
TEST(JsonPatchTest, AppliesAsUpstream) {
  for (const auto& row : GoldenRows("json_patch.jsonl")) {
    SCOPED_TRACE(row[2]);
    EXPECT_EQ(JsonPatch(row[1], row[2]), row[3]);
  }
}

Status Refusal(std::string_view target, std::string_view patch) {
  json::Document document = Parsed(target);
  const json::Document operations = Parsed(patch);
  const auto result = ApplyJsonPatch(document.root, operations.root, document.arena);
  EXPECT_FALSE(result.has_value());
  return result ? Status::Plain(200, "") : result.error();
}

TEST(JsonPatchTest, RefusesInTheWordsOfTheServer) {
  const Status object = Refusal("{}", R"({"op":"x"})");
  EXPECT_EQ(ToJson(object),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
            R"("error decoding patch: json: cannot unmarshal object into Go value of type )"
            R"([]handlers.jsonPatchOp","reason":"BadRequest","code":400})");
  EXPECT_EQ(Refusal("{}", R"([{"op":3}])").message,
            "error decoding patch: json: cannot unmarshal number into Go struct field "
            "jsonPatchOp.op of type string");
  const Status missing = Refusal("{}", R"([{"op":"remove","path":"/x"}])");
  EXPECT_EQ(ToJson(missing),
            R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":)"
            R"("the server rejected our request due to an error in our request",)"
            R"("reason":"Invalid","details":{},"code":422})");
}

TEST(JsonPatchTest, RefusesTooManyOperations) {
  std::string patch = "[";
  for (size_t i = 0; i <= kJsonPatchOperationsMax; ++i) {
    patch += R"({"op":"add","path":"/a","value":1},)";
  }
  patch.back() = ']';
  EXPECT_EQ(Refusal("{}", patch).code, 413);
}

TEST(JsonPatchTest, RefusesToGrowTheDocumentWithoutBound) {
  std::string doubling = R"([{"op":"add","path":"/a","value":{"b":"0123456789"}})";
  std::string nesting = doubling;
  for (int i = 0; i < 40; ++i) {
    doubling += R"(,{"op":"copy","from":"/a","path":"/a/c)" + std::to_string(i) + "\"}";
  }
  EXPECT_EQ(JsonPatch("{}", doubling + "]"), "422");
  std::string path = "/a";
  for (size_t i = 0; i <= kJsonDepthMax; ++i) {
    path += "/b";
    nesting += R"(,{"op":"add","path":")" + path + R"(","value":{}})";
  }
  EXPECT_EQ(JsonPatch("{}", nesting + "]"), "422");
}

// Every row was answered by evanphx/json-patch v4.
TEST(MergePatchTest, MergesAsUpstream) {
  for (const auto& row : GoldenRows("merge_patch.jsonl")) {
    SCOPED_TRACE(row[1] + " + " + row[2]);
    json::Document document = Parsed(row[1]);
    const json::Document patch = Parsed(row[2]);
    const auto result = ApplyMergePatch(document.root, patch.root, document.arena);
    EXPECT_EQ(result ? json::ToSortedString(document.root) : "error: " + result.error().message,
              row[3]);
  }
}

TEST(MergePatchTest, RefusesWhatIsNoObject) {
  json::Document document = Parsed("{}");
  const auto result = ApplyMergePatch(document.root, Parsed("[1]").root, document.arena);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, 400);
  EXPECT_EQ(result.error().message,
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}");
}

}  // namespace
}  // namespace kulisse::openapi
