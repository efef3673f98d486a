#include "apiserver/handlers/component_statuses.h"

#include <utility>

#include "apiserver/registry/object_encoding.h"
#include "storage/key.h"

namespace kulisse::apiserver {

namespace {

using storage::RecordPtr;

constexpr std::string_view kResource = "componentstatuses";
// The store answers as long as the process lives: it ends when it cannot write. Other parts are
// processes of their own, of which this one does not know.
constexpr std::string_view kName = "etcd-0";
constexpr std::string_view kMetadata = R"({"metadata":{"name":"etcd-0")";
constexpr std::string_view kRest =
    R"(},"conditions":[{"type":"Healthy","status":"True","message":"ok"}]})";

RecordPtr MakeRecord() {
  const std::string json = std::string(kMetadata).append(kRest);
  storage::RecordContent content;
  content.fields = {{"metadata.name", kName}};
  content.rv_offset = kMetadata.size();
  content.json = json;
  return DryRunRecord(content, {});
}

class Components final : public storage::Snapshot {
 public:
  [[nodiscard]] storage::Revision revision() const override { return {}; }
  [[nodiscard]] std::unique_ptr<Cursor> Scan(std::string_view /*resource*/, std::string_view /*ns*/,
                                             std::string_view after) const override {
    return std::make_unique<OneCursor>(after);
  }
  [[nodiscard]] RecordPtr Get(const storage::Key& key) const override {
    return key.name == kName ? MakeRecord() : nullptr;
  }
  [[nodiscard]] uint64_t Count(std::string_view /*resource*/,
                               std::string_view /*ns*/) const override {
    return 1;
  }

 private:
  class OneCursor final : public Cursor {
   public:
    explicit OneCursor(std::string_view after)
        : key_(storage::EncodeKey({std::string(kResource), "", std::string(kName)})),
          record_(key_ > after ? MakeRecord() : nullptr) {}
    RecordPtr Next() override { return std::exchange(record_, nullptr); }
    [[nodiscard]] std::string_view key() const override { return key_; }

   private:
    std::string key_;
    RecordPtr record_;
  };
};

}  // namespace

bool IsComponentStatus(const openapi::ResourceInfo& resource) {
  return resource.group.empty() && resource.resource == kResource;
}

storage::SnapshotPtr ComponentStatuses() { return std::make_shared<const Components>(); }

}  // namespace kulisse::apiserver
