#include "openapi/managed_fields/managed_fields.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "base/assert.h"
#include "base/limits.h"
#include "openapi/managed_fields/path_element.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kOldUpdates = "ancient-changes";
constexpr std::string_view kNoFields = "{}";

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

// Takes the FieldsV1 of an entry that the rest of the text begins with. The text between two
// entries, `,{"`, is nowhere else: keys of FieldsV1 have their quotes escaped. So an entry is cut
// off by a search, without looking at its fields.
std::string_view TakeFields(std::string_view* text) {
  constexpr std::string_view kNextEntry = ",{\"manager\":\"";
  constexpr std::string_view kSubresource = ",\"subresource\":\"";
  const auto find = [text](std::string_view what) {
    const auto* found =
        static_cast<const char*>(memmem(text->data(), text->size(), what.data(), what.size()));
    return found == nullptr ? text->npos : static_cast<size_t>(found - text->data());
  };
  // Clients may give entries without a manager.
  if (find(",{\"operation\":\"") != text->npos) return FieldSet::Skip(text);
  const std::string_view entry =
      text->substr(0, std::min(find(kNextEntry), std::max<size_t>(text->size(), 1) - 1));
  size_t size = entry.size();
  if (!entry.ends_with('}') || !entry.starts_with('{')) return {};
  --size;
  if (entry[size - 1] == '"') size = entry.rfind(kSubresource);
  if (size == entry.npos || size == 0) return {};
  const std::string_view fields = entry.substr(0, size);
  text->remove_prefix(size);
  return fields;
}

// {"manager":"m","operation":"Update","apiVersion":"v1","time":"…","fieldsType":"FieldsV1",
//  "fieldsV1":{…},"subresource":"status"}
bool ReadEntry(std::string_view* text, ManagedFieldsEntry* entry) {
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
  entry->unread = TakeFields(text);
  if (entry->unread.empty()) return false;
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
  if (entry.unread.empty()) {
    entry.fields.Append(out);
  } else {
    out->append(entry.unread);
  }
  AppendText("subresource", entry.id.subresource, out);
  *out += '}';
}

std::string_view EscapedText(const json::Value& object, std::string_view name, json::Arena& arena) {
  std::string text;
  AppendEscaped(object.FindString({name}), &text);
  return arena.Copy(text);
}

// By halves, so that many small sets are not copied once for each.
FieldSet UnionOfAll(std::span<const FieldSet> sets, json::Arena& arena) {
  if (sets.size() == 1) return sets[0];
  const size_t half = sets.size() / 2;
  return Union(UnionOfAll(sets.first(half), arena), UnionOfAll(sets.subspan(half), arena), arena);
}

auto SortKey(const ManagedFieldsEntry& entry) {
  return std::tuple(!entry.id.applied, entry.time, entry.id.manager, entry.id.api_version,
                    entry.id.subresource);
}

}  // namespace

void ManagedFieldsEntry::Read(json::Arena& arena) {
  if (unread.empty()) return;
  const auto parsed = FieldSet::Parse(&unread, arena);
  KULISSE_ASSERT(parsed.has_value());
  fields = *parsed;
  unread = {};
}

std::optional<ManagedFields> ManagedFields::Parse(std::string_view text, json::Arena& arena) {
  auto managed = ParseUnread(text);
  if (!managed) return std::nullopt;
  for (ManagedFieldsEntry& entry : managed->entries_) {
    const auto parsed = FieldSet::Parse(&entry.unread, arena);
    if (!parsed || !entry.unread.empty()) return std::nullopt;
    entry.fields = *parsed;
  }
  return managed;
}

std::optional<ManagedFields> ManagedFields::ParseUnread(std::string_view text) {
  ManagedFields managed;
  if (text.empty()) return managed;
  if (!Take("[", &text)) return std::nullopt;
  do {
    ManagedFieldsEntry entry;
    if (!ReadEntry(&text, &entry)) return std::nullopt;
    managed.entries_.push_back(entry);
  } while (Take(",", &text));
  if (text != "]") return std::nullopt;
  managed.DropDoubled();
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
    managed.entries_.push_back(entry);
  }
  managed.DropDoubled();
  return managed;
}

// The last entry of a manager counts.
void ManagedFields::DropDoubled() {
  const auto key = [](const ManagedFieldsEntry& entry) {
    const ManagerId& id = entry.id;
    return std::tuple(id.manager, id.applied, id.subresource,
                      id.applied ? std::string_view() : id.api_version);
  };
  std::ranges::stable_sort(entries_, {}, key);
  const auto kept = std::unique(entries_.rbegin(), entries_.rend(),
                                [&](const auto& a, const auto& b) { return key(a) == key(b); });
  entries_.erase(entries_.begin(), kept.base());
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
    if (!entry.unread.empty()) {
      const bool touched = comparison->modified.IntersectsText(entry.unread) ||
                           comparison->added.IntersectsText(entry.unread) ||
                           comparison->removed.IntersectsText(entry.unread);
      if (!touched && entry.unread != kNoFields) return false;
      entry.Read(arena);
    }
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
      entries_.push_back({.id = self, .time = {}, .fields = taken, .unread = {}});
      entry = &entries_.back();
    } else {
      entry->Read(arena);
      entry->fields = Union(taken, entry->fields, arena);
    }
    entry->time = now;
  }
  CapUpdates(arena);
}

// Of each version the oldest updates go into one entry, until there are few enough.
void ManagedFields::CapUpdates(json::Arena& arena) {
  const auto is_apply = [](const ManagedFieldsEntry& entry) { return entry.id.applied; };
  const auto updates = std::ranges::stable_partition(entries_, is_apply);
  size_t count = updates.size();
  if (count <= kUpdateManagersMax) return;
  std::ranges::sort(updates, {}, SortKey);
  struct Bucket {
    ManagedFieldsEntry* entry;
    std::vector<FieldSet> merged;
  };
  std::map<std::string_view, Bucket> buckets;
  for (ManagedFieldsEntry& update : updates) {
    if (update.id.manager == kOldUpdates && update.id.subresource.empty()) {
      buckets[update.id.api_version] = {&update, {}};
    }
  }
  for (ManagedFieldsEntry& update : updates) {
    if (count <= kUpdateManagersMax) break;
    const auto place = buckets.try_emplace(update.id.api_version, Bucket{&update, {}}).first;
    ManagedFieldsEntry& bucket = *place->second.entry;
    if (&bucket == &update) continue;
    bucket.id.manager = kOldUpdates;
    bucket.id.subresource = {};
    update.Read(arena);
    place->second.merged.push_back(update.fields);
    bucket.time = update.time;
    update.fields = FieldSet();
    --count;
  }
  for (auto& [version, bucket] : buckets) {
    if (bucket.merged.empty()) continue;
    bucket.entry->Read(arena);
    bucket.merged.push_back(bucket.entry->fields);
    bucket.entry->fields = UnionOfAll(bucket.merged, arena);
  }
  std::erase_if(entries_, [](const ManagedFieldsEntry& entry) {
    return entry.unread.empty() && entry.fields.empty();
  });
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
