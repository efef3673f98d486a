#include "apiserver/registry/object_encoding.h"

#include <memory>

#include "apiserver/registry/selectable_fields.h"
#include "base/assert.h"
#include "base/json/parse.h"
#include "base/json/write.h"

namespace kulisse::apiserver {

namespace {

// Prints metadata without resourceVersion, and notes where it belongs: behind the uid. The managers
// are metadata's last field.
void AppendMetadata(const json::Value& metadata, std::string_view managed_fields,
                    EncodedObject* out) {
  std::string& text = out->json;
  text += '{';
  for (const json::Member& member : metadata.members()) {
    if (member.name == "resourceVersion" || member.name == "managedFields") continue;
    if (text.back() != '{') text += ',';
    json::AppendString(member.name, &text);
    text += ':';
    json::Append(member.value, &text);
    if (member.name == "uid") out->content.rv_offset = static_cast<uint32_t>(text.size());
  }
  if (!managed_fields.empty()) {
    out->content.managed_fields_at = static_cast<uint32_t>(text.size());
    text.append(",\"managedFields\":").append(managed_fields);
    out->content.managed_fields_size =
        static_cast<uint32_t>(text.size()) - out->content.managed_fields_at;
  }
  text += '}';
}

}  // namespace

void EncodeObject(const openapi::ResourceInfo& resource, const json::Value& object,
                  std::string_view managed_fields, EncodedObject* out) {
  std::string& text = out->json;
  text.reserve(2048 + managed_fields.size());
  text += '{';
  for (const json::Member& member : object.members()) {
    if (member.name == "kind" || member.name == "apiVersion") continue;
    if (text.size() > 1) text += ',';
    json::AppendString(member.name, &text);
    text += ':';
    if (member.name == "metadata") {
      AppendMetadata(member.value, managed_fields, out);
    } else {
      json::Append(member.value, &text);
    }
  }
  text += '}';
  KULISSE_ASSERT(out->content.rv_offset != 0);

  const json::Value* metadata = object.Find("metadata");
  storage::RecordContent& content = out->content;
  content.uid = metadata->FindString({"uid"});
  content.deleting = metadata->Find("deletionTimestamp") != nullptr;
  if (const json::Value* labels = metadata->Find("labels")) {
    for (const json::Member& label : labels->members()) {
      content.labels.emplace_back(label.name, label.value.AsString());
    }
  }
  CollectSelectableFields(resource, object, &content.fields, &out->texts);
  content.json = text;
}

storage::RecordPtr DryRunRecord(const storage::RecordContent& content, storage::Revision revision) {
  auto record = storage::Record::Decode(storage::Record::Encode(content, revision));
  KULISSE_ASSERT(record.has_value());
  return std::make_shared<const storage::Record>(std::move(*record));
}

json::Document DecodeObject(const storage::Record& record) {
  std::string text;
  text.reserve(record.json().size() + 64);
  record.AppendUnmanaged(record.revision(), &text);
  auto document = json::Parse(text);
  KULISSE_ASSERT(document.has_value());  // we wrote it
  return std::move(*document);
}

}  // namespace kulisse::apiserver
