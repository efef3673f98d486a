#include "openapi/patch/patch.h"

namespace kulisse::openapi {

namespace {

using json::Value;

// A copy without the object members that are null, at any depth.
Value CloneWithoutNulls(const Value& value, json::Arena& arena) {
  if (value.IsArray()) {
    Value copy = Value::Array();
    for (const Value& element : value.elements()) {
      copy.PushBack(CloneWithoutNulls(element, arena), arena);
    }
    return copy;
  }
  if (value.IsObject()) {
    Value copy = Value::Object();
    for (const json::Member& member : value.members()) {
      if (member.value.IsNull()) continue;
      copy.AppendRef(arena.Copy(member.name), CloneWithoutNulls(member.value, arena), arena);
    }
    return copy;
  }
  return value.Clone(arena);
}

// REQUIRES: both are objects.
void MergeObjects(Value& target, const Value& patch, json::Arena& arena) {
  for (const json::Member& member : patch.members()) {
    if (member.value.IsNull()) {
      target.Remove(member.name);
      continue;
    }
    Value* current = target.Find(member.name);
    if (current == nullptr || !current->IsObject()) {
      target.Set(member.name, CloneWithoutNulls(member.value, arena), arena);
    } else if (member.value.IsObject()) {
      MergeObjects(*current, member.value, arena);
    } else {
      *current = member.value.Clone(arena);  // upstream prunes nothing here
    }
  }
}

}  // namespace

Result<void> ApplyMergePatch(Value& target, const Value& patch, json::Arena& arena) {
  if (patch.IsNull()) return std::unexpected(Status::BadRequest("Invalid JSON Patch"));
  if (!patch.IsObject()) {
    const std::string_view kind = patch.IsArray()    ? "array"
                                  : patch.IsString() ? "string"
                                  : patch.IsBool()   ? "bool"
                                                     : "number";
    return std::unexpected(Status::BadRequest("error decoding patch: json: cannot unmarshal " +
                                              std::string(kind) +
                                              " into Go value of type map[string]interface {}"));
  }
  if (!target.IsObject()) target = Value::Object();
  MergeObjects(target, patch, arena);
  return {};
}

std::optional<std::vector<std::string_view>> TouchedMembers(const json::Value& patch) {
  if (!patch.IsObject()) return std::nullopt;
  std::vector<std::string_view> names;
  for (const json::Member& member : patch.members()) {
    if (member.name.starts_with('$')) return std::nullopt;
    names.push_back(member.name);
  }
  return names;
}

}  // namespace kulisse::openapi
