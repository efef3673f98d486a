#include "apiserver/handlers/encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/registry/conversion.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/text.h"
#include "openapi/protobuf.h"
#include "openapi/table.h"
#include "openapi/typed.h"
#include "openapi/yaml.h"

namespace kulisse::apiserver {

namespace {

constexpr std::string_view kMetadataHead =
    R"("kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",)";

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    *out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out += static_cast<char>(value);
}

// A length-delimited field of protobuf.
void AppendField(unsigned number, std::string_view bytes, std::string* out) {
  AppendVarint(number << 3 | 2, out);
  AppendVarint(bytes.size(), out);
  *out += bytes;
}

// The end of the JSON value that begins at `at`, an object.
size_t EndOfObject(std::string_view text, size_t at) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  KULISSE_ASSERT(false);  // records are well-formed
  return text.size();
}

std::string ListMetaJson(const ListMeta& meta) {
  if (meta.revision == storage::Revision{}) return "{}";  // of what is not stored
  std::string out = fmt::format(R"({{"resourceVersion":"{}")", meta.revision.value);
  if (!meta.continue_token.empty()) {
    out += R"(,"continue":)";
    json::AppendString(meta.continue_token, &out);
  }
  if (meta.remaining_items)
    out += fmt::format(R"(,"remainingItemCount":{})", *meta.remaining_items);
  return out + '}';
}

// The message of a small JSON document of a built-in type.
std::string MessageOf(std::string_view text, openapi::TypeId type,
                      const openapi::TypeTable& types) {
  auto document = json::Parse(text);
  KULISSE_ASSERT(document.has_value());
  std::string message;
  openapi::AppendMessage(document->root, type, types, &message);
  return message;
}

// `text` with two blanks before each line but the first, which gets "- ".
void AppendYamlItem(std::string_view text, std::string* out) {
  bool first = true;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (first || !line.empty()) *out += first ? "- " : "  ";
    *out += line;
    *out += '\n';
    first = false;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
}

std::string ToYamlText(std::string_view text) {
  auto document = json::Parse(text);
  KULISSE_ASSERT(document.has_value());
  return openapi::ToYaml(document->root);
}

// Upstream holds custom resources as Go maps, which are written by name.
void SortByName(json::Value& value) {
  std::ranges::sort(value.members(), {}, &json::Member::name);
  for (json::Member& member : value.members()) SortByName(member.value);
  for (json::Value& element : value.elements()) SortByName(element);
}

// The whole answer from its compact JSON.
std::string Finish(std::string compact, const Representation& representation) {
  if (representation.format == Format::kYaml) return ToYamlText(compact);
  if (representation.pretty) {
    std::string out;
    json::AppendIndented(compact, 2, &out);
    return out;
  }
  compact += '\n';
  return compact;
}

json::Document DecodeStored(const storage::Record& record, storage::Revision revision) {
  std::string text;
  text.reserve(record.json().size() + 64);
  record.AppendObject("", revision, &text);
  auto document = json::Parse(text);
  KULISSE_ASSERT(document.has_value());
  return std::move(*document);
}

}  // namespace

Encoder::Encoder(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
                 const Representation& representation, const Runtime& runtime)
    : resource_(&resource),
      types_(&types),
      representation_(representation),
      runtime_(&runtime),
      head_(fmt::format(R"("kind":"{}","apiVersion":"{}",)", resource.kind,
                        resource.api_version())) {}

Encoder::Encoder(const Encoder& other, const Representation& representation) : Encoder(other) {
  representation_ = representation;
}

uint64_t Encoder::id() const {
  return reinterpret_cast<uintptr_t>(resource_) << 16 | representation_.id();
}

json::Document Encoder::Decode(const storage::Record& record, storage::Revision revision) const {
  json::Document document = DecodeStored(record, revision);
  if (resource_->storage != resource_) ConvertFromStorage(*resource_, *types_, document);
  if (resource_->custom) {
    json::Arena& arena = document.arena;
    document.root.Set("apiVersion", json::Value::String(resource_->api_version(), arena), arena);
    document.root.Set("kind", json::Value::StringRef(resource_->kind), arena);
    SortByName(document.root);
  }
  return document;
}

void Encoder::AppendJsonObject(const storage::Record& record, storage::Revision revision,
                               std::string* out) const {
  if (resource_->storage == resource_ && !resource_->custom) {
    record.AppendObject(head_, revision, out);
    return;
  }
  const json::Document document = Decode(record, revision);
  if (resource_->custom) {
    json::Append(document.root, out);
    return;
  }
  const std::string text = json::ToString(document.root);
  *out += '{';
  *out += head_;
  out->append(text, 1);
}

void Encoder::AppendMetadataObject(const storage::Record& record, storage::Revision revision,
                                   bool with_kind, std::string* out) const {
  *out += '{';
  if (with_kind) {
    *out += representation_.table_v1beta1
                ? R"("kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1",)"
                : kMetadataHead;
  }
  const std::string_view text = record.json();
  constexpr std::string_view kStart = R"({"metadata":)";
  KULISSE_ASSERT(text.starts_with(kStart));  // metadata is the first field of every kind
  const size_t end = EndOfObject(text, kStart.size());
  *out += text.substr(1, record.rv_offset() - 1);
  if (revision.value != 0) *out += fmt::format(R"(,"resourceVersion":"{}")", revision.value);
  *out += text.substr(record.rv_offset(), end - record.rv_offset());
  *out += '}';
}

void Encoder::AppendTableRow(const storage::Record& record, storage::Revision revision,
                             std::string* out) const {
  // All versions of a kind are printed alike, from what is stored.
  const json::Document document = DecodeStored(record, revision);
  *out += R"({"cells":)";
  openapi::AppendTableCells(*resource_->storage, document.root, runtime_->Now(), out);
  *out += R"(,"object":)";
  switch (representation_.include_object) {
    case IncludeObject::kNone:
      *out += "null";
      break;
    case IncludeObject::kMetadata:
      AppendMetadataObject(record, revision, true, out);
      break;
    case IncludeObject::kObject:
      AppendJsonObject(record, revision, out);
      break;
  }
  *out += '}';
}

void Encoder::AppendTableHead(std::string_view metadata, std::string* out) const {
  *out += fmt::format(R"({{"kind":"Table","apiVersion":"meta.k8s.io/{}","metadata":{},)",
                      representation_.table_v1beta1 ? "v1beta1" : "v1", metadata);
  if (!representation_.with_columns) {
    *out += R"("columnDefinitions":null,"rows":[)";
    return;
  }
  *out += R"("columnDefinitions":[)";
  for (const openapi::TableColumn& column : openapi::TableColumns(*resource_)) {
    if (out->back() != '[') *out += ',';
    *out += R"({"name":)";
    json::AppendString(column.name, out);
    *out += fmt::format(R"(,"type":"{}","format":"{}","description":"","priority":{}}})",
                        column.type, column.format, column.priority);
  }
  *out += R"(],"rows":[)";
}

void Encoder::AppendTable(const storage::Record& record, storage::Revision revision,
                          std::string* out) const {
  AppendTableHead(
      revision.value == 0 ? "{}" : fmt::format(R"({{"resourceVersion":"{}"}})", revision.value),
      out);
  AppendTableRow(record, revision, out);
  *out += "]}";
}

std::string Encoder::ProtobufMessage(const storage::Record& record,
                                     storage::Revision revision) const {
  const json::Document document = Decode(record, revision);
  std::string message;
  if (representation_.view == View::kObject) {
    openapi::AppendMessage(document.root, resource_->type, *types_, &message);
  } else {
    std::string metadata;
    openapi::AppendMessage(*document.root.Find("metadata"), types_->object_meta(), *types_,
                           &metadata);
    AppendField(1, metadata, &message);
  }
  return message;
}

void Encoder::AppendView(const storage::Record& record, storage::Revision revision,
                         std::string* out) const {
  switch (representation_.view) {
    case View::kObject:
      AppendJsonObject(record, revision, out);
      break;
    case View::kMetadata:
    case View::kMetadataList:
      AppendMetadataObject(record, revision, true, out);
      break;
    case View::kTable:
      AppendTable(record, revision, out);
      break;
  }
}

std::string Encoder::Object(const storage::Record& record, storage::Revision revision) const {
  std::string out;
  if (representation_.format == Format::kProtobuf) {
    const bool whole = representation_.view == View::kObject;
    openapi::AppendEnvelope(whole ? resource_->api_version() : "meta.k8s.io/v1",
                            whole ? resource_->kind : "PartialObjectMetadata",
                            ProtobufMessage(record, revision), &out);
    return out;
  }
  AppendView(record, revision, &out);
  return Finish(std::move(out), representation_);
}

void Encoder::AppendListHead(const ListMeta& meta, uint64_t items_bytes, std::string* out) const {
  const bool whole = representation_.view == View::kObject;
  const std::string kind =
      whole ? fmt::format("{}List", resource_->kind) : std::string("PartialObjectMetadataList");
  const std::string version = whole ? resource_->api_version() : "meta.k8s.io/v1";
  const std::string metadata = ListMetaJson(meta);
  if (representation_.format == Format::kProtobuf) {
    std::string list_meta;
    AppendField(1, MessageOf(metadata, types_->list_meta(), *types_), &list_meta);
    std::string type_meta;
    AppendField(1, version, &type_meta);
    AppendField(2, kind, &type_meta);
    *out += std::string_view("k8s\0", 4);
    AppendField(1, type_meta, out);
    AppendVarint(2 << 3 | 2, out);
    AppendVarint(list_meta.size() + items_bytes, out);
    *out += list_meta;
    return;
  }
  if (representation_.format == Format::kYaml) {
    *out += fmt::format("apiVersion: {}\nitems:\n", version);
    return;
  }
  if (representation_.view == View::kTable) {
    AppendTableHead(metadata, out);
    return;
  }
  *out += fmt::format(R"({{"kind":"{}","apiVersion":"{}","metadata":{},"items":[)", kind, version,
                      metadata);
}

void Encoder::AppendItem(const storage::Record& record, bool first, std::string* out) const {
  const storage::Revision revision = record.revision();
  if (representation_.format == Format::kProtobuf) {
    AppendField(2, ProtobufMessage(record, revision), out);
    return;
  }
  if (representation_.format == Format::kYaml) {
    const json::Document document = Decode(record, revision);
    AppendYamlItem(openapi::ToYaml(document.root), out);
    return;
  }
  if (!first) *out += ',';
  switch (representation_.view) {
    case View::kObject:
      if (resource_->storage == resource_ && !resource_->custom) {
        record.AppendObject("", revision, out);
      } else {
        *out += json::ToString(Decode(record, revision).root);
      }
      break;
    case View::kMetadata:
    case View::kMetadataList:
      AppendMetadataObject(record, revision, true, out);
      break;
    case View::kTable:
      AppendTableRow(record, revision, out);
      break;
  }
}

void Encoder::AppendListTail(const ListMeta& meta, bool empty, std::string* out) const {
  switch (representation_.format) {
    case Format::kProtobuf:
      // The empty contentEncoding and contentType that the real server writes.
      *out += std::string_view("\x1a\0\x22\0", 4);
      return;
    case Format::kYaml: {
      const std::string kind = representation_.view == View::kObject
                                   ? fmt::format("{}List", resource_->kind)
                                   : "PartialObjectMetadataList";
      *out += fmt::format("kind: {}\nmetadata:\n", kind);
      const std::string metadata = ToYamlText(ListMetaJson(meta));
      for (const std::string_view line : Split(metadata, '\n')) {
        if (!line.empty()) *out += fmt::format("  {}\n", line);
      }
      return;
    }
    case Format::kJson:
      if (empty && representation_.view == View::kMetadataList) {  // as the real server
        out->pop_back();  // the bracket of the head, which is still there
        *out += "null}";
      } else {
        *out += "]}";
      }
      if (!representation_.pretty) *out += '\n';
      return;
  }
}

std::string Encoder::WrapFrame(std::string_view type, std::string_view object) const {
  std::string out;
  if (representation_.format == Format::kProtobuf) {
    openapi::AppendWatchFrame(type, object, &out);
    return out;
  }
  return fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
}

std::string Encoder::Frame(std::string_view type, const storage::Record& record,
                           storage::Revision revision) const {
  if (representation_.format == Format::kProtobuf) return WrapFrame(type, Object(record, revision));
  std::string out;
  out.reserve(record.json().size() + 128);
  out += fmt::format(R"({{"type":"{}","object":)", type);
  AppendView(record, revision, &out);
  out += "}\n";
  return out;
}

std::string Encoder::BookmarkFrame(storage::Revision revision, bool initial_events_end) const {
  std::string metadata = fmt::format(R"({{"resourceVersion":"{}")", revision.value);
  if (initial_events_end) metadata += R"(,"annotations":{"k8s.io/initial-events-end":"true"})";
  metadata += '}';
  if (representation_.view == View::kTable) {
    std::string table;
    AppendTableHead(metadata, &table);
    return WrapFrame("BOOKMARK", table + "]}");
  }
  const bool whole = representation_.view == View::kObject;
  const std::string_view kind = whole ? resource_->kind : "PartialObjectMetadata";
  const std::string version = whole ? resource_->api_version() : "meta.k8s.io/v1";
  json::Document document;
  auto parsed = json::Parse(fmt::format(R"({{"metadata":{}}})", metadata));
  KULISSE_ASSERT(parsed.has_value());
  document = std::move(*parsed);
  if (whole) {  // the fields that the kind always shows
    const auto normalized =
        openapi::Normalize(document.root, resource_->type, *types_, document.arena, nullptr);
    KULISSE_ASSERT(normalized.has_value());
  }
  if (representation_.format == Format::kProtobuf) {
    std::string message;
    if (whole) {
      openapi::AppendMessage(document.root, resource_->type, *types_, &message);
    } else {
      AppendField(1, MessageOf(metadata, types_->object_meta(), *types_), &message);
    }
    std::string envelope;
    openapi::AppendEnvelope(version, kind, message, &envelope);
    return WrapFrame("BOOKMARK", envelope);
  }
  return WrapFrame("BOOKMARK",
                   fmt::format(R"({{"kind":"{}","apiVersion":"{}",{})", kind, version,
                               std::string_view(json::ToString(document.root)).substr(1)));
}

std::string EncodeDocument(const json::Value& object, std::string_view api_version,
                           std::string_view kind, openapi::TypeId type,
                           const Representation& representation, const openapi::TypeTable& types) {
  if (representation.format == Format::kProtobuf) {
    std::string message;
    openapi::AppendMessage(object, type, types, &message);
    std::string out;
    openapi::AppendEnvelope(api_version, kind, message, &out);
    return out;
  }
  std::string text = fmt::format(R"({{"kind":"{}","apiVersion":"{}")", kind, api_version);
  for (const json::Member& member : object.members()) {
    if (member.name == "kind" || member.name == "apiVersion") continue;
    text += ',';
    json::AppendString(member.name, &text);
    text += ':';
    json::Append(member.value, &text);
  }
  return Finish(text + '}', representation);
}

std::string EncodeStatus(std::string_view json, const Representation& representation,
                         const openapi::TypeTable& types) {
  if (representation.format == Format::kProtobuf) {
    std::string out;
    openapi::AppendEnvelope("v1", "Status", MessageOf(json, types.status(), types), &out);
    return out;
  }
  return Finish(std::string(json), representation);
}

std::string EncodeJson(std::string_view json, openapi::TypeId type,
                       const Representation& representation, const openapi::TypeTable& types) {
  if (representation.format != Format::kProtobuf) return Finish(std::string(json), representation);
  const auto document = json::Parse(json);
  KULISSE_ASSERT(document.has_value());
  return EncodeDocument(document->root, document->root.FindString({"apiVersion"}),
                        document->root.FindString({"kind"}), type, representation, types);
}

std::string ErrorFrame(const Status& status, const Representation& representation,
                       const openapi::TypeTable& types) {
  std::string out;
  if (representation.format == Format::kProtobuf) {
    openapi::AppendWatchFrame("ERROR", EncodeStatus(ToJson(status), representation, types), &out);
    return out;
  }
  return fmt::format("{{\"type\":\"ERROR\",\"object\":{}}}\n", ToJson(status));
}

}  // namespace kulisse::apiserver
