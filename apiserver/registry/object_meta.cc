#include "apiserver/registry/object_meta.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/registry/service/ip_range.h"
#include "base/json/write.h"
#include "base/random.h"
#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/validation/formats.h"

namespace kulisse::apiserver {

namespace {

// Upstream: apimachinery/pkg/util/rand and apiserver/pkg/storage/names.
constexpr std::string_view kNameAlphabet = "bcdfghjklmnpqrstvwxz2456789";
constexpr size_t kGeneratedSuffixBytes = 5;
constexpr size_t kGeneratedBaseBytesMax = 63 - kGeneratedSuffixBytes;

constexpr size_t kAnnotationsBytesMax = 256 * 1024;

void AddInvalid(const std::string& path, std::string_view value,
                const std::vector<std::string>& messages, FieldErrors* errors) {
  for (const std::string& message : messages) {
    errors->push_back(FieldError::Invalid(path, GoQuote(value), message));
  }
}

std::vector<std::string> StringsOf(const json::Value* list) {
  std::vector<std::string> strings;
  if (list == nullptr) return strings;
  for (const json::Value& element : list->elements()) strings.emplace_back(element.AsString());
  return strings;
}

void ValidateAnnotations(const json::Value& metadata, FieldErrors* errors) {
  const json::Value* annotations = metadata.Find("annotations");
  if (annotations == nullptr) return;
  size_t total = 0;
  for (const json::Member& member : annotations->members()) {
    AddInvalid("metadata.annotations", member.name, openapi::AnnotationKey(member.name), errors);
    total += member.name.size() + member.value.size();
  }
  if (total > kAnnotationsBytesMax) {
    errors->push_back(FieldError::TooLong("metadata.annotations", kAnnotationsBytesMax));
  }
}

void ValidateFinalizers(const json::Value& metadata, FieldErrors* errors) {
  const std::vector<std::string> finalizers = StringsOf(metadata.Find("finalizers"));
  for (size_t i = 0; i < finalizers.size(); ++i) {
    const std::string& name = finalizers[i];
    AddInvalid("metadata.finalizers", name, openapi::LabelKeyErrors(name), errors);
    const bool standard = name == "kubernetes" || name == "orphan" || name == "foregroundDeletion";
    if (name.find('/') == std::string::npos && !standard) {
      errors->push_back(FieldError::Invalid(
          fmt::format("metadata.finalizers[{}]", i), GoQuote(name),
          "name is neither a standard finalizer name nor is it fully qualified"));
    }
  }
  const auto has = [&finalizers](std::string_view name) {
    return std::ranges::find(finalizers, name) != finalizers.end();
  };
  if (has("orphan") && has("foregroundDeletion")) {
    errors->push_back(
        FieldError::Invalid("metadata.finalizers", "[\"" + Join(finalizers, "\",\"") + "\"]",
                            "finalizer orphan and foregroundDeletion cannot be both set"));
  }
}

void ValidateOwnerReferences(const json::Value& metadata, FieldErrors* errors) {
  const json::Value* owners = metadata.Find("ownerReferences");
  if (owners == nullptr) return;
  std::string controller;
  for (const json::Value& owner : owners->elements()) {
    const std::string_view version = owner.FindString({"apiVersion"});
    if (version.empty()) {
      errors->push_back(FieldError::Invalid("metadata.ownerReferences.apiVersion", GoQuote(version),
                                            "version must not be empty"));
    }
    for (const std::string_view field : {"kind", "name", "uid"}) {
      if (!owner.FindString({field}).empty()) continue;
      errors->push_back(FieldError::Invalid(fmt::format("metadata.ownerReferences.{}", field),
                                            "\"\"", "must not be empty"));
    }
    const json::Value* is_controller = owner.Find("controller");
    if (is_controller == nullptr || !is_controller->IsBool() || !is_controller->AsBool()) continue;
    const std::string current =
        fmt::format("{}/{}", owner.FindString({"kind"}), owner.FindString({"name"}));
    if (!controller.empty()) {
      errors->push_back(FieldError::Invalid(
          "metadata.ownerReferences", json::ToString(*owners),
          fmt::format("Only one reference can have Controller set to true. Found \"true\" in "
                      "references for {} and {}",
                      controller, current)));
    }
    controller = current;
  }
}

}  // namespace

std::string GenerateName(std::string_view base, Runtime& runtime) {
  return std::string(base.substr(0, kGeneratedBaseBytesMax)) +
         Random(runtime.RandomBits()).Text(kGeneratedSuffixBytes, kNameAlphabet);
}

std::string NewUuid(Runtime& runtime) {
  const uint64_t high = (runtime.RandomBits() & ~uint64_t{0xf000}) | 0x4000;  // version 4
  const uint64_t low = (runtime.RandomBits() >> 2) | (uint64_t{1} << 63);     // variant 1
  constexpr char kHex[] = "0123456789abcdef";
  std::string uuid = "00000000-0000-0000-0000-000000000000";
  size_t at = 0;
  for (const uint64_t half : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (uuid[at] == '-') ++at;
      uuid[at++] = kHex[half >> shift & 15];
    }
  }
  return uuid;
}

std::vector<std::string> CheckName(NameRule rule, std::string_view name) {
  switch (rule) {
    case NameRule::kSubdomain:
      return openapi::Dns1123Subdomain(name);
    case NameRule::kLongName:
      return openapi::LongName(name);
    case NameRule::kLabel:
      return openapi::Dns1123Label(name);
    case NameRule::kIpAddress:
      if (const auto address = IpAddress::Parse(name); !address) {
        return {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"};
      } else if (address->ToString() != name) {
        return {fmt::format("must be in canonical form ({})", GoQuote(address->ToString()))};
      }
      return {};
    case NameRule::kPathSegment:
      return openapi::PathSegmentName(name);
  }
  return {};
}

void ValidateLabels(const json::Value* labels, const std::string& path, FieldErrors* errors) {
  if (labels == nullptr) return;
  for (const json::Member& label : labels->members()) {
    AddInvalid(path, label.name, openapi::LabelKeyErrors(label.name), errors);
    const std::string_view value = label.value.IsString() ? label.value.AsString() : "";
    AddInvalid(path, value, openapi::LabelValueErrors(value), errors);
  }
}

void ValidateObjectMeta(const json::Value& metadata, NameRule rule, FieldErrors* errors) {
  const std::string_view name = metadata.FindString({"name"});
  const std::string_view base = metadata.FindString({"generateName"});
  if (!base.empty()) {
    // The prefix may end in a dash: it is checked as if a character followed.
    std::string probe(base);
    if (probe.ends_with('-')) probe += 'a';
    AddInvalid("metadata.generateName", base, CheckName(rule, probe), errors);
  }
  if (name.empty()) {
    errors->push_back(FieldError::Required("metadata.name", "name or generateName is required"));
  } else {
    AddInvalid("metadata.name", name, CheckName(rule, name), errors);
  }
  ValidateLabels(metadata.Find("labels"), "metadata.labels", errors);
  ValidateAnnotations(metadata, errors);
  ValidateOwnerReferences(metadata, errors);
  ValidateFinalizers(metadata, errors);
}

void ValidateObjectMetaUpdate(const json::Value& metadata, const json::Value& old,
                              FieldErrors* errors) {
  for (const std::string_view field : {"name", "namespace", "uid"}) {
    const std::string_view value = metadata.FindString({field});
    if (value == old.FindString({field})) continue;
    // Upstream validates metadata twice on updates, and both causes are in the answer.
    for (int i = 0; i < 2; ++i) {
      errors->push_back(FieldError::Invalid(fmt::format("metadata.{}", field), GoQuote(value),
                                            "field is immutable"));
    }
  }
  if (old.Find("deletionTimestamp") == nullptr) return;
  const std::vector<std::string> before = StringsOf(old.Find("finalizers"));
  std::string added;
  for (const std::string& name : StringsOf(metadata.Find("finalizers"))) {
    if (std::ranges::find(before, name) != before.end()) continue;
    if (!added.empty()) added += ", ";
    added += GoQuote(name);
  }
  if (added.empty()) return;
  for (int i = 0; i < 2; ++i) {
    errors->push_back(FieldError::Forbidden(
        "metadata.finalizers",
        fmt::format("no new finalizers can be added if the object is being deleted, found new "
                    "finalizers []string{{{}}}",
                    added)));
  }
}

}  // namespace kulisse::apiserver
