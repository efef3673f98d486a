// Goal: JSON and protobuf forms of every served kind equal what the published Go types give.
// Method: k8s.io/api ships, for every kind, one object with all fields set, as JSON and as
// protobuf. KULISSE_K8S_TESTDATA names that folder (k8s.io/api@v0.36.3/testdata/HEAD of the Go
// module proxy; `./dev clients` gets it); without it the tests are skipped.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/catalog.h"
#include "openapi/protobuf.h"
#include "openapi/typed.h"

namespace kulisse::openapi {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The type of an apiVersion and kind among the API's own types.
TypeId FindType(std::string_view api_version, std::string_view kind) {
  const size_t slash = api_version.find('/');
  std::string package = "core";
  std::string_view version = api_version;
  if (slash != std::string_view::npos) {
    const std::string_view group = api_version.substr(0, slash);
    package = group == "internal.apiserver.k8s.io" ? "apiserverinternal"
                                                   : group.substr(0, group.find('.'));
    version = api_version.substr(slash + 1);
  }
  const TypeTable& table = TypeTable::BuiltIn();
  const TypeId type = table.Find(fmt::format("io.k8s.api.{}.{}.{}", package, version, kind));
  if (type != kNoType || package != "core") return type;
  return table.Find(fmt::format("io.k8s.apimachinery.pkg.apis.meta.v1.{}", kind));
}

// Groups whose types are in modules other than k8s.io/api.
const std::set<std::string_view> kOtherModules = {"apiextensions.k8s.io", "apiregistration.k8s.io"};

class TestdataTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("KULISSE_K8S_TESTDATA");
    if (folder == nullptr) GTEST_SKIP() << "KULISSE_K8S_TESTDATA is not set";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".json") files_.push_back(entry.path());
    }
    ASSERT_FALSE(files_.empty());
  }

  std::vector<std::filesystem::path> files_;
  const TypeTable& table_ = TypeTable::BuiltIn();
};

TEST_F(TestdataTest, NormalizeLeavesWhatGoWroteAsItIs) {
  for (const auto& path : files_) {
    SCOPED_TRACE(path.filename());
    auto document = json::Parse(ReadFile(path));
    ASSERT_TRUE(document.has_value());
    const std::string before = json::ToString(document->root);
    const TypeId type =
        FindType(document->root.FindString({"apiVersion"}), document->root.FindString({"kind"}));
    if (type == kNoType) continue;
    NormalizeReport report;
    const auto done = Normalize(document->root, type, table_, document->arena, &report);
    ASSERT_TRUE(done.has_value()) << done.error();
    EXPECT_EQ(json::ToString(document->root), before);
    EXPECT_TRUE(report.unknown_fields.empty()) << report.unknown_fields[0];
  }
}

TEST_F(TestdataTest, ProtobufAndJsonGiveEachOther) {
  for (const auto& path : files_) {
    SCOPED_TRACE(path.filename());
    auto document = json::Parse(ReadFile(path));
    ASSERT_TRUE(document.has_value());
    const std::string_view api_version = document->root.FindString({"apiVersion"});
    const std::string_view kind = document->root.FindString({"kind"});
    const TypeId type = FindType(api_version, kind);
    if (type == kNoType) continue;
    const std::string want_bytes = ReadFile(std::filesystem::path(path).replace_extension(".pb"));
    const auto envelope = DecodeEnvelope(want_bytes);
    ASSERT_TRUE(envelope.has_value()) << envelope.error();
    EXPECT_EQ(envelope->api_version, api_version);
    EXPECT_EQ(envelope->kind, kind);

    std::string raw;
    AppendMessage(document->root, type, table_, &raw);
    std::string bytes;
    AppendEnvelope(api_version, kind, raw, &bytes);
    EXPECT_TRUE(bytes == want_bytes) << "the message of the JSON form differs";

    json::Arena arena;
    const auto value = DecodeMessage(envelope->raw, type, table_, arena);
    ASSERT_TRUE(value.has_value()) << value.error();
    document->root.Remove("kind");
    document->root.Remove("apiVersion");
    EXPECT_EQ(json::ToString(*value), json::ToString(document->root));

    // What a newer client says besides is skipped: a field of each wire type, before and after.
    const std::string unknown =
        "\xc8\xbb\x01\x05\xca\xbb\x01\x01x\xcd\xbb\x01wwww\xc9\xbb\x01wwwwwwww";
    const auto newer = DecodeMessage(unknown + raw + unknown, type, table_, arena);
    ASSERT_TRUE(newer.has_value()) << newer.error();
    EXPECT_EQ(json::ToString(*newer), json::ToString(*value));
  }
}

TEST_F(TestdataTest, HasEveryStoredKind) {
  std::set<std::string> published;
  for (const auto& path : files_) published.insert(path.stem());
  for (const ResourceInfo& resource : Catalog::BuiltIn().resources()) {
    const std::string name =
        fmt::format("{}.{}.{}", resource.group.empty() ? "core" : resource.group, resource.version,
                    resource.kind);
    const bool elsewhere =
        kOtherModules.contains(resource.group) || resource.custom || resource.aggregated;
    EXPECT_EQ(published.contains(name), !elsewhere) << name;
  }
}

}  // namespace
}  // namespace kulisse::openapi
