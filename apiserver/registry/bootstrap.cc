#include "apiserver/registry/bootstrap.h"

#include "apiserver/registry/service/ip_range.h"
#include "base/assert.h"
#include "base/embedded_file.h"
#include "base/json/parse.h"
#include "base/json/write.h"
#include "base/log.h"
#include "base/text.h"
#include "openapi/typed.h"

namespace kulisse {
extern const EmbeddedFile kBootstrapFiles[];
}

namespace kulisse::apiserver {

namespace {

// The config map that tells servers which extend this one whose clients to trust.
constexpr std::string_view kTrust = "extension-apiserver-authentication";

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos;
       at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

const openapi::ResourceInfo& ResourceOf(const openapi::Catalog& catalog,
                                        const json::Value& object) {
  const std::string_view api_version = object.FindString({"apiVersion"});
  const size_t slash = api_version.find('/');
  const bool core = slash == std::string_view::npos;
  const openapi::ResourceInfo* resource = catalog.FindKind(
      core ? "" : api_version.substr(0, slash), core ? api_version : api_version.substr(slash + 1),
      object.FindString({"kind"}));
  KULISSE_ASSERT(resource != nullptr);
  return *resource;
}

// The data with the values of this cluster.
std::string BootstrapText(const BootstrapOptions& options, SystemTime time) {
  std::string text(kBootstrapFiles[0].bytes());
  const std::string now = FormatTime(time);
  std::string ranges;
  for (const std::string& range : options.service_ranges) {
    ranges += (ranges.empty() ? "" : ",") + GoQuote(range);
  }
  const auto range = IpRange::Parse(options.service_ranges.at(0));
  KULISSE_ASSERT(range.has_value());
  const auto address = IpAddress::Parse(options.address);
  std::string client_ca;
  json::AppendString(options.client_ca, &client_ca);
  ReplaceAll(&text, "${CLIENT_CA}", client_ca);
  ReplaceAll(&text, "${NOW}", now);
  ReplaceAll(&text, "${DATE}", std::string_view(now).substr(0, 10));
  ReplaceAll(&text, "${ADDRESS}", options.address);
  ReplaceAll(&text, "${ADDRESS_FAMILY}", address ? address->family() : "IPv4");
  ReplaceAll(&text, "${PORT}", std::to_string(options.port));
  ReplaceAll(&text, "${SERVICE_RANGES}", ranges);
  ReplaceAll(&text, "${SERVICE_IP}", range->first().ToString());
  ReplaceAll(&text, "${SERVICE_FAMILY}", range->network().family());
  return text;
}

// What follows the server: endpoints that are there already get the address that it has now, and
// those who trust its clients the certificate that signs them.
bool FollowsServer(const openapi::ResourceInfo& resource, std::string_view name) {
  return resource.kind == "Endpoints" || resource.kind == "EndpointSlice" || name == kTrust;
}

void UpdateFollower(ResourceStore& store, const RequestContext& context,
                    const openapi::ResourceInfo& resource, const ObjectName& name,
                    const json::Value& wanted) {
  const auto updated =
      store.Update(context, resource, name, "", [&](json::Document& object) -> Result<void> {
        for (const std::string_view field :
             {"subsets", "addressType", "endpoints", "ports", "data"}) {
          if (const json::Value* value = wanted.Find(field)) {
            object.root.Set(field, value->Clone(object.arena), object.arena);
          }
        }
        return {};
      });
  if (!updated) {
    log::Warning("bootstrap", "an object could not be updated",
                 {{"name", name.name}, {"error", updated.error().message}});
  }
}

}  // namespace

void CreateBootstrapObjects(ResourceStore& store, const BootstrapOptions& options) {
  const std::string text = BootstrapText(options, store.runtime().Now());
  RequestContext context = RequestContext::Internal("kube-apiserver");
  context.keep_status = true;
  context.gives_managed_fields = true;
  context.trusted = true;
  for (const std::string_view line : Split(text, '\n')) {
    if (line.empty()) continue;
    auto object = json::Parse(line);
    KULISSE_ASSERT(object.has_value());
    const openapi::ResourceInfo& resource = ResourceOf(store.catalog(), object->root);
    const std::string name(object->root.FindString({"metadata", "name"}));
    const std::string ns(object->root.FindString({"metadata", "namespace"}));
    const auto normalized =
        openapi::Normalize(object->root, resource.type, store.types(), object->arena, nullptr);
    KULISSE_ASSERT(normalized.has_value());
    if (name == kTrust && options.client_ca.empty()) continue;
    if (store.Get(resource, {ns, name})) {
      if (FollowsServer(resource, name)) {
        UpdateFollower(store, context, resource, {ns, name}, object->root);
      }
      continue;
    }
    const auto created = store.Create(context, resource, ns, std::move(*object));
    if (!created) {
      log::Error("bootstrap", "an object could not be created",
                 {{"name", name}, {"error", created.error().message}});
      KULISSE_ASSERT(false);
    }
  }
}

}  // namespace kulisse::apiserver
