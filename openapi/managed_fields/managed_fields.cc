#include "openapi/managed_fields/managed_fields.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/assert.h"
#include "base/limits.h"
#include "openapi/managed_fields/path_element.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kOldUpdates = "ancient-changes";

bool Take(std::string_view expected, std::string_view* text) {
  if (!text->starts_with(expected)) return false;
  text->remove_prefix(expected.size());
  return true;
}

// The rest of a string up to its closing quote.
std::string_view TakeString(std::string_view* text) {
  size_t end = 0;
  while (end < text->size() && (*text)[end] != '"') end += (*text)[end] == '\\' ? 2 : 1;
  end = std::min(end, text->size());
  const std::string_view value = text->substr(0, end);
  text->remove_prefix(std::min(end + 1, text->size()));
  return value;
}

// {"manager":"m","operation":"Update","apiVersion":"v1","time":"…","fieldsType":"FieldsV1",
//  "fieldsV1":{…},"subresource":"status"}
bool ReadEntry(std::string_view* text, json::Arena& arena, ManagedFieldsEntry* entry) {
  if (!Take("{", text)) return false;
  if (Take("\"manager\":\"", text)) {
    entry->id.manager = TakeString(text);
    if (!Take(",", text)) return false;
  }
  if (!Take("\"operation\":\"", text)) return false;
  entry->id.applied = TakeString(text) == "Apply";
  if (!Take(",\"apiVersion\":\"", text)) return false;
  entry->id.api_version = TakeString(text);
  if (Take(",\"time\":\"", text)) entry->time = TakeString(text);
  if (!Take(",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":", text)) return false;
  const auto fields = FieldSet::Parse(text, arena);
  if (!fields) return false;
  entry->fields = *fields;
  if (Take(",\"subresource\":\"", text)) entry->id.subresource = TakeString(text);
  return Take("}", text);
}

void AppendText(std::string_view name, std::string_view value, std::string* out) {
  if (value.empty()) return;
  if (out->back() != '{') *out += ',';
  *out += '"';
  out->append(name).append("\":\"").append(value) += '"';
}

void AppendEntry(const ManagedFieldsEntry& entry, std::string* out) {
  *out += '{';
  AppendText("manager", entry.id.manager, out);
  AppendText("operation", entry.id.applied ? "Apply" : "Update", out);
  AppendText("apiVersion", entry.id.api_version, out);
  AppendText("time", entry.time, out);
  *out += ",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":";
  entry.fields.Append(out);
  AppendText("subresource", entry.id.subresource, out);
  *out += '}';
}

std::string_view EscapedText(const json::Value& object, std::string_view name, json::Arena& arena) {
  std::string text;
  AppendEscaped(object.FindString({name}), &text);
  return arena.Copy(text);
}

auto SortKey(const ManagedFieldsEntry& entry) {
  return std::tuple(!entry.id.applied, entry.time, entry.id.manager, entry.id.api_version,
                    entry.id.subresource);
}

}  // namespace

std::optional<ManagedFields> ManagedFields::Parse(std::string_view text, json::Arena& arena) {
  ManagedFields managed;
  if (text.empty()) return managed;
  if (!Take("[", &text)) return std::nullopt;
  do {
    ManagedFieldsEntry entry;
    if (!ReadEntry(&text, arena, &entry)) return std::nullopt;
    managed.Add(entry);
  } while (Take(",", &text));
  if (text != "]") return std::nullopt;
  return managed;
}

std::optional<ManagedFields> ManagedFields::FromJson(const json::Value& value, json::Arena& arena) {
  ManagedFields managed;
  for (const json::Value& from : value.elements()) {
    const std::string_view operation = from.FindString({"operation"});
    if (operation != "Apply" && operation != "Update") return std::nullopt;
    if (from.FindString({"apiVersion"}).empty()) return std::nullopt;
    if (from.FindString({"fieldsType"}) != "FieldsV1") return std::nullopt;
    ManagedFieldsEntry entry;
    entry.id = {.manager = EscapedText(from, "manager", arena),
                .applied = operation == "Apply",
                .api_version = EscapedText(from, "apiVersion", arena),
                .subresource = EscapedText(from, "subresource", arena)};
    entry.time = EscapedText(from, "time", arena);
    if (const json::Value* fields = from.Find("fieldsV1"); fields != nullptr && !fields->IsNull()) {
      const auto set = FieldSet::FromJson(*fields, arena);
      if (!set) return std::nullopt;
      entry.fields = *set;
    }
    managed.Add(entry);
  }
  return managed;
}

// The last entry of a manager counts.
void ManagedFields::Add(const ManagedFieldsEntry& entry) {
  if (ManagedFieldsEntry* earlier = Find(entry.id)) {
    *earlier = entry;
  } else {
    entries_.push_back(entry);
  }
}

bool ManagedFields::IsReset(const json::Value& value) {
  if (!value.IsArray()) return false;
  if (value.size() == 0) return true;
  return value.size() == 1 && value.elements()[0].size() == 0;
}

ManagedFieldsEntry* ManagedFields::Find(const ManagerId& id) {
  const auto found = std::ranges::find(entries_, id, &ManagedFieldsEntry::id);
  return found == entries_.end() ? nullptr : &*found;
}

void ManagedFields::TakeChanged(const CompareInVersion& compare, const ManagerId* keeper,
                                json::Arena& arena) {
  std::erase_if(entries_, [&](ManagedFieldsEntry& entry) {
    if (keeper != nullptr && entry.id == *keeper) return entry.fields.empty();
    const Comparison* comparison = compare(entry.id.api_version);
    if (comparison == nullptr) return true;
    for (const FieldSet* changed :
         {&comparison->modified, &comparison->added, &comparison->removed}) {
      if (!Intersects(entry.fields, *changed)) continue;
      entry.fields = Difference(entry.fields, *changed, arena);
    }
    return entry.fields.empty();
  });
}

void ManagedFields::Update(const CompareInVersion& compare, const ManagerId& self,
                           std::string_view now, json::Arena& arena) {
  const Comparison* own = compare(self.api_version);
  KULISSE_ASSERT(own != nullptr);
  TakeChanged(compare, nullptr, arena);
  const FieldSet taken = own->modified.empty() ? own->added
                         : own->added.empty()  ? own->modified
                                               : Union(own->modified, own->added, arena);
  if (!taken.empty()) {
    ManagedFieldsEntry* entry = Find(self);
    if (entry == nullptr) {
      entries_.push_back({.id = self, .time = {}, .fields = taken});
      entry = &entries_.back();
    } else {
      entry->fields = Union(taken, entry->fields, arena);
    }
    entry->time = now;
  }
  CapUpdates(arena);
}

void ManagedFields::CapUpdates(json::Arena& arena) {
  const auto is_update = [](const ManagedFieldsEntry& entry) { return !entry.id.applied; };
  auto count = static_cast<size_t>(std::ranges::count_if(entries_, is_update));
  if (count <= kUpdateManagersMax) return;
  std::vector<ManagedFieldsEntry> updates;
  std::ranges::copy_if(entries_, std::back_inserter(updates), is_update);
  std::ranges::sort(updates, {}, SortKey);
  std::map<std::string_view, ManagerId> first_of_version;
  for (const ManagedFieldsEntry& update : updates) {
    if (count <= kUpdateManagersMax) break;
    const std::string_view version = update.id.api_version;
    const auto [first, is_first] = first_of_version.try_emplace(version, update.id);
    if (is_first) continue;
    const ManagerId bucket{
        .manager = kOldUpdates, .applied = false, .api_version = version, .subresource = {}};
    if (Find(bucket) == nullptr) {
      ManagedFieldsEntry* oldest = Find(first->second);
      KULISSE_ASSERT(oldest != nullptr);
      oldest->id = bucket;
    }
    ManagedFieldsEntry* merged = Find(bucket);
    merged->fields = Union(update.fields, merged->fields, arena);
    merged->time = update.time;
    if (!(update.id == bucket)) {
      std::erase_if(entries_, [&](const ManagedFieldsEntry& e) { return e.id == update.id; });
    }
    --count;
  }
}

std::string ManagedFields::ToText() {
  if (entries_.empty()) return "";
  std::ranges::stable_sort(entries_, {}, SortKey);
  std::string text = "[";
  text.reserve(1024);
  for (const ManagedFieldsEntry& entry : entries_) {
    if (text.size() > 1) text += ',';
    AppendEntry(entry, &text);
  }
  return text + ']';
}

bool ManagedFields::SameButTimes(const ManagedFields& a, const ManagedFields& b) {
  return std::ranges::equal(
      a.entries_, b.entries_, [](const ManagedFieldsEntry& x, const ManagedFieldsEntry& y) {
        return x.id == y.id && x.id.api_version == y.id.api_version && x.fields == y.fields;
      });
}

}  // namespace kulisse::openapi
