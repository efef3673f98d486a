#include "openapi/validation/pod_profiles.h"

#include <algorithm>

#include "base/text.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kSeccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kAppArmor = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kLocalhost = "localhost/";

void CheckSeccomp(std::string_view profile, const Path& path, Walk& walk) {
  if (profile == "runtime/default" || profile == "docker/default" || profile == "unconfined") {
    return;
  }
  if (profile.starts_with(kLocalhost)) {
    return walk.Check(path, profile.substr(kLocalhost.size()), RelativePath);
  }
  walk.Invalid(path, profile, "must be a valid seccomp profile");
}

bool HasContainer(const Value& spec, std::string_view name) {
  const auto is_it = [name](const Value& container) { return Text(container, "name") == name; };
  return std::ranges::any_of(List(spec, "initContainers"), is_it) ||
         std::ranges::any_of(List(spec, "containers"), is_it) ||
         std::ranges::any_of(List(spec, "ephemeralContainers"), is_it);
}

void CheckAppArmor(std::string_view container, std::string_view profile, const Value& spec,
                   const Path& path, Walk& walk) {
  if (!HasContainer(spec, container)) walk.Invalid(path, container, "container not found");
  if (profile.empty() || profile == "runtime/default" || profile == "unconfined" ||
      profile.starts_with(kLocalhost)) {
    return;
  }
  walk.Invalid(path, profile, fmt::format("invalid AppArmor profile name: {}", GoQuote(profile)));
}

void CheckProfileMatches(const Value& profile, std::string_view annotation, const Path& container,
                         Walk& walk) {
  const Path context = container["securityContext"];
  const Path at = context["appArmorProfile"];
  const std::string_view type = Text(profile, "type");
  const bool same_type = type == "Unconfined"       ? annotation == "unconfined"
                         : type == "RuntimeDefault" ? annotation == "runtime/default"
                         : type == "Localhost"      ? annotation.starts_with(kLocalhost)
                                                    : true;
  if (!same_type) {
    walk.Forbidden(at["type"], "apparmor type in annotation and field must match");
  } else if (type == "Localhost" &&
             annotation.substr(kLocalhost.size()) != Text(profile, "localhostProfile")) {
    walk.Forbidden(at["localhostProfile"], "apparmor profile in annotation and field must match");
  }
}

// --- names of users of Windows

constexpr size_t kDomainBytesMax = 256;
constexpr size_t kUserBytesMax = 104;
constexpr size_t kNetBiosBytesMax = 15;
constexpr size_t kCredentialSpecKib = 64;

bool IsNetBiosName(std::string_view name) {
  constexpr std::string_view kForbidden = "\\/:*?\"<>|";
  return !name.empty() && name.size() <= kNetBiosBytesMax && name[0] != '.' &&
         name.find_first_of(kForbidden) == name.npos;
}

// A DNS name with upper case.
bool IsDomainName(std::string_view name) {
  for (const std::string_view label : Split(name, '.')) {
    if (!Dns1123Label(ToLower(label)).empty()) return false;
  }
  return true;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void CheckUserName(std::string_view name, const Path& path, Walk& walk) {
  const auto refuse = [&](std::string_view what) {
    walk.Invalid(path, name, fmt::format("runAsUserName{}", what));
  };
  if (name.empty()) return refuse(" cannot be an empty string");
  if (std::ranges::any_of(name, IsControl)) return refuse(" cannot contain control characters");
  const std::vector<std::string_view> parts = Split(name, '\\');
  if (parts.size() > 2) return refuse(" cannot contain more than one backslash");
  const std::string_view domain = parts.size() == 2 ? parts[0] : std::string_view();
  const std::string_view user = parts.back();
  if (domain.size() >= kDomainBytesMax) {
    refuse(fmt::format("'s Domain length must be under {} characters", kDomainBytesMax));
  }
  if (parts.size() == 2 && !IsNetBiosName(domain) && !IsDomainName(domain)) {
    refuse("'s Domain doesn't match the NetBios nor the DNS format");
  }
  if (user.empty()) {
    refuse("'s User cannot be empty");
  } else if (user.size() > kUserBytesMax) {
    refuse(fmt::format("'s User length must not be longer than {} characters", kUserBytesMax));
  }
  if (!user.empty() && user.find_first_not_of(". ") == user.npos) {
    refuse("'s User cannot contain only periods or spaces");
  }
  if (user.find_first_of("\"/\\:;|=,+*?<>@[]") != user.npos) {
    refuse("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
}

void WindowsOptions(const Value& options, const Path& path, Walk& walk) {
  if (const Value* spec = Member(options, "gmsaCredentialSpec")) {
    if (spec->size() == 0) {
      walk.Invalid(path["gmsaCredentialSpec"], "", "gmsaCredentialSpec cannot be an empty string");
    } else if (spec->size() > kCredentialSpecKib * 1024) {
      walk.Invalid(path["gmsaCredentialSpec"], spec->AsString(),
                   fmt::format("gmsaCredentialSpec size must be under {} KiB", kCredentialSpecKib));
    }
  }
  if (const Value* name = Member(options, "runAsUserName")) {
    CheckUserName(name->AsString(), path["runAsUserName"], walk);
  }
}

constexpr NamedCheck kChecks[] = {{"windowsOptions", WindowsOptions}};

}  // namespace

void CheckProfileAnnotations(const Value& annotations, const Value& spec, const Path& path,
                             Walk& walk) {
  for (const json::Member& annotation : annotations.members()) {
    if (annotation.name != kSeccompOfPod && !annotation.name.starts_with(kSeccompOfContainer)) {
      continue;
    }
    CheckSeccomp(annotation.value.AsString(), path[std::string_view(annotation.name)], walk);
  }
  for (const json::Member& annotation : annotations.members()) {
    if (!annotation.name.starts_with(kAppArmor)) continue;
    CheckAppArmor(annotation.name.substr(kAppArmor.size()), annotation.value.AsString(), spec,
                  path.Key(annotation.name), walk);
  }
}

void CheckProfilesMatch(const Value& pod, const Path& path, Walk& walk) {
  const Value* annotations = pod.Find({"metadata", "annotations"});
  const Value& spec = Part(pod, "spec");
  if (annotations == nullptr || spec.FindString({"os", "name"}) == "windows") return;
  const Value* of_pod = spec.Find({"securityContext", "appArmorProfile"});
  const Path spec_path = path["spec"];
  for (const std::string_view name : {"initContainers", "containers"}) {
    const Path list = spec_path[name];
    size_t index = 0;
    for (const Value& container : List(spec, name)) {
      const Path at = list[index++];
      const Value* own = container.Find({"securityContext", "appArmorProfile"});
      const Value* profile = own == nullptr ? of_pod : own;
      const Value* annotation =
          annotations->Find(std::string(kAppArmor).append(Text(container, "name")));
      if (profile == nullptr || annotation == nullptr) continue;
      CheckProfileMatches(*profile, annotation->AsString(), at, walk);
    }
  }
}

std::span<const NamedCheck> PodProfileChecks() { return kChecks; }

}  // namespace kulisse::openapi
