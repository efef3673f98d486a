// A registry with its admission plugins over the memory store on virtual time, and writes in YAML:
// what the tests of plugins need.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/admission/plugins.h"
#include "apiserver/authz/authorizer.h"
#include "apiserver/registry/bootstrap.h"
#include "apiserver/registry/object_encoding.h"
#include "apiserver/registry/resource_store.h"
#include "base/json/write.h"
#include "base/virtual_runtime.h"
#include "openapi/typed.h"
#include "openapi/yaml.h"

namespace kulisse::apiserver {

class AdmissionTest : public testing::Test {
 protected:
  explicit AdmissionTest(AdmissionOptions options = {}) : runtime_(7) {
    storage::StoreOptions store_options;
    store_options.durability = storage::Durability::kMemory;
    store_ = std::move(*storage::Store::Open(store_options, runtime_));
    resources_ = std::make_unique<ResourceStore>(*store_, openapi::Catalog::BuiltIn(),
                                                 openapi::TypeTable::BuiltIn(), runtime_);
    cache_ = std::make_unique<AdmissionCache>(*store_, openapi::Catalog::BuiltIn());
    chain_ = std::make_unique<AdmissionChain>(openapi::Catalog::BuiltIn(), *cache_);
    EXPECT_TRUE(CheckPluginNames(options).has_value());
    AppendPlugins(options, {*cache_, *resources_, runtime_, authorizer_}, chain_.get());
    resources_->UseAdmission(*chain_);
    CreateBootstrapObjects(*resources_, {"127.0.0.1", 6443});
    context_.warnings = &warnings_;
  }

  // "v1/pods" or "apps/v1/deployments".
  static const openapi::ResourceInfo& Resource(std::string_view path) {
    const size_t last = path.rfind('/');
    const std::string_view api_version = path.substr(0, last);
    const size_t slash = api_version.find('/');
    const bool core = slash == std::string_view::npos;
    const auto* resource = openapi::Catalog::BuiltIn().Find(
        core ? "" : api_version.substr(0, slash),
        core ? api_version : api_version.substr(slash + 1), path.substr(last + 1));
    EXPECT_NE(resource, nullptr) << path;
    return *resource;
  }

  json::Document Parse(const openapi::ResourceInfo& resource, std::string_view yaml) const {
    auto object = openapi::ParseYaml(yaml);
    EXPECT_TRUE(object.has_value()) << object.error() << "\n" << yaml;
    const auto normalized = openapi::Normalize(object->root, resource.type, resources_->types(),
                                               object->arena, nullptr);
    EXPECT_TRUE(normalized.has_value()) << normalized.error();
    return std::move(*object);
  }

  Result<WriteResult> Create(std::string_view path, std::string_view yaml) {
    const openapi::ResourceInfo& resource = Resource(path);
    return resources_->Create(context_, resource, resource.namespaced ? ns_ : "",
                              Parse(resource, yaml));
  }
  // The object takes the place of the one of its name.
  Result<WriteResult> Replace(std::string_view path, std::string_view yaml,
                              std::string_view subresource = "") {
    const openapi::ResourceInfo& resource = Resource(path);
    const json::Document object = Parse(resource, yaml);
    const ObjectName name{resource.namespaced ? ns_ : "",
                          std::string(object.root.FindString({"metadata", "name"}))};
    return resources_->Update(context_, resource, name, subresource,
                              [&](json::Document& current) -> Result<void> {
                                current = object.Clone();
                                return {};
                              });
  }
  Result<WriteResult> Delete(std::string_view path, const std::string& name) {
    const openapi::ResourceInfo& resource = Resource(path);
    return resources_->Delete(context_, resource, {resource.namespaced ? ns_ : "", name}, {});
  }
  // Creates what a test takes for granted.
  void Given(std::string_view path, std::string_view yaml) {
    const auto created = Create(path, yaml);
    EXPECT_TRUE(created.has_value()) << created.error().message;
  }

  // The part of the object at the path as JSON, "-" when it is not there, or `CODE MESSAGE` of the
  // refusal.
  static std::string Show(const Result<WriteResult>& result,
                          std::initializer_list<std::string_view> path) {
    if (!result) return std::to_string(result.error().code) + " " + result.error().message;
    const json::Document object = DecodeObject(*result->record);
    const json::Value* value = object.root.Find(path);
    return value == nullptr ? "-" : json::ToString(*value);
  }
  // "ok" or the refusal.
  static std::string Outcome(const Result<WriteResult>& result) {
    if (result) return "ok";
    return std::to_string(result.error().code) + " " + result.error().message;
  }

  VirtualRuntime runtime_;
  BootstrapAuthorizer authorizer_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<ResourceStore> resources_;
  std::unique_ptr<AdmissionCache> cache_;
  std::unique_ptr<AdmissionChain> chain_;
  std::vector<std::string> warnings_;
  RequestContext context_ = RequestContext::Internal("test");
  std::string ns_ = "default";
};

}  // namespace kulisse::apiserver
