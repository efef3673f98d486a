#include "cmd/serve.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>

#include "base/log.h"
#include "base/real_runtime.h"
#include "base/text.h"
#include "certs/kubeconfig.h"
#include "certs/pki.h"
#include "certs/private_file.h"
#include "cmd/startup_memory.h"
#include "simulator/cluster.h"
#include "simulator/stage/config.h"
#include "storage/store.h"

namespace kulisse::cmd {

namespace {

namespace fs = std::filesystem;

int Fail(std::string_view message) {
  std::fprintf(stderr, "kulisse: %.*s\n", static_cast<int>(message.size()), message.data());
  return kExitFailure;
}

uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

void SetLogLevel(int verbosity) {
  log::SetLevel(verbosity >= 2   ? log::Level::kDebug
                : verbosity == 1 ? log::Level::kInfo
                                 : log::Level::kWarning);
}

std::expected<std::unique_ptr<storage::Store>, std::string> OpenStore(const ServeOptions& options,
                                                                      Runtime& runtime) {
  storage::StoreOptions store_options;
  const auto durability = storage::ParseDurability(options.durability);
  if (!durability) return std::unexpected("unknown durability " + options.durability);
  store_options.durability = options.in_memory ? storage::Durability::kMemory : *durability;
  if (store_options.durability != storage::Durability::kMemory) {
    store_options.directory = (fs::path(options.data_dir) / "store").string();
  }
  return storage::Store::Open(store_options, runtime);
}

// The names in flags that each may hold several between commas.
std::vector<std::string> SplitLists(const std::vector<std::string>& flags) {
  std::vector<std::string> names;
  for (const std::string& flag : flags) {
    for (const std::string_view name : Split(flag, ',')) names.emplace_back(name);
  }
  return names;
}

// Loopback in place of "all addresses", as clients write it.
std::string AdvertiseAddress(const std::string& bind) {
  if (bind == "0.0.0.0") return "127.0.0.1";
  if (bind == "::") return "::1";
  return bind;
}

// Reads what --config names.
std::expected<simulator::SimulatorConfig, std::string> ReadConfig(
    const std::vector<std::string>& paths) {
  simulator::SimulatorConfig config;
  for (const std::string& path : paths) {
    if (auto added = simulator::AddConfigPath(path, &config); !added) {
      return std::unexpected(added.error());
    }
  }
  return config;
}

// The nodes of --nodes-file.
std::expected<std::vector<simulator::NodeGroup>, std::string> ReadNodeGroups(
    const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) return std::unexpected("cannot read " + path);
  return simulator::ParseNodeGroups(path, text);
}

// What the simulator plays, and on which nodes.
std::expected<void, std::string> ReadSimulation(const ServeOptions& options,
                                                simulator::ClusterOptions* cluster) {
  auto config = ReadConfig(options.config);
  if (!config) return std::unexpected(config.error());
  config->stage_sets = SplitLists(options.stages);
  config->options.kubelet_rules = options.kubelet_rules;
  cluster->simulator = std::move(*config);
  auto groups = ReadNodeGroups(options.nodes_file);
  if (!groups) return std::unexpected(groups.error());
  cluster->node_groups = std::move(*groups);
  return {};
}

// What the cluster shows and signs with: its authority, and the key of service accounts.
std::expected<void, std::string> ReadSecrets(const certs::PkiFiles& pki,
                                             simulator::ClusterOptions* options) {
  auto root_ca = certs::ReadSmallFile(pki.ca_certificate);
  if (!root_ca) return std::unexpected(root_ca.error());
  options->root_ca = std::move(*root_ca);
  options->api.client_ca = options->root_ca;  // one authority signs both
  const auto pem = certs::ReadSmallFile(pki.service_account_key);
  if (!pem) return std::unexpected(pem.error());
  auto key = certs::PrivateKey::FromPem(*pem);
  if (!key) return std::unexpected(key.error());
  options->api.service_account_key = std::move(*key);
  return {};
}

void SetListeners(const ServeOptions& options, const certs::PkiFiles& pki,
                  simulator::ClusterOptions* cluster) {
  apiserver::net::ServerOptions listen;
  listen.address = options.bind;
  listen.port = static_cast<uint16_t>(options.port);
  listen.tls = {pki.server_certificate, pki.server_key, pki.ca_certificate};
  cluster->listen = std::move(listen);
  if (options.insecure_port == 0) return;
  apiserver::net::ServerOptions unsecured;
  unsecured.address = options.insecure_bind_address;
  unsecured.port = static_cast<uint16_t>(options.insecure_port);
  cluster->listen_unsecured = std::move(unsecured);
}

// By then a cluster has started, and the nodes of most are ready.
constexpr timespec kSettleTime{.tv_sec = 2, .tv_nsec = 0};
constexpr timespec kTrimPeriod{.tv_sec = 60, .tv_nsec = 0};

void WaitForSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  int signal = sigtimedwait(&signals, nullptr, &kSettleTime);
  if (signal < 0) ReturnStartupMemory();
  while (signal < 0) {
    signal = sigtimedwait(&signals, nullptr, &kTrimPeriod);
    if (signal < 0) ReturnFreedMemory();
  }
  log::Info("serve", "stopping", {{"signal", signal}});
}

}  // namespace

void BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int Serve(const ServeOptions& options) {
  SetLogLevel(options.verbosity);
  simulator::ClusterOptions cluster_options;
  cluster_options.api.advertise_address = AdvertiseAddress(options.bind);
  cluster_options.simulate = !options.no_simulator;
  cluster_options.nodes = options.nodes;
  cluster_options.api.services = {
      *apiserver::ServiceNetwork::ParseRanges(options.service_cluster_ip_range),
      *apiserver::PortRange::Parse(options.service_node_port_range)};
  if (!options.token_auth_file.empty()) {
    auto tokens = apiserver::TokenFile::Load(options.token_auth_file);
    if (!tokens) return Fail(tokens.error());
    cluster_options.api.tokens = std::move(*tokens);
  }
  apiserver::AdmissionOptions& admission = cluster_options.api.admission;
  admission.enable = SplitLists(options.enable_admission_plugins);
  admission.disable = SplitLists(options.disable_admission_plugins);
  if (const auto known = apiserver::CheckPluginNames(admission); !known) {
    return Fail(known.error());
  }
  auto cors = apiserver::Cors::Parse(SplitLists(options.cors_allowed_origins));
  if (!cors) return Fail("--cors-allowed-origins: " + cors.error());
  cluster_options.api.cors = std::move(*cors);
  if (auto read = ReadSimulation(options, &cluster_options); !read) return Fail(read.error());
  std::optional<certs::TemporaryDirectory> temporary;  // keys of a cluster that lives in memory
  std::string directory = options.data_dir;
  if (directory.empty()) {
    auto made = certs::TemporaryDirectory::Make();
    if (!made) return Fail(made.error());
    directory = temporary.emplace(std::move(*made)).path();
  }

  RealRuntime runtime(options.seed.value_or(RandomSeed()));
  auto store = OpenStore(options, runtime);
  if (!store) return Fail(store.error());
  const auto pki =
      certs::EnsurePki({(fs::path(directory) / "pki").string(), {options.bind}, runtime.Now()});
  if (!pki) return Fail(pki.error());
  if (auto read = ReadSecrets(*pki, &cluster_options); !read) return Fail(read.error());
  SetListeners(options, *pki, &cluster_options);

  simulator::Cluster cluster(std::move(cluster_options), **store, runtime);
  if (const auto started = cluster.Start(); !started) {
    runtime.Stop();
    return Fail(started.error());
  }
  const std::string kubeconfig = options.kubeconfig.empty()
                                     ? (fs::path(directory) / "kubeconfig").string()
                                     : options.kubeconfig;
  const auto written = certs::WriteKubeconfig(kubeconfig, *pki,
                                              certs::ServerUrl(options.bind, cluster.api().port()));
  if (!written) {
    runtime.Stop();
    return Fail(written.error());
  }
  cluster.api().SetReady();
  std::printf("export KUBECONFIG=%s\n", fs::absolute(kubeconfig).c_str());
  std::fflush(stdout);

  WaitForSignal();
  runtime.Stop();
  cluster.Stop();
  (*store)->Close();
  return kExitOk;
}

}  // namespace kulisse::cmd
