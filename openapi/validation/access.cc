// Rules of access reviews. Upstream: pkg/apis/authorization/validation.
#include "openapi/label_syntax.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kResource = "resourceAttributes";
constexpr std::string_view kPath = "nonResourceAttributes";

// One of a field or a label selector; operators that nobody knows are let through.
void CheckSelector(const Value& attributes, std::string_view name, const Path& path, Walk& walk) {
  const Value* selector = Member(attributes, name);
  if (selector == nullptr) return;
  const bool labels = name == "labelSelector";
  const Path at = path[name];
  const auto requirements = List(*selector, "requirements");
  const std::string_view raw = Text(*selector, "rawSelector");
  if (!raw.empty() && !requirements.empty()) {
    walk.Invalid(at["rawSelector"], raw, "may not specified at the same time as requirements");
  }
  const Path list = at["requirements"];
  if (raw.empty() && requirements.empty()) {
    walk.Required(list, fmt::format("when {} is specified, requirements or rawSelector is required",
                                    at.ToString()));
  }
  size_t index = 0;
  for (const Value& requirement : requirements) {
    const Path element = list[index++];
    const std::string_view key = Text(requirement, "key");
    const std::string_view op = Text(requirement, "operator");
    const bool has_values = !List(requirement, "values").empty();
    if (!labels && key.empty()) walk.Required(element["key"], "must be specified");
    if ((op == "In" || op == "NotIn") && !has_values) {
      walk.Required(element["values"], "must be specified when `operator` is 'In' or 'NotIn'");
    } else if ((op == "Exists" || op == "DoesNotExist") && has_values) {
      walk.Forbidden(element["values"],
                     "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
    if (!labels) continue;
    walk.Check(element["key"], key, LabelKeyErrors);
    const Path values = element["values"];
    size_t value_index = 0;
    for (const Value& value : List(requirement, "values")) {
      walk.Check(values[value_index++], value.AsString(), LabelValueErrors);
    }
  }
}

void CheckSpec(const Value& review, bool names_user, const Path& path, Walk& walk) {
  const Value& spec = Part(review, "spec");
  const Path at = path["spec"];
  const Value* resource = Member(spec, kResource);
  const Value* url = Member(spec, kPath);
  if (resource != nullptr && url != nullptr) {
    walk.Invalid(at[kPath], *url, TypeOf("authorization.v1.NonResourceAttributes"),
                 "cannot be specified in combination with resourceAttributes");
  } else if (resource == nullptr && url == nullptr) {
    walk.InvalidText(
        at[kResource], "null",
        "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  }
  if (names_user && Text(spec, "user").empty() && List(spec, "groups").empty()) {
    walk.Invalid(at["user"], "", "at least one of user or group must be specified");
  }
  if (resource == nullptr) return;
  const Path resource_path = at[kResource];
  CheckSelector(*resource, "fieldSelector", resource_path, walk);
  CheckSelector(*resource, "labelSelector", resource_path, walk);
}

void CheckMetadata(const Value& review, bool namespaced, const Path& path, Walk& walk) {
  const Value& metadata = Part(review, "metadata");
  for (const json::Member& member : metadata.members()) {
    if (member.name == "managedFields" || IsEmpty(&member.value)) continue;
    if (namespaced && member.name == "namespace") continue;
    return walk.Invalid(path["metadata"], metadata,
                        namespaced ? "must be empty except for namespace" : "must be empty");
  }
}

void SubjectReview(const Value& review, const Path& path, Walk& walk) {
  CheckSpec(review, true, path, walk);
  CheckMetadata(review, false, path, walk);
}

void SelfReview(const Value& review, const Path& path, Walk& walk) {
  CheckSpec(review, false, path, walk);
  CheckMetadata(review, false, path, walk);
}

void LocalReview(const Value& review, const Path& path, Walk& walk) {
  CheckSpec(review, true, path, walk);
  CheckMetadata(review, true, path, walk);
  const Value& spec = Part(review, "spec");
  const Path at = path["spec"];
  const Value* resource = Member(spec, kResource);
  if (resource != nullptr &&
      Text(*resource, "namespace") != review.FindString({"metadata", "namespace"})) {
    const Path resource_path = at[kResource];
    walk.Invalid(resource_path["namespace"], Text(*resource, "namespace"),
                 "must match metadata.namespace");
  }
  if (const Value* url = Member(spec, kPath)) {
    walk.Invalid(at[kPath], *url, TypeOf("authorization.v1.NonResourceAttributes"),
                 "disallowed on this kind of request");
  }
}

constexpr NamedCheck kChecks[] = {
    {"localReview", LocalReview},
    {"selfReview", SelfReview},
    {"subjectReview", SubjectReview},
};

}  // namespace

std::span<const NamedCheck> AccessChecks() { return kChecks; }

}  // namespace kulisse::openapi
