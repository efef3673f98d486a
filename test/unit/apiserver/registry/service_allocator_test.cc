// Goal: no two services have an address or a port in common, whatever happens: many writers at a
// time, failed writes, dry runs, restarts; and dual-stack fields follow upstream's rules.
// Method: the registry over the memory store; what the single-stack reference cannot show (two
// families, used-up ranges) is written here as tables from upstream's storage_test.go.
#include "apiserver/registry/service/service_allocator.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "apiserver/registry/bootstrap.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/real_runtime.h"
#include "openapi/typed.h"

namespace kulisse::apiserver {
namespace {

class ServiceAllocatorTest : public testing::Test {
 protected:
  ServiceAllocatorTest() : runtime_(123) {
    storage::StoreOptions options;
    options.durability = storage::Durability::kMemory;
    store_ = std::move(*storage::Store::Open(options, runtime_));
  }
  ~ServiceAllocatorTest() override { runtime_.Stop(); }

  // A server over the store that is there; a second call is a restart.
  void Start(const std::string& ranges = "10.96.0.0/16", PortRange ports = {}) {
    const auto parsed = ServiceNetwork::ParseRanges(ranges);
    ASSERT_TRUE(parsed.has_value()) << parsed.error();
    resources_ = std::make_unique<ResourceStore>(*store_, openapi::Catalog::BuiltIn(),
                                                 openapi::TypeTable::BuiltIn(), runtime_);
    allocator_ = std::make_unique<ServiceAllocator>(*resources_, ServiceNetwork{*parsed, ports});
    resources_->SetServiceAllocator(*allocator_);
    allocator_->Restore();
    CreateBootstrapObjects(*resources_, {"127.0.0.1", 6443, *parsed});
  }

  [[nodiscard]] const openapi::ResourceInfo& services() const {
    return *openapi::Catalog::BuiltIn().Find("", "v1", "services");
  }

  json::Document Object(const std::string& name, const std::string& spec) {
    auto document = json::Parse(R"({"metadata":{"name":")" + name + R"("},"spec":)" + spec + "}");
    EXPECT_TRUE(document.has_value());
    EXPECT_TRUE(openapi::Normalize(document->root, services().type, resources_->types(),
                                   document->arena, nullptr));
    return std::move(*document);
  }

  // The spec as stored, or the error's message.
  ServiceSpec Create(const std::string& name, const std::string& spec) {
    const auto result = resources_->Create(context_, services(), "default", Object(name, spec));
    error_ = result ? "" : result.error().message;
    return result ? ServiceSpec::Read(ResourceStore::Decode(*result->record).root) : ServiceSpec();
  }

  // Merges members into the spec.
  ServiceSpec Patch(const std::string& name, const std::string& members) {
    const auto wanted = json::Parse(members);
    EXPECT_TRUE(wanted.has_value());
    const auto result = resources_->Update(
        context_, services(), {"default", name}, "", [&](json::Document& object) -> Result<void> {
          json::Value& spec = *object.root.Find("spec");
          for (const json::Member& member : wanted->root.members()) {
            spec.Remove(member.name);
            if (member.value.IsNull()) continue;
            spec.Set(member.name, member.value.Clone(object.arena), object.arena);
          }
          return {};
        });
    error_ = result ? "" : result.error().message;
    return result ? ServiceSpec::Read(ResourceStore::Decode(*result->record).root) : ServiceSpec();
  }

  bool Delete(const std::string& name) {
    return resources_->Delete(context_, services(), {"default", name}, {}).has_value();
  }

  std::set<std::string> Addresses() {
    std::set<std::string> names;
    const auto snapshot = store_->Latest();
    const auto cursor = snapshot->Scan("ipaddresses.networking.k8s.io", "", "");
    while (cursor->Next() != nullptr) {
      names.emplace(cursor->key().substr(cursor->key().rfind('/') + 1));
    }
    return names;
  }

  RealRuntime runtime_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<ResourceStore> resources_;
  std::unique_ptr<ServiceAllocator> allocator_;
  RequestContext context_ = RequestContext::Internal("test");
  std::string error_;
};

constexpr std::string_view kPort = R"("ports":[{"port":80}])";

std::string Spec(const std::string& more = "") {
  return "{" + std::string(kPort) + (more.empty() ? "" : ",") + more + "}";
}

TEST_F(ServiceAllocatorTest, AddressesAndPortsAreKeptAcrossARestart) {
  Start();
  const ServiceSpec a = Create("a", Spec(R"("type":"NodePort")"));
  const std::string port = std::to_string(a.ports[0].node_port);
  Start();
  EXPECT_EQ(Addresses(), (std::set<std::string>{"10.96.0.1", a.cluster_ip}));
  Create("b", Spec(R"("clusterIP":")" + a.cluster_ip + '"'));
  EXPECT_TRUE(error_.ends_with("provided IP is already allocated")) << error_;
  Create("b", R"({"type":"NodePort","ports":[{"port":80,"nodePort":)" + port + "}]}");
  EXPECT_TRUE(error_.ends_with("provided port is already allocated")) << error_;
  EXPECT_TRUE(Delete("a"));
  EXPECT_EQ(Create("b", R"({"type":"NodePort","ports":[{"port":80,"nodePort":)" + port + "}]}")
                .ports[0]
                .node_port,
            a.ports[0].node_port);
}

TEST_F(ServiceAllocatorTest, ARestartRepairsWhatACrashLeftBehind) {
  Start();
  const ServiceSpec a = Create("a", Spec());
  const ServiceSpec b = Create("b", Spec());
  // As if the service, or the address, had not been written before the end.
  EXPECT_TRUE(store_->GuaranteedUpdate({"services", "default", "a"}, [](const auto&) {
    return Result<storage::Change>(storage::Change{storage::Change::Kind::kDelete, {}});
  }));
  EXPECT_TRUE(store_->GuaranteedUpdate(
      {"ipaddresses.networking.k8s.io", "", b.cluster_ip}, [](const auto&) {
        return Result<storage::Change>(storage::Change{storage::Change::Kind::kDelete, {}});
      }));
  Start();
  EXPECT_EQ(Addresses(), (std::set<std::string>{"10.96.0.1", b.cluster_ip}));
}

TEST_F(ServiceAllocatorTest, ManyWritersNeverShareAnAddressOrAPort) {
  Start("10.96.0.0/24", {30000, 100});
  constexpr int kThreads = 8;
  constexpr int kEach = 12;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string name = "s" + std::to_string(t) + "-" + std::to_string(i);
        auto made = resources_->Create(context_, services(), "default",
                                       Object(name, Spec(R"("type":"NodePort")")));
        EXPECT_TRUE(made.has_value()) << made.error().message;
        if (i % 3 == 0) {
          EXPECT_TRUE(Delete(name));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> ips;
  std::set<int64_t> ports;
  const auto snapshot = store_->Latest();
  const auto cursor = snapshot->Scan("services", "", "");
  size_t count = 0;
  while (const storage::RecordPtr record = cursor->Next()) {
    const ServiceSpec service = ServiceSpec::Read(ResourceStore::Decode(*record).root);
    EXPECT_TRUE(ips.insert(service.cluster_ip).second);
    for (const int64_t port : service.NodePorts()) EXPECT_TRUE(ports.insert(port).second);
    ++count;
  }
  EXPECT_EQ(count, 1u + kThreads * kEach * 2 / 3);
  EXPECT_EQ(Addresses(), ips);
}

TEST_F(ServiceAllocatorTest, AUsedUpRangeIsSaid) {
  Start("10.96.0.0/30", {30000, 1});
  EXPECT_EQ(Create("a", Spec()).cluster_ip, "10.96.0.2");
  Create("b", Spec());
  EXPECT_EQ(error_,
            "Internal error occurred: failed to allocate a serviceIP for Service \"b\": range is "
            "full");
  EXPECT_TRUE(Delete("a"));
  EXPECT_EQ(Create("a", Spec(R"("type":"NodePort")")).ports[0].node_port, 30000);
  EXPECT_TRUE(Delete("a"));
  Create("a", R"({"type":"NodePort","ports":[{"name":"x","port":1},{"name":"y","port":2}]})");
  EXPECT_EQ(error_, "Internal error occurred: failed to allocate a nodePort: range is full");
  // What it had taken before it failed is free.
  EXPECT_EQ(Addresses(), (std::set<std::string>{"10.96.0.1"}));
  EXPECT_EQ(Create("a", Spec(R"("type":"NodePort")")).ports[0].node_port, 30000);
}

TEST_F(ServiceAllocatorTest, AWriteThatFailsLaterTakesNothing) {
  Start();
  Create("a", Spec());
  const auto before = Addresses();
  Create("a", Spec(R"("type":"NodePort")"));
  EXPECT_EQ(error_, "services \"a\" already exists");
  context_.dry_run = true;
  Create("b", Spec());
  EXPECT_EQ(error_, "");
  context_.dry_run = false;
  EXPECT_EQ(Addresses(), before);
}

TEST_F(ServiceAllocatorTest, TwoFamiliesAreGivenAsThePolicySays) {
  Start("10.96.0.0/16,fd00::/112");
  struct Row {
    std::string_view name, spec, families;
    bool fails = false;
  };
  const Row rows[] = {
      {"default", R"("selector":{"a":"b"})", "IPv4 "},
      {"prefer", R"("ipFamilyPolicy":"PreferDualStack")", "IPv4 IPv6 "},
      {"require", R"("ipFamilyPolicy":"RequireDualStack")", "IPv4 IPv6 "},
      {"six", R"("ipFamilies":["IPv6"])", "IPv6 "},
      {"six-four", R"("ipFamilies":["IPv6"],"ipFamilyPolicy":"RequireDualStack")", "IPv6 IPv4 "},
      {"by-ip", R"("clusterIP":"fd00::77")", "IPv6 "},
      {"single-two", R"("ipFamilies":["IPv4","IPv6"])", "", true},
      {"headless", R"("clusterIP":"None","selector":{"a":"b"})", "IPv4 "},
      {"headless-open", R"("clusterIP":"None")", "IPv4 IPv6 "},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const ServiceSpec spec = Create(std::string(row.name), Spec(std::string(row.spec)));
    EXPECT_EQ(!error_.empty(), row.fails) << error_;
    std::string families;
    for (const std::string& family : spec.ip_families) families += family + " ";
    EXPECT_EQ(families, row.families);
    if (spec.IsHeadless()) continue;
    EXPECT_EQ(spec.cluster_ips.size(), spec.ip_families.size());
    for (size_t i = 0; i < spec.cluster_ips.size(); ++i) {
      EXPECT_EQ(IpAddress::Parse(spec.cluster_ips[i])->family(), spec.ip_families[i]);
    }
  }
}

TEST_F(ServiceAllocatorTest, AServiceGainsAndLosesItsSecondFamily) {
  Start("10.96.0.0/16,fd00::/112");
  const std::string first = Create("a", Spec()).cluster_ip;
  const ServiceSpec both = Patch("a", R"({"ipFamilyPolicy":"RequireDualStack"})");
  ASSERT_EQ(both.cluster_ips.size(), 2u) << error_;
  EXPECT_EQ(both.cluster_ip, first);
  EXPECT_TRUE(Addresses().contains(both.cluster_ips[1]));
  Patch("a", R"({"clusterIPs":[")" + first + R"("]})");
  EXPECT_NE(error_.find("must be 'SingleStack' to release the secondary cluster IP"),
            std::string::npos)
      << error_;
  const ServiceSpec one = Patch("a", R"({"ipFamilyPolicy":"SingleStack"})");
  EXPECT_EQ(one.cluster_ips, std::vector<std::string>{first});
  EXPECT_EQ(one.ip_families, std::vector<std::string>{"IPv4"});
  EXPECT_EQ(Addresses(), (std::set<std::string>{"10.96.0.1", first}));
}

TEST_F(ServiceAllocatorTest, AddressesComeFromOtherRangesToo) {
  Start("10.96.0.0/30");
  Create("a", Spec());
  const auto& ranges = *openapi::Catalog::BuiltIn().Find("networking.k8s.io", "v1", "servicecidrs");
  auto more = json::Parse(R"({"metadata":{"name":"more"},"spec":{"cidrs":["10.97.0.0/30"]}})");
  ASSERT_TRUE(resources_->Create(context_, ranges, "", std::move(*more)));
  EXPECT_TRUE(Create("b", Spec()).cluster_ip.starts_with("10.97.0.")) << error_;
  EXPECT_TRUE(Create("c", Spec()).cluster_ip.starts_with("10.97.0.")) << error_;
  Create("d", Spec());
  EXPECT_TRUE(error_.ends_with("range is full"));
}

TEST(ServiceNetworkTest, SaysWhatIsWrongWithARange) {
  EXPECT_EQ(ServiceNetwork::ParseRanges("10.96.0.9/16, fd00::/112"),
            (std::vector<std::string>{"10.96.0.0/16", "fd00::/112"}));
  EXPECT_EQ(ServiceNetwork::ParseRanges("10.0.0.0/16,10.1.0.0/16").error(),
            "two ranges must be one of IPv4 and one of IPv6");
  EXPECT_EQ(ServiceNetwork::ParseRanges("10.0.0.0/31").error(),
            "\"10.0.0.0/31\" has no address to give out");
  EXPECT_EQ(ServiceNetwork::ParseRanges("x").error(),
            "\"x\" is not a range of addresses such as 10.96.0.0/16");
}

}  // namespace
}  // namespace kulisse::apiserver
