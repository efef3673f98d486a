// The walk over an object that is validated: where it is, what it has found, and what functions of
// rules need from it. Internal to openapi/validation.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/json/value.h"
#include "base/status.h"
#include "openapi/type_table.h"
#include "openapi/validation/formats.h"

namespace kulisse::openapi {

using json::Value;

// Path is a place in the object, a list that ends at the root and is printed when it is needed.
// Borrows: its parent. Keep at most one step of a chain in a variable: `const Path a = p["x"];`.
class Path {
 public:
  Path() = default;
  explicit Path(std::string_view name) : name_(name) {}

  [[nodiscard]] Path operator[](std::string_view name) const { return {this, name, kNoIndex}; }
  [[nodiscard]] Path operator[](const char* name) const {
    return {this, std::string_view(name), kNoIndex};
  }
  [[nodiscard]] Path operator[](size_t index) const { return {this, {}, index}; }
  // A key of a map: "labels[a]".
  [[nodiscard]] Path Key(std::string_view key) const { return {this, key, kKey}; }
  [[nodiscard]] std::string ToString() const;

 private:
  static constexpr size_t kNoIndex = ~size_t{0};
  static constexpr size_t kKey = kNoIndex - 1;

  Path(const Path* parent, std::string_view name, size_t index)
      : parent_(parent), name_(name), index_(index) {}

  const Path* parent_ = nullptr;
  std::string_view name_;
  size_t index_ = kNoIndex;
};

// NameSet finds names that come twice; cheap for few, and bounded for many.
class NameSet {
 public:
  // Whether the name is new. The text must outlive the set.
  bool Insert(std::string_view name);
  [[nodiscard]] bool Has(std::string_view name) const;
  [[nodiscard]] bool empty() const { return few_.empty() && many_.empty(); }

 private:
  static constexpr size_t kFew = 16;
  std::vector<std::string_view> few_;
  std::unordered_set<std::string_view> many_;
};

// What the parts of a pod (or of a template) know of the whole.
struct PodScope {
  const Value* spec = nullptr;
  const Value* metadata = nullptr;  // null in templates
  // Volumes that are valid, sorted by name.
  std::vector<std::pair<std::string_view, const Value*>> volumes;
  bool host_users = true;

  [[nodiscard]] const Value* FindVolume(std::string_view name) const;
};

// Walk collects what is wrong.
// Borrows: the object and the old one. Threads: one.
class Walk {
 public:
  // `old` is null at creation.
  Walk(const Value* old, FieldErrors* errors) : old_(old), errors_(errors) {}

  [[nodiscard]] const Value* old() const { return old_; }
  // The type as which the client wrote the object, where that is another than the stored one.
  void SetServed(TypeId type) { served_ = type; }
  [[nodiscard]] TypeId served() const { return served_; }
  // The pod or template that the walk is in.
  [[nodiscard]] PodScope& pod() { return pod_; }
  // Claims that the next template's pods get as volumes, or null.
  void SetClaimTemplates(const Value* claims) { claim_templates_ = claims; }
  [[nodiscard]] const Value* claim_templates() const { return claim_templates_; }

  // Applies the rules of a type to a value of it.
  void Struct(const Value& object, TypeId type, const Path& path);

  // Refusals; cold, so that the code that leads to them lies apart.
  [[gnu::cold]] void Required(const Path& path, std::string_view detail = {});
  [[gnu::cold]] void Invalid(const Path& path, std::string_view text, std::string_view detail);
  [[gnu::cold]] void Invalid(const Path& path, int64_t number, std::string_view detail);
  // The value as JSON.
  [[gnu::cold]] void Invalid(const Path& path, const Value& value, std::string_view detail);
  [[gnu::cold]] void Invalid(const Path& path, const Value* value, std::string_view detail);
  // The value, or list of values, as Go's struct of the type prints it.
  [[gnu::cold]] void Invalid(const Path& path, const Value& value, TypeId type,
                             std::string_view detail);
  // The value as it is to be printed.
  [[gnu::cold]] void InvalidText(const Path& path, std::string_view value, std::string_view detail);
  [[gnu::cold]] void InvalidWithoutValue(const Path& path, std::string_view detail);
  [[gnu::cold]] void Forbidden(const Path& path, std::string_view detail);
  [[gnu::cold]] void NotSupported(const Path& path, std::string_view text,
                                  const std::vector<std::string>& supported);
  // The value as Go's struct of the type prints it.
  [[gnu::cold]] void NotSupported(const Path& path, const Value& value, TypeId type,
                                  const std::vector<std::string>& supported);
  // The value as it is to be printed.
  [[gnu::cold]] void NotSupportedValue(const Path& path, std::string_view value,
                                       const std::vector<std::string>& supported);
  [[gnu::cold]] void Duplicate(const Path& path, std::string_view text);
  [[gnu::cold]] void Duplicate(const Path& path, int64_t number);
  [[gnu::cold]] void Duplicate(const Path& path, const Value& value, TypeId type,
                               std::string_view detail);
  [[gnu::cold]] void NotFound(const Path& path, std::string_view text,
                              std::string_view detail = {});
  [[gnu::cold]] void TooLong(const Path& path, int64_t max);
  [[gnu::cold]] void Internal(const Path& path, std::string_view detail);
  [[gnu::cold]] void TooMany(const Path& path, size_t count, size_t max);
  // One error for each message.
  void Messages(const Path& path, std::string_view text, const openapi::Messages& messages);
  void Check(const Path& path, std::string_view text, Format format) {
    Messages(path, text, format(text));
  }
  // Unless it has one of the values.
  void Enum(const Path& path, std::string_view text, std::initializer_list<const char*> supported);
  void Immutable(const Path& path, const Value* now, const Value* before,
                 std::string_view detail = "field is immutable");

  // What another walk has found.
  void Add(FieldErrors errors);

  [[nodiscard]] size_t error_count() const { return errors_->size(); }

 private:
  const Value* const old_;
  PodScope pod_;
  const Value* claim_templates_ = nullptr;
  TypeId served_ = kNoType;
  FieldErrors* errors_;
};

// Reading of canonical objects. A missing text is "", a missing list empty.
[[nodiscard]] inline std::string_view Text(const Value& object, std::string_view name) {
  const Value* value = object.Find(name);
  return value != nullptr && value->IsString() ? value->AsString() : std::string_view();
}
[[nodiscard]] inline std::span<const Value> List(const Value& object, std::string_view name) {
  const Value* value = object.Find(name);
  return value == nullptr ? std::span<const Value>() : value->elements();
}
[[nodiscard]] inline std::span<const json::Member> Map(const Value& object, std::string_view name) {
  const Value* value = object.Find(name);
  return value == nullptr ? std::span<const json::Member>() : value->members();
}
[[nodiscard]] inline std::optional<int64_t> Int(const Value& object, std::string_view name) {
  const Value* value = object.Find(name);
  if (value == nullptr || !value->IsInt()) return std::nullopt;
  return value->AsInt();
}
[[nodiscard]] inline bool True(const Value& object, std::string_view name) {
  const Value* value = object.Find(name);
  return value != nullptr && value->IsBool() && value->AsBool();
}
// Missing and null are the same.
[[nodiscard]] inline const Value* Member(const Value& object, std::string_view name) {
  const Value* value = object.Find(name);
  return value != nullptr && value->IsNull() ? nullptr : value;
}
// A part of the object, an empty one when it is missing.
[[nodiscard]] inline const Value& Part(const Value& object, std::string_view name) {
  static const Value kNone = Value::Object();
  const Value* part = Member(object, name);
  return part == nullptr ? kNone : *part;
}
// Equal, or both missing.
[[nodiscard]] bool Same(const Value* a, const Value* b);
[[nodiscard]] inline bool SameMember(const Value& a, const Value& b, std::string_view name) {
  return Same(Member(a, name), Member(b, name));
}
// The value as JSON.
[[nodiscard]] std::string ValueText(const Value& value);
// What a list or map that may be missing holds.
[[nodiscard]] inline bool IsEmpty(const Value* value) {
  return value == nullptr || value->IsNull() ||
         ((value->IsArray() || value->IsObject() || value->IsString()) && value->size() == 0);
}

// A built-in type: "core.v1.Probe". REQUIRES: there is one.
[[nodiscard]] TypeId TypeOf(std::string_view name);

// A rule across fields.
using CheckFunction = void (*)(const Value& object, const Path& path, Walk& walk);
struct NamedCheck {
  std::string_view name;
  CheckFunction function;
};

// Those of each file.
[[nodiscard]] std::span<const NamedCheck> MetaChecks();
[[nodiscard]] std::span<const NamedCheck> PodChecks();
[[nodiscard]] std::span<const NamedCheck> PodUpdateChecks();
[[nodiscard]] std::span<const NamedCheck> ContainerChecks();
[[nodiscard]] std::span<const NamedCheck> VolumeChecks();
[[nodiscard]] std::span<const NamedCheck> ResourceChecks();
[[nodiscard]] std::span<const NamedCheck> WorkloadChecks();
[[nodiscard]] std::span<const NamedCheck> BatchChecks();
[[nodiscard]] std::span<const NamedCheck> CoreChecks();
[[nodiscard]] std::span<const NamedCheck> ServiceChecks();
[[nodiscard]] std::span<const NamedCheck> NetworkChecks();
[[nodiscard]] std::span<const NamedCheck> StorageChecks();
[[nodiscard]] std::span<const NamedCheck> PolicyChecks();
[[nodiscard]] std::span<const NamedCheck> FlowChecks();
[[nodiscard]] std::span<const NamedCheck> ExtensionChecks();
[[nodiscard]] std::span<const NamedCheck> DeviceChecks();
[[nodiscard]] std::span<const NamedCheck> DefinitionChecks();
[[nodiscard]] std::span<const NamedCheck> AccessChecks();
[[nodiscard]] std::span<const NamedCheck> PodProfileChecks();

}  // namespace kulisse::openapi
