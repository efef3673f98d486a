#include "apiserver/admission/cache.h"

#include "base/assert.h"
#include "base/json/parse.h"

namespace kulisse::apiserver {

namespace {

// In the order of AdmissionCache::Kind.
constexpr std::string_view kStorageNames[] = {
    "namespaces",
    "serviceaccounts",
    "limitranges",
    "resourcequotas",
    "priorityclasses.scheduling.k8s.io",
    "runtimeclasses.node.k8s.io",
    "storageclasses.storage.k8s.io",
    "ingressclasses.networking.k8s.io",
};

const openapi::ResourceInfo* FindStored(const openapi::Catalog& catalog, std::string_view name) {
  for (const openapi::ResourceInfo& resource : catalog.resources()) {
    if (resource.storage == &resource && resource.storage_name == name) return &resource;
  }
  return nullptr;
}

// Namespace and name in "limitranges/NAMESPACE/NAME" or "namespaces/NAME".
std::pair<std::string, std::string> SplitKey(std::string_view key, bool namespaced) {
  key.remove_prefix(key.find('/') + 1);
  if (!namespaced) return {"", std::string(key)};
  const size_t slash = key.find('/');
  return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

}  // namespace

const json::Value& CachedObject::root() const {
  std::call_once(decoded_, [this] {
    auto document = json::Parse(record_->json());
    KULISSE_ASSERT(document.has_value());  // we wrote it
    document_ = std::move(*document);
  });
  return document_.root;
}

AdmissionCache::AdmissionCache(storage::Store& store, const openapi::Catalog& catalog)
    : store_(store) {
  static_assert(std::size(kStorageNames) == kKinds);
  for (size_t i = 0; i < kKinds; ++i) {
    tables_[i].resource = FindStored(catalog, kStorageNames[i]);
    KULISSE_ASSERT(tables_[i].resource != nullptr);
    Load(&tables_[i]);
  }
}

void AdmissionCache::Load(Table* table) {
  const storage::SnapshotPtr snapshot = store_.Latest();
  const auto cursor = snapshot->Scan(table->resource->storage_name, "", "");
  size_t size = 0;
  while (storage::RecordPtr record = cursor->Next()) {
    const auto [ns, name] = SplitKey(cursor->key(), table->resource->namespaced);
    table->by_ns[ns][name] = std::make_shared<const CachedObject>(name, std::move(record));
    ++size;
  }
  table->size = size;
}

CachedObjectPtr AdmissionCache::Get(Kind kind, std::string_view ns, std::string_view name) const {
  const Table& table = TableOf(kind);
  {
    const std::shared_lock lock(table.mutex);
    if (const auto objects = table.by_ns.find(ns); objects != table.by_ns.end()) {
      const auto object = objects->second.find(name);
      if (object != objects->second.end()) return object->second;
    }
  }
  // Who watches may know of a commit before its writer has come to Refresh().
  storage::RecordPtr record =
      store_.Get({table.resource->storage_name, std::string(ns), std::string(name)});
  if (record == nullptr) return nullptr;
  return std::make_shared<const CachedObject>(name, std::move(record));
}

std::vector<CachedObjectPtr> AdmissionCache::List(Kind kind, std::string_view ns) const {
  std::vector<CachedObjectPtr> list;
  const Table& table = TableOf(kind);
  if (table.size == 0) return list;
  const std::shared_lock lock(table.mutex);
  const auto objects = table.by_ns.find(ns);
  if (objects == table.by_ns.end()) return list;
  list.reserve(objects->second.size());
  for (const auto& [name, object] : objects->second) list.push_back(object);
  return list;
}

void AdmissionCache::Refresh(const openapi::ResourceInfo& resource, const storage::Key& key) {
  for (Table& table : tables_) {
    if (table.resource != resource.storage) continue;
    // Read under the lock: of two writers, the later one must not put back what the other saw.
    const std::unique_lock lock(table.mutex);
    storage::RecordPtr record = store_.Get(key);
    ByName& objects = table.by_ns[key.ns];
    if (record == nullptr) {
      table.size -= objects.erase(key.name);
    } else {
      CachedObjectPtr& object = objects[key.name];
      if (object == nullptr) ++table.size;
      object = std::make_shared<const CachedObject>(key.name, std::move(record));
    }
    if (objects.empty()) table.by_ns.erase(key.ns);
    return;
  }
}

}  // namespace kulisse::apiserver
