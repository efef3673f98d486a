#include "cmd/scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/real_runtime.h"
#include "cmd/client/http_client.h"
#include "cmd/client/kubeconfig.h"
#include "simulator/scale/scale_template.h"

namespace kulisse::cmd {

namespace {

using json::Value;
using simulator::ScaleTemplate;
using Say = std::function<void(std::string_view)>;

constexpr std::string_view kLabel = "kwok.x-k8s.io/kwokctl-scale";
constexpr size_t kPageObjects = 500;
constexpr uint64_t kFailuresSaid = 5;
constexpr std::string_view kMetadataList =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").contains(c);
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// What a Status says, or whatever else came.
std::string MessageOf(const HttpAnswer& answer) {
  constexpr size_t kTextBytesMax = 200;
  if (const auto status = json::Parse(answer.body); status) {
    const std::string_view message = status->root.FindString({"message"});
    if (!message.empty()) return std::string(message);
  }
  return fmt::format("{} {}", answer.status, answer.body.substr(0, kTextBytesMax));
}

bool IsGood(const HttpAnswer& answer) { return answer.status >= 200 && answer.status < 300; }

// Makes, lists and deletes the objects of one scale.
class Scaler {
 public:
  Scaler(const ScaleOptions& options, const ScaleTemplate& body, Runtime& runtime,
         HttpClient& client, const Say& say)
      : options_(options), template_(body), runtime_(runtime), client_(client), say_(say) {}

  std::expected<ScaleReport, std::string> Run(const std::string& default_namespace) {
    auto example = template_.Render({options_.name, options_.ns, 0}, runtime_);
    if (!example) return std::unexpected(example.error());
    if (auto found = FindCollection(example->root, default_namespace); !found) {
      return std::unexpected(found.error());
    }
    const MonotonicTime start = runtime_.MonotonicNow();
    if (auto listed = List(); !listed) return std::unexpected(listed.error());
    if (there_.size() == options_.replicas) {
      say_("Nothing to do");
      return report_;
    }
    const bool fewer = there_.size() > options_.replicas;
    auto done = fewer ? DeleteNewest() : Create();
    if (!done) return std::unexpected(done.error());
    const std::chrono::duration<double> elapsed = runtime_.MonotonicNow() - start;
    say_(fmt::format("{} {}: {} made, {} updated, {} deleted, {} failed, in {:.2f} s", resource_,
                     options_.name, report_.created, report_.updated, report_.deleted,
                     report_.failed, elapsed.count()));
    return report_;
  }

 private:
  struct Existing {
    std::string created;
    std::string name;
    auto operator<=>(const Existing&) const = default;
  };
  // An object that was there without the label.
  struct Taken {
    std::string name;
    std::string body;
  };

  std::expected<json::Document, std::string> Get(const std::string& target,
                                                 std::string_view accept = "application/json") {
    const auto answer = client_.Exchange({.target = target, .accept = accept});
    if (!answer) return std::unexpected(answer.error());
    if (!IsGood(*answer)) return std::unexpected(MessageOf(*answer));
    auto parsed = json::Parse(answer->body);
    if (!parsed) return std::unexpected("a malformed answer to " + target);
    return std::move(*parsed);
  }

  // Asks the server under which name it has the kind of the object.
  std::expected<void, std::string> FindCollection(const Value& object,
                                                  const std::string& other_ns) {
    const std::string_view version = object.FindString({"apiVersion"});
    const std::string_view kind = object.FindString({"kind"});
    if (version.empty() || kind.empty()) {
      return std::unexpected("the template must give kind and apiVersion");
    }
    const std::string base = fmt::format("/{}/{}", version.contains('/') ? "apis" : "api", version);
    const auto list = Get(base);
    if (!list) return std::unexpected(fmt::format("{}: {}", version, list.error()));
    const Value* resources = list->root.Find("resources");
    if (resources == nullptr || !resources->IsArray()) return std::unexpected("a malformed answer");
    for (const Value& resource : resources->elements()) {
      const std::string_view name = resource.FindString({"name"});
      if (resource.FindString({"kind"}) != kind || name.contains('/')) continue;
      resource_ = name;
      const Value* namespaced = resource.Find("namespaced");
      if (namespaced != nullptr && namespaced->IsBool() && namespaced->AsBool()) {
        ns_ = options_.ns;
        if (ns_.empty()) ns_ = object.FindString({"metadata", "namespace"});
        if (ns_.empty()) ns_ = other_ns;
        collection_ = fmt::format("{}/namespaces/{}/{}", base, Escape(ns_), name);
      } else {
        collection_ = fmt::format("{}/{}", base, name);
      }
      return {};
    }
    return std::unexpected(fmt::format("the server has no kind {} in {}", kind, version));
  }

  std::expected<void, std::string> List() {
    std::string token;
    do {
      const auto page = Get(fmt::format("{}?limit={}&labelSelector={}{}", collection_, kPageObjects,
                                        Escape(fmt::format("{}={}", kLabel, options_.name)),
                                        token.empty() ? "" : "&continue=" + Escape(token)),
                            kMetadataList);
      if (!page) return std::unexpected(page.error());
      if (const Value* items = page->root.Find("items"); items != nullptr && items->IsArray()) {
        for (const Value& item : items->elements()) {
          there_.push_back({std::string(item.FindString({"metadata", "creationTimestamp"})),
                            std::string(item.FindString({"metadata", "name"}))});
        }
      }
      token = page->root.FindString({"metadata", "continue"});
    } while (!token.empty());
    return {};
  }

  void Failed(const std::string& name, const HttpAnswer& answer) {
    if (++report_.failed <= kFailuresSaid) say_(fmt::format("{}: {}", name, MessageOf(answer)));
    if (report_.failed == kFailuresSaid) say_("… more failures are counted only");
  }

  std::expected<void, std::string> DeleteNewest() {
    std::ranges::sort(there_);
    size_t next = options_.replicas;
    const auto request = [&]() -> std::optional<HttpRequest> {
      if (next == there_.size()) return std::nullopt;
      return HttpRequest{.method = "DELETE", .target = TargetOf(there_[next++].name)};
    };
    return client_.ExchangeAll(request, [&](const HttpRequest& sent, const HttpAnswer& answer) {
      if (IsGood(answer)) {
        ++report_.deleted;
      } else {
        Failed(sent.target.substr(collection_.size() + 1), answer);
      }
    });
  }

  std::expected<void, std::string> Create() {
    std::unordered_set<std::string> used;
    for (const Existing& object : there_) used.insert(object.name);
    uint64_t wanted = options_.replicas - there_.size();
    int64_t index = 0;
    std::string error;
    const auto request = [&]() -> std::optional<HttpRequest> {
      if (wanted == 0) return std::nullopt;
      --wanted;
      std::string name = NameOf(index);
      while (used.contains(name)) name = NameOf(++index);
      auto body = BodyOf(name, index++);
      if (!body) {
        error = body.error();
        return std::nullopt;
      }
      return HttpRequest{.method = "POST", .target = collection_, .body = std::move(*body)};
    };
    std::vector<Taken> taken;
    auto done =
        client_.ExchangeAll(request, [&](const HttpRequest& sent, const HttpAnswer& answer) {
          if (IsGood(answer)) {
            ++report_.created;
            return;
          }
          const auto object = json::Parse(sent.body);
          std::string name(object->root.FindString({"metadata", "name"}));
          if (answer.status == 409) {
            taken.push_back({std::move(name), sent.body});
          } else {
            Failed(name, answer);
          }
        });
    if (!error.empty()) return std::unexpected(error);
    return done ? UpdateTaken(taken) : done;
  }

  std::expected<void, std::string> UpdateTaken(const std::vector<Taken>& taken) {
    size_t next = 0;
    const auto request = [&]() -> std::optional<HttpRequest> {
      if (next == taken.size()) return std::nullopt;
      const Taken& object = taken[next++];
      return HttpRequest{.method = "PUT", .target = TargetOf(object.name), .body = object.body};
    };
    return client_.ExchangeAll(request, [&](const HttpRequest& sent, const HttpAnswer& answer) {
      if (IsGood(answer)) {
        ++report_.updated;
      } else {
        Failed(sent.target.substr(collection_.size() + 1), answer);
      }
    });
  }

  [[nodiscard]] std::string TargetOf(std::string_view name) const {
    return fmt::format("{}/{}", collection_, Escape(name));
  }
  [[nodiscard]] std::string NameOf(int64_t index) const {
    if (options_.serial_length == 0) return options_.name;
    return fmt::format("{}-{:0{}}", options_.name, index, options_.serial_length);
  }

  std::expected<std::string, std::string> BodyOf(const std::string& name, int64_t index) {
    auto object = template_.Render({name, options_.ns, index}, runtime_);
    if (!object) return std::unexpected(object.error());
    json::Arena& arena = object->arena;
    Value& metadata = object->root.SetDefaultObject("metadata", arena);
    metadata.Set("name", Value::String(name, arena), arena);
    metadata.Remove("namespace");
    if (!ns_.empty()) metadata.Set("namespace", Value::String(ns_, arena), arena);
    metadata.SetDefaultObject("labels", arena)
        .Set(kLabel, Value::String(options_.name, arena), arena);
    return json::ToString(object->root);
  }

  const ScaleOptions& options_;
  const ScaleTemplate& template_;
  Runtime& runtime_;
  HttpClient& client_;
  const Say& say_;
  std::string resource_;    // "pods"
  std::string collection_;  // "/api/v1/namespaces/default/pods"
  std::string ns_;          // "" at cluster scope
  std::vector<Existing> there_;
  ScaleReport report_;
};

}  // namespace

std::expected<ScaleReport, std::string> RunScale(const ScaleOptions& options, Runtime& runtime,
                                                 const Say& say) {
  if (options.serial_length == 0 && options.replicas > 1) {
    return std::unexpected("--serial-length must be greater than 0 for more than one replica");
  }
  auto body = ScaleTemplate::Find(options.resource, options.config);
  if (!body) return std::unexpected(body.error());
  if (auto set = body->SetParameters(options.params, runtime.Now()); !set) {
    return std::unexpected(set.error());
  }
  if (options.dry_run) {
    const auto example = body->Render({options.name, options.ns, 0}, runtime);
    if (!example) return std::unexpected(example.error());
    std::printf("# Scale resource %s to %llu replicas\n# Resource example: %s\n",
                options.name.c_str(), static_cast<unsigned long long>(options.replicas),
                json::ToString(example->root).c_str());
    return ScaleReport{};
  }
  auto access = ReadKubeconfig(options.kubeconfig);
  if (!access) return std::unexpected(access.error());
  const std::string default_namespace = access->ns;
  const auto client = HttpClient::Create(std::move(*access));
  if (!client) return std::unexpected(client.error());
  return Scaler(options, *body, runtime, **client, say).Run(default_namespace);
}

int Scale(const ScaleOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // a server that closes its connection is an error of the write
  RealRuntime runtime(std::random_device{}());
  const auto report = RunScale(options, runtime, [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  });
  runtime.Stop();
  if (report) return report->failed == 0 ? kExitOk : kExitFailure;
  std::fprintf(stderr, "kulisse: %s\n", report.error().c_str());
  return kExitFailure;
}

}  // namespace kulisse::cmd
