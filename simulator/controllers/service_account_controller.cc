#include "simulator/controllers/service_account_controller.h"

#include <utility>

#include "base/log.h"

namespace kulisse::simulator {

namespace {

constexpr std::string_view kAccount = "default";
constexpr std::string_view kRootCa = "kube-root-ca.crt";
constexpr std::string_view kRootCaKey = "ca.crt";
constexpr std::string_view kDescriptionKey = "kubernetes.io/description";
constexpr std::string_view kDescription =
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters.";

json::Document Named(std::string_view name) {
  json::Document object;
  object.root = json::Value::Object();
  object.root.SetDefaultObject("metadata", object.arena)
      .Set("name", json::Value::String(name, object.arena), object.arena);
  return object;
}

constexpr Duration kRetryDelay = std::chrono::seconds(1);

// A namespace that is gone or going needs nothing; somebody else may have been faster.
bool IsDone(const Result<apiserver::WriteResult>& result, const std::string& ns) {
  if (result || result.error().IsNotFound() || result.error().IsAlreadyExists()) return true;
  if (result.error().reason == "Forbidden") return true;
  log::Warning("service_accounts", "cannot complete a namespace",
               {{"namespace", ns}, {"error", result.error().message}});
  return false;
}

}  // namespace

ServiceAccountController::ServiceAccountController(Client& client, Runtime& runtime,
                                                   std::string root_ca)
    : client_(client),
      runtime_(runtime),
      root_ca_(std::move(root_ca)),
      namespaces_(client.Resource("", "v1", "namespaces")),
      accounts_(client.Resource("", "v1", "serviceaccounts")),
      config_maps_(client.Resource("", "v1", "configmaps")),
      namespace_informer_(client.store(), namespaces_, runtime,
                          {[this](const storage::Key& key, const storage::RecordPtr& record) {
                            NamespaceChanged(key.name, record);
                          }}),
      account_informer_(client.store(), accounts_, runtime,
                        {[this](const storage::Key& key, const storage::RecordPtr& record) {
                          if (record == nullptr && key.name == kAccount) Reconcile(key.ns);
                        }}),
      config_map_informer_(client.store(), config_maps_, runtime,
                           {[this](const storage::Key& key, const storage::RecordPtr& /*record*/) {
                             if (key.name == kRootCa) Reconcile(key.ns);
                           }}) {}

void ServiceAccountController::Start() {
  namespace_informer_.Start();
  account_informer_.Start();
  if (!root_ca_.empty()) config_map_informer_.Start();
}

void ServiceAccountController::NamespaceChanged(const std::string& name,
                                                const storage::RecordPtr& record) {
  if (record != nullptr && !record->deleting()) Reconcile(name);
}

void ServiceAccountController::Reconcile(const std::string& ns) {
  const storage::RecordPtr record = client_.Get(namespaces_, {"", ns});
  if (record == nullptr || record->deleting()) return;
  const bool has_account = EnsureAccount(ns);
  const bool has_ca = root_ca_.empty() || EnsureRootCa(ns);
  if (has_account && has_ca) return;
  runtime_.ScheduleAfter(kRetryDelay, [weak = std::weak_ptr(self_), ns] {
    if (const auto self = weak.lock()) (*self)->Reconcile(ns);
  });
}

bool ServiceAccountController::EnsureAccount(const std::string& ns) {
  if (client_.Get(accounts_, {ns, std::string(kAccount)}) != nullptr) return true;
  return IsDone(client_.Create(accounts_, ns, Named(kAccount)), ns);
}

Result<void> ServiceAccountController::SetRootCa(json::Document& config_map) const {
  json::Arena& arena = config_map.arena;
  config_map.root.SetDefaultObject("metadata", arena)
      .SetDefaultObject("annotations", arena)
      .Set(kDescriptionKey, json::Value::StringRef(kDescription), arena);
  json::Value data = json::Value::Object();
  data.Set(kRootCaKey, json::Value::String(root_ca_, arena), arena);
  config_map.root.Set("data", std::move(data), arena);
  return {};
}

bool ServiceAccountController::EnsureRootCa(const std::string& ns) {
  const apiserver::ObjectName name{ns, std::string(kRootCa)};
  if (client_.Get(config_maps_, name) == nullptr) {
    json::Document config_map = Named(kRootCa);
    return !SetRootCa(config_map) ||
           IsDone(client_.Create(config_maps_, ns, std::move(config_map)), ns);
  }
  // Writes nothing when it is as it should be.
  const auto set = [this](json::Document& config_map) { return SetRootCa(config_map); };
  return IsDone(client_.Update(config_maps_, name, "", set), ns);
}

}  // namespace kulisse::simulator
