// AdmissionChain is the list of plugins in the order in which they run. Every write of the registry
// passes it.
//
// Owns: its plugins. Borrows: the cache, which learns of every commit here.
// Threads: Append() before the first write; the rest from any thread.
// Errors: of the first plugin that refuses.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "apiserver/admission/cache.h"
#include "apiserver/admission/plugin.h"

namespace kulisse::apiserver {

class AdmissionChain {
 public:
  AdmissionChain(const openapi::Catalog& catalog, AdmissionCache& cache);

  void Append(std::unique_ptr<AdmissionPlugin> plugin);

  Result<void> Mutate(AdmissionAttributes& attributes) const;
  Result<void> Validate(const AdmissionAttributes& attributes) const;
  // Whether no plugin wants to see renewals of the resource.
  [[nodiscard]] bool IgnoresRenewals(const openapi::ResourceInfo& resource) const;
  // Says that an object was written or deleted, before the answer leaves.
  void Committed(const openapi::ResourceInfo& resource, const storage::Key& key) const {
    cache_.Refresh(resource, key);
  }

 private:
  struct Entry {
    const AdmissionPlugin* plugin;
    uint8_t operations;
  };
  using Entries = std::vector<Entry>;
  [[nodiscard]] const Entries& Of(const openapi::ResourceInfo& resource) const;

  AdmissionCache& cache_;
  std::vector<std::unique_ptr<AdmissionPlugin>> plugins_;
  // Who wants to see which resource of the catalog, by the row in whose version it is stored.
  std::unordered_map<const openapi::ResourceInfo*, Entries> by_resource_;
  Entries of_any_;  // for resources that came later
};

// Undoes what plugins took for a write, unless the write happened.
class UndoList {
 public:
  UndoList() = default;
  UndoList(const UndoList&) = delete;
  UndoList& operator=(const UndoList&) = delete;
  ~UndoList() { Run(); }

  [[nodiscard]] std::vector<Undo>* list() { return &list_; }
  // Undoes now: the write is computed anew.
  void Run();
  void Forget() { list_.clear(); }

 private:
  std::vector<Undo> list_;
};

}  // namespace kulisse::apiserver
