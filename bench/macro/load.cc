// kulisse_load drives a Kubernetes API server over HTTP/1.1 and TLS, and reports throughput,
// latency and the server's own CPU seconds and memory, so that two servers can be compared on one
// machine even though the client shares its cores.
//
// usage: kulisse_load -kubeconfig F [-pids P,P] [-n N] [-c C] [-watchers W] [-repeat R]
//                     [-node PREFIX -nodes N] SCENARIO
//   create get list patch watch delete: on pods of the namespace default
//   ready: waits until n nodes are Ready
//   run: creates pods bound to the nodes PREFIX0 … and waits until they are Running
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <latch>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/macro/client.h"

namespace kulisse::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Request = Connection::Request;

constexpr std::string_view kPods = "/api/v1/namespaces/default/pods";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";
constexpr std::string_view kMetadata =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
constexpr std::string_view kAdded = R"("type":"ADDED")";
constexpr int kShards = 64;

struct Options {
  std::string kubeconfig;
  std::string pids;
  std::string scenario;
  int operations = 10000;
  int connections = 16;
  int watchers = 100;
  int repeat = 3;
  std::string node;  // pods are bound to node{0}, node{1} …; "": to none
  int nodes = 1;
};

struct Report {
  int64_t operations = 0;
  std::vector<double> latencies_ms;
};

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string PodTarget(int index) { return fmt::format("{}/load-{}", kPods, index); }

// A pod of ordinary size: two containers, probes, volumes, tolerations.
std::string PodBody(const Options& options, int index) {
  const std::string node = options.node.empty() ? ""
                                                : fmt::format(R"("nodeName":"{}{}",)", options.node,
                                                              index % options.nodes);
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"load-{}","labels":{{"app":"load",)"
      R"("tier":"backend","shard":"{}","app.kubernetes.io/part-of":"benchmark"}},"annotations":)"
      R"({{"example.com/owner":"team-a","example.com/description":"a pod under load"}}}},"spec":)"
      R"({{{}"containers":[{{"name":"main","image":"registry.example/load:1.0","args":["--serve"],)"
      R"("env":[{{"name":"POD_NAME","valueFrom":{{"fieldRef":{{"fieldPath":"metadata.name"}}}}}},)"
      R"({{"name":"MODE","value":"benchmark"}}],"ports":[{{"name":"http","containerPort":8080}}],)"
      R"("resources":{{"requests":{{"cpu":"10m","memory":"16Mi"}},"limits":{{"cpu":"100m",)"
      R"("memory":"64Mi"}}}},"readinessProbe":{{"httpGet":{{"path":"/healthz","port":"http"}},)"
      R"("periodSeconds":10}},"volumeMounts":[{{"name":"cache","mountPath":"/cache"}}]}},)"
      R"({{"name":"sidecar","image":"registry.example/sidecar:2.1","resources":{{"requests":)"
      R"({{"cpu":"5m","memory":"8Mi"}}}}}}],"volumes":[{{"name":"cache","emptyDir":{{}}}}],)"
      R"("nodeSelector":{{"type":"kwok"}},"terminationGracePeriodSeconds":30}}}})",
      index, index % kShards, node);
}

std::string StatusPatch(int index, int64_t nonce) {
  return fmt::format(R"({{"status":{{"message":"m{}-{}"}}}})", index, nonce);
}

// Runs the operations 0..n-1 over the connections, each on a thread.
Report Parallel(const Options& options, const Target& target, const TlsContext& tls,
                const std::function<void(Connection&, int)>& operation) {
  std::atomic<int> next = 0;
  std::vector<std::vector<double>> latencies(static_cast<size_t>(options.connections));
  std::vector<std::jthread> threads;
  for (std::vector<double>& mine : latencies) {
    threads.emplace_back([&] {
      Connection connection(target, tls);
      for (int i = next++; i < options.operations; i = next++) {
        const Clock::time_point start = Clock::now();
        operation(connection, i);
        mine.push_back(MillisecondsSince(start));
      }
    });
  }
  threads.clear();
  Report report{.operations = options.operations, .latencies_ms = {}};
  for (const std::vector<double>& mine : latencies) {
    report.latencies_ms.insert(report.latencies_ms.end(), mine.begin(), mine.end());
  }
  return report;
}

Report List(const Options& options, const Target& target, const TlsContext& tls) {
  Connection connection(target, tls);
  for (int i = 0; i < options.repeat; ++i) {
    connection.Stream({"GET", std::string(kPods), "", ""}, [](std::string_view) { return true; });
  }
  return {.operations = options.repeat, .latencies_ms = {}};
}

std::string CurrentRevision(const Target& target, const TlsContext& tls) {
  Connection connection(target, tls);
  const std::string list = connection.Exchange({"GET", fmt::format("{}?limit=1", kPods), "", ""});
  constexpr std::string_view kKey = R"("resourceVersion":")";
  const size_t begin = list.find(kKey);
  if (begin == std::string::npos) Fail("a list without resourceVersion");
  return list.substr(begin + kKey.size(),
                     list.find('"', begin + kKey.size()) - begin - kKey.size());
}

// Watches from now on, patches n pods, and waits until every watcher has seen every change:
// operations are delivered events.
Report Watch(const Options& options, const Target& target, const TlsContext& tls) {
  const std::string path =
      fmt::format("{}?watch=1&resourceVersion={}", kPods, CurrentRevision(target, tls));
  std::latch connected(options.watchers);
  std::vector<std::jthread> watchers;
  for (int w = 0; w < options.watchers; ++w) {
    watchers.emplace_back([&] {
      Connection connection(target, tls);
      connected.count_down();
      int64_t seen = 0;
      connection.Stream({"GET", path, "", ""}, [&](std::string_view part) {
        seen += std::count(part.begin(), part.end(), '\n');
        return seen < options.operations;
      });
    });
  }
  connected.wait();
  const int64_t nonce = Clock::now().time_since_epoch().count();
  Parallel(options, target, tls, [&](Connection& connection, int i) {
    const std::string body = StatusPatch(i, nonce);
    connection.Exchange({"PATCH", PodTarget(i) + "/status", kMergePatch, body});
  });
  watchers.clear();
  return {.operations = int64_t{options.operations} * options.watchers, .latencies_ms = {}};
}

// Creates the pods, and waits until the watch of running ones has told of all.
Report CreateAndRun(const Options& options, const Target& target, const TlsContext& tls) {
  const std::string path =
      fmt::format("{}?watch=1&fieldSelector=status.phase%3DRunning&resourceVersion={}", kPods,
                  CurrentRevision(target, tls));
  std::latch connected(1);
  std::jthread watcher([&] {
    Connection connection(target, tls);
    connected.count_down();
    const Request request{"GET", path, "", "", kMetadata};
    int64_t running = 0;
    std::string text;  // that was not looked at yet: a part may end anywhere
    connection.Stream(request, [&](std::string_view part) {
      text += part;
      size_t end = 0;
      for (size_t at = 0; (at = text.find(kAdded, end)) != text.npos; ++running) {
        end = at + kAdded.size();
      }
      text.erase(0, std::max(end, text.size() - std::min(text.size(), kAdded.size())));
      return running < options.operations;
    });
  });
  connected.wait();
  Report report = Parallel(options, target, tls, [&](Connection& connection, int i) {
    const std::string body = PodBody(options, i);
    connection.Exchange({"POST", std::string(kPods), kJson, body});
  });
  watcher.join();
  return report;
}

// Asks again and again; a node that is Ready has the reason KubeletReady once.
Report WaitForNodes(const Options& options, const Target& target, const TlsContext& tls) {
  constexpr std::string_view kReady = R"("reason":"KubeletReady")";
  Connection connection(target, tls);
  int64_t ready = 0;
  while (ready < options.operations) {
    const std::string list = connection.Exchange({"GET", "/api/v1/nodes", "", ""});
    ready = 0;
    for (size_t at = 0; (at = list.find(kReady, at)) != list.npos; ++at) ++ready;
  }
  return {.operations = options.operations, .latencies_ms = {}};
}

Report Run(const Options& options, const Target& target, const TlsContext& tls) {
  const auto parallel = [&](const std::function<void(Connection&, int)>& operation) {
    return Parallel(options, target, tls, operation);
  };
  if (options.scenario == "create") {
    return parallel([&](Connection& connection, int i) {
      const std::string body = PodBody(options, i);
      connection.Exchange({"POST", std::string(kPods), kJson, body});
    });
  }
  if (options.scenario == "get") {
    return parallel([&](Connection& connection, int i) {  // in an order far from that of the keys
      const auto index = static_cast<int>(int64_t{i} * 7919 % options.operations);
      connection.Exchange({"GET", PodTarget(index), "", ""});
    });
  }
  if (options.scenario == "patch") {
    const int64_t nonce = Clock::now().time_since_epoch().count();
    return parallel([nonce](Connection& connection, int i) {
      const std::string body = StatusPatch(i, nonce);
      connection.Exchange({"PATCH", PodTarget(i) + "/status", kMergePatch, body});
    });
  }
  if (options.scenario == "delete") {
    return parallel([](Connection& connection, int i) {
      constexpr std::string_view kNow =
          R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0})";
      connection.Exchange({"DELETE", PodTarget(i), kJson, kNow});
    });
  }
  if (options.scenario == "list") return List(options, target, tls);
  if (options.scenario == "watch") return Watch(options, target, tls);
  if (options.scenario == "run") return CreateAndRun(options, target, tls);
  if (options.scenario == "ready") return WaitForNodes(options, target, tls);
  Fail(fmt::format("\"{}\" is no scenario", options.scenario));
}

// User and system seconds of the processes, from /proc.
double CpuSeconds(const std::string& pids) {
  double ticks = 0;
  std::istringstream list(pids);
  for (std::string pid; std::getline(list, pid, ',');) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string text;
    if (!std::getline(file, text)) Fail("no process " + pid);
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string field;
    for (int i = 0; i < 11; ++i) fields >> field;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    ticks += user + system;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  const std::map<std::string, std::function<void(const char*)>> flags = {
      {"-kubeconfig", [&](const char* v) { options.kubeconfig = v; }},
      {"-pids", [&](const char* v) { options.pids = v; }},
      {"-n", [&](const char* v) { options.operations = std::max(1, std::atoi(v)); }},
      {"-c", [&](const char* v) { options.connections = std::max(1, std::atoi(v)); }},
      {"-watchers", [&](const char* v) { options.watchers = std::max(1, std::atoi(v)); }},
      {"-node", [&](const char* v) { options.node = v; }},
      {"-nodes", [&](const char* v) { options.nodes = std::max(1, std::atoi(v)); }},
      {"-repeat", [&](const char* v) { options.repeat = std::max(1, std::atoi(v)); }},
  };
  int i = 1;
  for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
    const auto flag = flags.find(argv[i]);
    if (flag == flags.end()) Fail(fmt::format("unknown flag {}", argv[i]));
    flag->second(argv[i + 1]);
  }
  if (i + 1 != argc || options.kubeconfig.empty()) {
    Fail(
        "usage: kulisse_load -kubeconfig F [-pids P,P] [-n N] [-c C] [-watchers W] [-repeat R] "
        "[-node PREFIX -nodes N] create|get|list|patch|watch|delete|ready|run");
  }
  options.scenario = argv[i];
  return options;
}

double At(const std::vector<double>& sorted, double quantile) {
  const auto index = static_cast<size_t>(quantile * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size() - 1, index)];
}

void Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  const Target target = ReadKubeconfig(options.kubeconfig);
  const TlsContext tls(target);
  const double cpu_before = CpuSeconds(options.pids);
  const Clock::time_point start = Clock::now();
  Report report = Run(options, target, tls);
  const double seconds = MillisecondsSince(start) / 1000;
  const double cpu = CpuSeconds(options.pids) - cpu_before;
  std::string latency;
  if (!report.latencies_ms.empty()) {
    std::sort(report.latencies_ms.begin(), report.latencies_ms.end());
    latency = fmt::format(R"("latency_ms":{{"p50":{:.3f},"p99":{:.3f},"max":{:.3f}}},)",
                          At(report.latencies_ms, 0.5), At(report.latencies_ms, 0.99),
                          report.latencies_ms.back());
  }
  const auto operations = static_cast<double>(report.operations);
  fmt::print(R"({{"scenario":"{}","ops":{},{}"seconds":{:.3f},"ops_per_s":{:.1f},)"
             R"("server_cpu_s":{:.3f},"server_cpu_us_per_op":{:.3f}}})"
             "\n",
             options.scenario, report.operations, latency, seconds, operations / seconds, cpu,
             cpu / operations * 1e6);
}

}  // namespace
}  // namespace kulisse::bench

int main(int argc, char** argv) {
  kulisse::bench::Main(argc, argv);
  return 0;
}
