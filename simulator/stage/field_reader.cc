#include "simulator/stage/field_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kulisse::simulator {

FieldReader::FieldReader(const json::Value* object, std::string path, std::string* error)
    : object_(object), path_(std::move(path)), error_(error) {
  if (object_ && !object_->IsNull() && !object_->IsObject()) Fail("", "must be an object");
}

std::string FieldReader::PathOf(std::string_view name) const {
  if (name.empty()) return path_;
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void FieldReader::Fail(std::string_view name, std::string_view message) {
  if (error_->empty()) *error_ = fmt::format("{}: {}", PathOf(name), message);
}

void FieldReader::WrongType(std::string_view name, std::string_view expected) {
  Fail(name, fmt::format("must be {}", expected));
}

const json::Value* FieldReader::Take(std::string_view name) {
  taken_.push_back(name);
  const json::Value* value = object_ ? object_->Find(name) : nullptr;
  return value && !value->IsNull() ? value : nullptr;
}

std::optional<std::string> FieldReader::TakeString(std::string_view name) {
  const json::Value* value = Take(name);
  if (!value) return std::nullopt;
  if (value->IsString()) return std::string(value->AsString());
  WrongType(name, "a string");
  return std::nullopt;
}

std::string FieldReader::TakeStringOr(std::string_view name, std::string_view otherwise) {
  return TakeString(name).value_or(std::string(otherwise));
}

std::optional<int64_t> FieldReader::TakeCount(std::string_view name) {
  const json::Value* value = Take(name);
  if (!value) return std::nullopt;
  if (value->IsInt() && value->AsInt() >= 0) return value->AsInt();
  WrongType(name, "an integer that is not negative");
  return std::nullopt;
}

bool FieldReader::TakeBool(std::string_view name, bool otherwise) {
  const json::Value* value = Take(name);
  if (!value) return otherwise;
  if (value->IsBool()) return value->AsBool();
  WrongType(name, "true or false");
  return otherwise;
}

const json::Value* FieldReader::TakeObject(std::string_view name) {
  const json::Value* value = Take(name);
  if (!value || value->IsObject()) return value;
  WrongType(name, "an object");
  return nullptr;
}

const json::Value* FieldReader::TakeArray(std::string_view name) {
  const json::Value* value = Take(name);
  if (!value || value->IsArray()) return value;
  WrongType(name, "a list");
  return nullptr;
}

std::vector<std::string> FieldReader::TakeStrings(std::string_view name) {
  std::vector<std::string> strings;
  const json::Value* array = TakeArray(name);
  if (!array) return strings;
  for (const json::Value& element : array->elements()) {
    if (element.IsString()) {
      strings.emplace_back(element.AsString());
    } else {
      WrongType(name, "a list of strings");
    }
  }
  return strings;
}

std::vector<std::pair<std::string, std::string>> FieldReader::TakeStringMap(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const json::Value* object = TakeObject(name);
  if (!object) return pairs;
  for (const json::Member& member : object->members()) {
    if (member.value.IsString()) {
      pairs.emplace_back(member.name, member.value.AsString());
    } else {
      WrongType(fmt::format("{}.{}", name, member.name), "a string");
    }
  }
  return pairs;
}

void FieldReader::Skip(std::initializer_list<std::string_view> names) {
  taken_.insert(taken_.end(), names);
}

void FieldReader::Finish() {
  if (!object_) return;
  for (const json::Member& member : object_->members()) {
    if (std::ranges::find(taken_, member.name) == taken_.end()) Fail(member.name, "unknown field");
  }
}

}  // namespace kulisse::simulator
