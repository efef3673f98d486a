// Encoder shows objects of one resource in one representation: alone, as items of lists, and as
// events of watches. JSON objects are spliced from the bytes at rest, never parsed; Tables, YAML,
// protobuf and converted versions parse.
//
// Borrows: resource and types. Threads: const methods from any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apiserver/handlers/negotiation.h"
#include "base/json/value.h"
#include "base/runtime.h"
#include "openapi/catalog.h"
#include "storage/event.h"
#include "storage/record.h"

namespace kulisse::apiserver {

// What the metadata of a list says.
struct ListMeta {
  storage::Revision revision;
  std::string continue_token;
  std::optional<int64_t> remaining_items;
};

class Encoder {
 public:
  Encoder(const openapi::ResourceInfo& resource, const openapi::TypeTable& types,
          const Representation& representation, const Runtime& runtime);
  // The same in another representation.
  Encoder(const Encoder& other, const Representation& representation);

  // One object as the whole answer. `revision` is what it shows as resourceVersion, 0 for none.
  [[nodiscard]] std::string Object(const storage::Record& record, storage::Revision revision) const;

  // A list is its head, its items with separators between, and its tail. With protobuf the head
  // needs `items_bytes`, the sum of all items as AppendItem() writes them.
  void AppendListHead(const ListMeta& meta, uint64_t items_bytes, std::string* out) const;
  void AppendItem(const storage::Record& record, bool first, std::string* out) const;
  // `empty`: no item came; a list of metadata then shows them as null.
  void AppendListTail(const ListMeta& meta, bool empty, std::string* out) const;

  // One frame of a watch. Shared by all watchers with the same representation and type.
  [[nodiscard]] std::string Frame(std::string_view type, const storage::Record& record,
                                  storage::Revision revision) const;
  [[nodiscard]] std::string BookmarkFrame(storage::Revision revision,
                                          bool initial_events_end) const;

  [[nodiscard]] const Representation& representation() const { return representation_; }
  // Tells encodings apart: the resource's version and the representation.
  [[nodiscard]] uint64_t id() const;
  [[nodiscard]] const openapi::ResourceInfo& resource() const { return *resource_; }

 private:
  [[nodiscard]] json::Document Decode(const storage::Record& record,
                                      storage::Revision revision) const;
  void AppendJsonObject(const storage::Record& record, storage::Revision revision,
                        std::string* out) const;
  void AppendMetadataObject(const storage::Record& record, storage::Revision revision,
                            bool with_kind, std::string* out) const;
  void AppendTableRow(const storage::Record& record, storage::Revision revision,
                      std::string* out) const;
  void AppendTableHead(std::string_view metadata, std::string* out) const;
  void AppendTable(const storage::Record& record, storage::Revision revision,
                   std::string* out) const;
  // The object in the representation's view, as JSON.
  void AppendView(const storage::Record& record, storage::Revision revision,
                  std::string* out) const;
  [[nodiscard]] std::string ProtobufMessage(const storage::Record& record,
                                            storage::Revision revision) const;
  [[nodiscard]] std::string WrapFrame(std::string_view type, std::string_view object) const;

  const openapi::ResourceInfo* resource_;
  const openapi::TypeTable* types_;
  Representation representation_;
  const Runtime* runtime_;
  std::string head_;  // `"kind":"Pod","apiVersion":"v1",`
};

// The bytes of an object that is not stored. kind and apiVersion of `object` are not looked at.
[[nodiscard]] std::string EncodeDocument(const json::Value& object, std::string_view api_version,
                                         std::string_view kind, openapi::TypeId type,
                                         const Representation& representation,
                                         const openapi::TypeTable& types);
// The bytes of a Status, or of any small JSON document of a metav1 kind, in the representation.
[[nodiscard]] std::string EncodeStatus(std::string_view json, const Representation& representation,
                                       const openapi::TypeTable& types);
// The same of a JSON document that has its own kind and apiVersion, of the type.
[[nodiscard]] std::string EncodeJson(std::string_view json, openapi::TypeId type,
                                     const Representation& representation,
                                     const openapi::TypeTable& types);
// One ERROR frame of a watch.
[[nodiscard]] std::string ErrorFrame(const Status& status, const Representation& representation,
                                     const openapi::TypeTable& types);

}  // namespace kulisse::apiserver
