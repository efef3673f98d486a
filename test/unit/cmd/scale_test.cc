// Goal: `kulisse scale` against a cluster that listens, with TLS and a client certificate.
#include "cmd/scale.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/real_runtime.h"
#include "certs/kubeconfig.h"
#include "certs/pki.h"
#include "simulator/cluster.h"
#include "test/support/temp_directory.h"

namespace kulisse::cmd {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kMany = 500;
#else
constexpr uint64_t kMany = 5'000;
#endif

class ScaleTest : public testing::Test {
 protected:
  void SetUp() override {
    storage::StoreOptions store_options;
    store_options.durability = storage::Durability::kMemory;
    store_ = std::move(*storage::Store::Open(store_options, runtime_));
    const auto pki = certs::EnsurePki({directory_.path(), {"127.0.0.1"}, runtime_.Now()});
    ASSERT_TRUE(pki.has_value()) << pki.error();
    simulator::ClusterOptions options;
    options.api.client_ca = ReadFile(pki->ca_certificate);
    apiserver::net::ServerOptions listen;
    listen.address = "127.0.0.1";
    listen.port = 0;
    listen.tls = {pki->server_certificate, pki->server_key, pki->ca_certificate};
    options.listen = std::move(listen);
    cluster_ = std::make_unique<simulator::Cluster>(std::move(options), *store_, runtime_);
    ASSERT_TRUE(cluster_->Start().has_value());
    cluster_->api().SetReady();
    kubeconfig_ = directory_.path() + "/kubeconfig";
    const auto written = certs::WriteKubeconfig(
        kubeconfig_, *pki, certs::ServerUrl("127.0.0.1", cluster_->api().port()));
    ASSERT_TRUE(written.has_value()) << written.error();
  }
  void TearDown() override {
    runtime_.Stop();
    if (cluster_) cluster_->Stop();
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // "made updated deleted failed", or "error: …".
  std::string Run(ScaleOptions options) {
    if (options.name.empty()) options.name = options.resource;
    if (options.kubeconfig.empty()) options.kubeconfig = kubeconfig_;
    said_.clear();
    const auto report =
        RunScale(options, runtime_, [this](std::string_view line) { said_.emplace_back(line); });
    if (!report) return "error: " + report.error();
    return std::to_string(report->created) + " " + std::to_string(report->updated) + " " +
           std::to_string(report->deleted) + " " + std::to_string(report->failed);
  }
  std::vector<std::string> Names(const std::string& resource) {
    std::vector<std::string> names;
    const auto snapshot = store_->Latest();
    const auto cursor = snapshot->Scan(resource, "", "");
    while (cursor->Next()) names.emplace_back(cursor->key());
    return names;
  }

  TempDirectory directory_;
  RealRuntime runtime_{1};
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<simulator::Cluster> cluster_;
  std::string kubeconfig_;
  std::vector<std::string> said_;
};

TEST_F(ScaleTest, ThousandsOfNodesComeAndGo) {
  const std::string many = std::to_string(kMany);
  EXPECT_EQ(Run({.resource = "node", .replicas = kMany}), many + " 0 0 0");
  EXPECT_EQ(store_->Count("nodes"), kMany);
  EXPECT_EQ(Names("nodes").back(), fmt::format("nodes/node-{:06}", kMany - 1));
  EXPECT_EQ(Run({.resource = "node", .replicas = kMany}), "0 0 0 0");
  EXPECT_EQ(said_, std::vector<std::string>{"Nothing to do"});
  EXPECT_EQ(Run({.resource = "node", .replicas = 0}), "0 0 " + many + " 0");
  EXPECT_EQ(store_->Count("nodes"), 0u);
}

TEST_F(ScaleTest, ScalingDownKeepsTheOldestAndScalingUpFillsTheGaps) {
  ScaleOptions options{.resource = "pod", .name = "web", .replicas = 5, .serial_length = 2};
  EXPECT_EQ(Run(options), "5 0 0 0");
  options.replicas = 2;
  EXPECT_EQ(Run(options), "0 0 3 0");
  EXPECT_EQ(Names("pods"),
            (std::vector<std::string>{"pods/default/web-00", "pods/default/web-01"}));
  options.replicas = 3;
  EXPECT_EQ(Run(options), "1 0 0 0");
  EXPECT_EQ(Names("pods").back(), "pods/default/web-02");
  // Another name is counted for itself.
  options.name = "other";
  EXPECT_EQ(Run(options), "3 0 0 0");
}

TEST_F(ScaleTest, ObjectsThatAreThereWithoutTheLabelAreTaken) {
  ScaleOptions options{.resource = "node", .name = "n", .replicas = 1, .serial_length = 0};
  EXPECT_EQ(Run(options), "1 0 0 0");
  EXPECT_EQ(Names("nodes"), std::vector<std::string>{"nodes/n"});
  const auto& nodes = cluster_->client().Resource("", "v1", "nodes");
  const auto bare = [](json::Document& object) -> Result<void> {
    object.root.Find("metadata")->Remove("labels");
    return {};
  };
  ASSERT_TRUE(cluster_->client().Update(nodes, {"", "n"}, "", bare).has_value());
  EXPECT_EQ(Run(options), "0 1 0 0");
  EXPECT_EQ(cluster_->client().Get(nodes, {"", "n"})->Label("kwok.x-k8s.io/kwokctl-scale"), "n");
}

TEST_F(ScaleTest, AnyKindHasATemplate) {
  const std::string file = directory_.path() + "/maps.yaml";
  std::ofstream(file) << "kind: KwokctlResource\napiVersion: config.kwok.x-k8s.io/v1alpha1\n"
                         "metadata: {name: map}\nparameters: {text: a}\ntemplate: |\n"
                         "  kind: ConfigMap\n  apiVersion: v1\n"
                         "  data: {text: '{{ .text }}{{ Index }}'}\n";
  EXPECT_EQ(Run({.resource = "map", .replicas = 3, .params = {".text = \"b\""}, .config = {file}}),
            "3 0 0 0");
  const auto& maps = cluster_->client().Resource("", "v1", "configmaps");
  const auto record = cluster_->client().Get(maps, {"default", "map-000002"});
  ASSERT_NE(record, nullptr);
  EXPECT_EQ(apiserver::ResourceStore::Decode(*record).root.FindString({"data", "text"}), "b2");
}

TEST_F(ScaleTest, WhatIsRefusedIsCountedAndSaid) {
  EXPECT_EQ(Run({.resource = "pod", .replicas = 8, .ns = "nowhere"}), "0 0 0 8");
  ASSERT_EQ(said_.size(), 7u);  // five failures, that there are more, the sum
  EXPECT_EQ(said_[0], "pod-000000: namespaces \"nowhere\" not found");
}

TEST_F(ScaleTest, ErrorsAreForAPerson) {
  EXPECT_EQ(Run({.resource = "pod", .replicas = 2, .serial_length = 0}),
            "error: --serial-length must be greater than 0 for more than one replica");
  const std::string file = directory_.path() + "/foo.yaml";
  std::ofstream(file) << "kind: KwokctlResource\napiVersion: config.kwok.x-k8s.io/v1alpha1\n"
                         "metadata: {name: foo}\ntemplate: '{kind: Foo, apiVersion: v1}'\n";
  EXPECT_EQ(Run({.resource = "foo", .config = {file}}), "error: the server has no kind Foo in v1");
}

}  // namespace
}  // namespace kulisse::cmd
