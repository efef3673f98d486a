// Goal: objects get the defaults that kube-apiserver gives them.
// Method: test/golden/defaults holds pairs of an object and what kube-apiserver 1.36.3 answered
// when it was created, without what the server adds for other reasons (uid, times, status, and what
// admission and allocation give).
#include "openapi/defaulting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/typed.h"

namespace kulisse::openapi {
namespace {

std::vector<std::filesystem::path> GoldenFiles() {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder =
      std::filesystem::path(KULISSE_SOURCE_DIR) / "test/golden/defaults";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

json::Document ReadJson(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  auto document = json::Parse(std::string(std::istreambuf_iterator<char>(in), {}));
  EXPECT_TRUE(document.has_value()) << path;
  return document ? std::move(*document) : json::Document();
}

std::string Indented(const json::Value& value) {
  std::string text;
  json::AppendIndented(json::ToString(value), 1, &text);
  return text;
}

TEST(DefaultingTest, GivesWhatTheRealServerGives) {
  const TypeTable& table = TypeTable::BuiltIn();
  const auto files = GoldenFiles();
  EXPECT_GT(files.size(), 60u);
  for (const auto& path : files) {
    SCOPED_TRACE(path.filename());
    json::Document golden = ReadJson(path);
    const TypeId type = table.Find(golden.root.FindString({"type"}));
    ASSERT_NE(type, kNoType);
    json::Value& object = *golden.root.Find("input");
    ASSERT_TRUE(Normalize(object, type, table, golden.arena, nullptr).has_value());
    ApplyDefaults(object, type, table, golden.arena);
    EXPECT_EQ(Indented(object), Indented(*golden.root.Find("expected")));

    const std::string once = json::ToString(object);
    ApplyDefaults(object, type, table, golden.arena);
    EXPECT_EQ(json::ToString(object), once) << "not idempotent";
    ASSERT_TRUE(Normalize(object, type, table, golden.arena, nullptr).has_value());
    EXPECT_EQ(json::ToString(object), once) << "not canonical";
  }
}

TEST(DefaultingTest, LeavesWhatAClientSetAlone) {
  const TypeTable& table = TypeTable::BuiltIn();
  const TypeId type = table.Find("io.k8s.api.apps.v1.Deployment");
  auto document = json::Parse(
      R"({"spec":{"replicas":0,"revisionHistoryLimit":0,"progressDeadlineSeconds":1,)"
      R"("strategy":{"type":"Recreate"},"template":{"spec":{"containers":[)"
      R"({"name":"c","image":"x","imagePullPolicy":"Never","terminationMessagePath":"/p",)"
      R"("terminationMessagePolicy":"FallbackToLogsOnError"}],"dnsPolicy":"None",)"
      R"("restartPolicy":"Never","securityContext":{"runAsUser":0},)"
      R"("terminationGracePeriodSeconds":0,"schedulerName":"s"}}}})");
  ASSERT_TRUE(document.has_value());
  ASSERT_TRUE(Normalize(document->root, type, table, document->arena, nullptr).has_value());
  const std::string before = json::ToString(document->root);
  ApplyDefaults(document->root, type, table, document->arena);
  EXPECT_EQ(json::ToString(document->root), before);
}

}  // namespace
}  // namespace kulisse::openapi
