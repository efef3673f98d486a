#include "apiserver/registry/empty_lists.h"

#include <gtest/gtest.h>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "openapi/catalog.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {
namespace {

class EmptyListsTest : public testing::Test {
 protected:
  json::Document Parse(std::string_view text) {
    auto document = json::Parse(text);
    EXPECT_TRUE(document.has_value());
    return std::move(*document);
  }
  const openapi::ResourceInfo& jobs_ = *openapi::Catalog::BuiltIn().Find("batch", "v1", "jobs");
  const openapi::TypeTable& types_ = openapi::TypeTable::BuiltIn();
};

TEST_F(EmptyListsTest, AreTakenOutAndComeBackInRefusals) {
  json::Document job = Parse(R"({"metadata":{"name":"a"},"spec":{"successPolicy":{"rules":[]}}})");
  const EmptyLists lists(job, jobs_, types_);
  // As it is validated: what Go always writes is null.
  ASSERT_TRUE(openapi::NormalizeStored(job.root, jobs_.type, types_, job.arena).has_value());
  EXPECT_EQ(json::ToString(*job.root.Find({"spec", "successPolicy"})), R"({"rules":null})");
  const auto refuse = [](const json::Value& object, FieldErrors* errors) {
    const json::Value& policy = *object.Find({"spec", "successPolicy"});
    errors->push_back(FieldError::Invalid("spec", json::ToString(policy), "is wrong"));
  };
  FieldErrors errors;
  refuse(job.root, &errors);
  lists.Word(job.root, refuse, &errors);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].detail, R"(Invalid value: {"rules":[]}: is wrong)");
}

TEST_F(EmptyListsTest, OnlyWhatWasRefusedIsWorded) {
  json::Document job = Parse(R"({"metadata":{"name":"a","finalizers":[]},"spec":{}})");
  const EmptyLists lists(job, jobs_, types_);
  EXPECT_EQ(job.root.Find({"metadata", "finalizers"}), nullptr);
  FieldErrors errors = {FieldError::Required("spec.template", "")};
  lists.Word(
      job.root,
      [](const json::Value&, FieldErrors* others) {
        others->push_back(FieldError::Required("metadata.finalizers", "another"));
      },
      &errors);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].path, "spec.template");
}

}  // namespace
}  // namespace kulisse::apiserver
