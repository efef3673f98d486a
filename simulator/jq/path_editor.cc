#include "simulator/jq/path_editor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "simulator/jq/natives.h"
#include "simulator/limits.h"

namespace kulisse::simulator::jq {

namespace {

// gojq's: arrays do not grow further by one assignment.
constexpr int64_t kArrayIndexEnd = 0x20000000;

const void* Address(const Value& value) {
  return value.IsArray() ? static_cast<const void*>(value.own_elements().data())
                         : static_cast<const void*>(value.own_members().data());
}

bool IsContainer(const Value& value) { return value.IsArray() || value.IsObject(); }

}  // namespace

bool SliceBounds(Context& context, size_t size, const Value& start, const Value& end,
                 bool is_string, size_t* first, size_t* last) {
  const auto fail = [&](const Value& index) {
    return context.Fail(fmt::format("expected a number for indexing {} but got: {}",
                                    is_string ? "a string" : "an array", TypeAndPreview(index)));
  };
  int64_t index = 0;
  const auto count = static_cast<int64_t>(size);
  if (!start.IsNull() && !ToInt(start, &index)) return fail(start);
  const int64_t from = start.IsNull() ? 0 : ClampIndex(index, 0, count);
  int64_t to = count;
  if (!end.IsNull()) {
    const Value rounded = end.IsDouble() ? Value::Double(std::ceil(end.AsDouble())) : end;
    if (!ToInt(rounded, &index)) return fail(end);
    to = ClampIndex(index, from, count);
  }
  *first = static_cast<size_t>(from);
  *last = static_cast<size_t>(to);
  return true;
}

bool PathEditor::Set(const Value& path, const Value& replacement, Value* value) {
  const Value before = *value;
  if (!path.IsArray()) return context_.FailType("setpath", before, path);
  if (Update(context_.Elements(path), replacement, value)) {
    if (value->depth() <= kJsonDepthMax) return true;
    return context_.FailLimit("the value is nested too deeply");
  }
  if (context_.is_limit()) return false;
  return context_.Fail(fmt::format("setpath({}; {}) cannot be applied to {}: {}", Preview(path),
                                   Preview(replacement), Preview(before),
                                   context_.error().AsString()));
}

bool PathEditor::Delete(const Value& paths, Value* value) {
  const Value before = *value;
  if (!paths.IsArray()) return context_.FailType("delpaths", before, paths);
  if (paths.size() == 0) return true;
  for (const Value& path : context_.Elements(paths)) {
    if (!path.IsArray()) {
      return context_.FailWith("delpaths", before, paths,
                               "expected an array but got: " + TypeAndPreview(path));
    }
    if (!Update(context_.Elements(path), Value::Deleted(), value)) {
      if (context_.is_limit()) return false;
      return context_.FailWith("delpaths", before, paths, context_.error().AsString());
    }
  }
  Sweep(value);
  return true;
}

void PathEditor::Release(const Value& value) {
  if (IsContainer(value) && Owns(value)) owned_.clear();
}

bool PathEditor::Owns(const Value& value) const {
  return !value.parsed() && value.size() > 0 && owned_.contains(Address(value));
}

Value PathEditor::Own(std::span<const Value> elements) {
  owned_.insert(elements.data());
  return Value::Array(elements);
}

bool PathEditor::Update(std::span<const Value> path, const Value& replacement, Value* value) {
  if (path.empty()) {
    *value = replacement;
    return true;
  }
  const Value& key = path[0];
  if (key.IsString() || key.IsNumber() || key.IsObject()) {
    if (value->IsDeleted()) return true;
    const bool is_object = key.IsString();
    if (!value->IsNull() && !(is_object ? value->IsObject() : value->IsArray())) {
      return context_.Fail(fmt::format("expected an {} but got: {}", is_object ? "object" : "array",
                                       TypeAndPreview(*value)));
    }
    return is_object        ? UpdateMember(path, replacement, value)
           : key.IsNumber() ? UpdateElement(path, replacement, value)
                            : UpdateSlice(path, replacement, value);
  }
  return context_.Fail(
      fmt::format("expected a {} but got: {}",
                  value->IsArray() ? "number for indexing an array" : "string for object key",
                  TypeAndPreview(key)));
}

bool PathEditor::UpdateMember(std::span<const Value> path, const Value& replacement, Value* value) {
  const std::string_view name = path[0].AsString();
  Value member;
  const bool found = value->IsObject() && value->Find(name, &member);
  if (!found && replacement.IsDeleted()) return true;
  if (!Update(path.subspan(1), replacement, &member)) return false;
  const std::span<const Member> members =
      value->IsObject() ? context_.Members(*value) : std::span<const Member>();
  const auto at = std::ranges::lower_bound(members, name, {}, &Member::name) - members.begin();
  if (found && Owns(*value)) {
    const_cast<Member&>(members[at]).value = member;
    *value = value->Holding(member);
    return true;
  }
  const std::span<Member> copy = context_.NewMembers(members.size() + (found ? 0 : 1));
  std::ranges::copy(members.first(at), copy.begin());
  std::ranges::copy(members.subspan(at), copy.begin() + at + (found ? 0 : 1));
  copy[at] = {name, member};
  owned_.insert(copy.data());
  *value = Value::Object(copy);
  return true;
}

bool PathEditor::UpdateElement(std::span<const Value> path, const Value& replacement,
                               Value* value) {
  int64_t index = 0;
  (void)ToInt(path[0], &index);
  const auto size = static_cast<int64_t>(value->IsArray() ? value->size() : 0);
  const int64_t at = ClampIndex(index, -1, size);
  Value element;
  if (at >= 0 && at < size) {
    index = at;
    element = value->At(static_cast<size_t>(at));
  } else if (replacement.IsDeleted()) {
    return true;
  } else if (at < 0) {
    return context_.Fail(
        fmt::format("array index should not be negative: {}", Preview(Value::Int(index))));
  } else if (index >= kArrayIndexEnd) {
    return context_.Fail(fmt::format("array index too large: {}", Preview(Value::Int(index))));
  }
  if (!Update(path.subspan(1), replacement, &element)) return false;
  return PutElement(index, element, value);
}

bool PathEditor::PutElement(int64_t index, const Value& element, Value* array) {
  const auto at = static_cast<size_t>(index);
  const std::span<const Value> elements =
      array->IsArray() ? context_.Elements(*array) : std::span<const Value>();
  if (at < elements.size() && Owns(*array)) {
    const_cast<Value&>(elements[at]) = element;
    *array = array->Holding(element);
    return true;
  }
  const size_t size = std::max(elements.size(), at + 1);
  if (!context_.Reserve(size * sizeof(Value))) return false;
  const std::span<Value> copy = context_.NewElements(size);
  std::ranges::copy(elements, copy.begin());
  copy[at] = element;
  *array = Own(copy);
  return true;
}

bool PathEditor::UpdateSlice(std::span<const Value> path, const Value& replacement, Value* value) {
  Value start;
  Value end;
  if (!path[0].Find("start", &start) || !path[0].Find("end", &end)) {
    return context_.Fail(R"(expected "start" and "end" for slicing but got: )" +
                         TypeAndPreview(path[0]));
  }
  const std::span<const Value> elements =
      value->IsArray() ? context_.Elements(*value) : std::span<const Value>();
  size_t first = 0;
  size_t last = 0;
  if (!SliceBounds(context_, elements.size(), start, end, false, &first, &last)) return false;
  if (first == last && replacement.IsDeleted()) return true;
  Value part = Value::Array(elements.subspan(first, last - first));
  if (!Update(path.subspan(1), replacement, &part)) return false;
  if (!part.IsArray() && !part.IsDeleted()) {
    return context_.Fail("expected an array but got: " + TypeAndPreview(part));
  }
  const size_t size = part.IsDeleted() ? last - first : part.size();
  const std::span<Value> copy = context_.NewElements(elements.size() - (last - first) + size);
  std::ranges::copy(elements.first(first), copy.begin());
  std::ranges::copy(elements.subspan(last), copy.begin() + static_cast<ptrdiff_t>(first + size));
  if (part.IsDeleted()) {
    std::ranges::fill(copy.subspan(first, size), Value::Deleted());
  } else {
    std::ranges::copy(context_.Elements(part), copy.begin() + static_cast<ptrdiff_t>(first));
  }
  *value = Own(copy);
  return true;
}

// Takes away what is marked. Only what this editor made can hold marks.
void PathEditor::Sweep(Value* value) {
  if (value->IsDeleted()) {
    *value = {};
    return;
  }
  if (!IsContainer(*value) || !Owns(*value)) return;
  size_t kept = 0;
  if (value->IsArray()) {
    auto* elements = const_cast<Value*>(value->own_elements().data());
    for (size_t i = 0; i < value->size(); ++i) {
      if (elements[i].IsDeleted()) continue;
      Sweep(&elements[i]);
      elements[kept++] = elements[i];
    }
    *value = Value::Array({elements, kept});
    return;
  }
  auto* members = const_cast<Member*>(value->own_members().data());
  for (size_t i = 0; i < value->size(); ++i) {
    if (members[i].value.IsDeleted()) continue;
    Sweep(&members[i].value);
    members[kept++] = members[i];
  }
  *value = Value::Object({members, kept});
}

}  // namespace kulisse::simulator::jq
