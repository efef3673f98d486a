// AdmissionCache holds the objects of a few small resources that plugins ask about at every write:
// namespaces, quotas, classes … A plugin learns there, without a look at the store, that nothing of
// its kind exists.
//
// It is never behind: who commits calls Refresh() before the answer leaves, so that a client's next
// write sees the one before. (A watch would be behind by the time until commits are durable.) Who
// hears of a commit by a watch may come before Refresh(): Get() therefore asks the store for what
// it misses; List() never does.
//
// Owns: records of these resources, decoded when somebody first looks inside. Borrows: the store.
// Threads: any. Locks: a table's own, then those of the store.
// Limits: as many objects as the store has of these resources.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "openapi/catalog.h"
#include "storage/store.h"

namespace kulisse::apiserver {

// One object, immutable. Threads: any.
class CachedObject {
 public:
  CachedObject(std::string_view name, storage::RecordPtr record)
      : name_(name), record_(std::move(record)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const storage::Record& record() const { return *record_; }
  // The object without kind, apiVersion and resourceVersion.
  [[nodiscard]] const json::Value& root() const;

 private:
  std::string name_;
  storage::RecordPtr record_;
  mutable std::once_flag decoded_;
  mutable json::Document document_;
};
using CachedObjectPtr = std::shared_ptr<const CachedObject>;

class AdmissionCache {
 public:
  enum class Kind : uint8_t {
    kNamespaces,
    kServiceAccounts,
    kLimitRanges,
    kResourceQuotas,
    kPriorityClasses,
    kRuntimeClasses,
    kStorageClasses,
    kIngressClasses,
    kCount,
  };

  // Reads what the store has.
  AdmissionCache(storage::Store& store, const openapi::Catalog& catalog);

  // The object as of now, or null. What is not here is looked for in the store: it is named by
  // somebody, so it mostly is there, or the write will be refused.
  [[nodiscard]] CachedObjectPtr Get(Kind kind, std::string_view ns, std::string_view name) const;
  // Objects of a namespace ("" for those at cluster scope), by name.
  [[nodiscard]] std::vector<CachedObjectPtr> List(Kind kind, std::string_view ns) const;
  // Reads an object anew that was written or deleted; nothing for resources not held here.
  void Refresh(const openapi::ResourceInfo& resource, const storage::Key& key);

 private:
  static constexpr size_t kKinds = static_cast<size_t>(Kind::kCount);
  using ByName = std::map<std::string, CachedObjectPtr, std::less<>>;
  struct Table {
    const openapi::ResourceInfo* resource = nullptr;
    std::atomic<size_t> size{0};
    mutable std::shared_mutex mutex;
    std::map<std::string, ByName, std::less<>> by_ns;  // none is empty
  };

  void Load(Table* table);
  [[nodiscard]] const Table& TableOf(Kind kind) const { return tables_[static_cast<size_t>(kind)]; }

  storage::Store& store_;
  std::array<Table, kKinds> tables_;
};

}  // namespace kulisse::apiserver
