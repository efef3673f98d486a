// Volumes of pods and their sources. Upstream: core/validation, ValidateVolumes and below.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "openapi/quantity.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr std::string_view kSecondSource = "may not specify more than 1 volume type";

// Sources in the order in which they are looked at: the first one found is the volume's type. Each
// path is what errors print, which is not always the field.
struct SourceRow {
  std::string_view field;
  std::string_view path;         // of what is wrong inside
  std::string_view second_path;  // of the refusal of a second source
  std::string_view type;
};
constexpr SourceRow kSources[] = {
    {"emptyDir", "emptyDir", "emptyDir", "core.v1.EmptyDirVolumeSource"},
    {"hostPath", "hostPath", "hostPath", "core.v1.HostPathVolumeSource"},
    {"gitRepo", "gitRepo", "gitRepo", "core.v1.GitRepoVolumeSource"},
    {"gcePersistentDisk", "persistentDisk", "gcePersistentDisk",
     "core.v1.GCEPersistentDiskVolumeSource"},
    {"awsElasticBlockStore", "awsElasticBlockStore", "awsElasticBlockStore",
     "core.v1.AWSElasticBlockStoreVolumeSource"},
    {"secret", "secret", "secret", "core.v1.SecretVolumeSource"},
    {"nfs", "nfs", "nfs", "core.v1.NFSVolumeSource"},
    {"iscsi", "iscsi", "iscsi", "core.v1.ISCSIVolumeSource"},
    {"glusterfs", "glusterfs", "glusterfs", "core.v1.GlusterfsVolumeSource"},
    {"flocker", "flocker", "flocker", "core.v1.FlockerVolumeSource"},
    {"persistentVolumeClaim", "persistentVolumeClaim", "persistentVolumeClaim",
     "core.v1.PersistentVolumeClaimVolumeSource"},
    {"rbd", "rbd", "rbd", "core.v1.RBDVolumeSource"},
    {"cinder", "cinder", "cinder", "core.v1.CinderVolumeSource"},
    {"cephfs", "cephfs", "cephFS", "core.v1.CephFSVolumeSource"},
    {"quobyte", "quobyte", "quobyte", "core.v1.QuobyteVolumeSource"},
    {"downwardAPI", "downwardAPI", "downwarAPI", "core.v1.DownwardAPIVolumeSource"},
    {"fc", "fc", "fc", "core.v1.FCVolumeSource"},
    {"flexVolume", "flexVolume", "flexVolume", "core.v1.FlexVolumeSource"},
    {"configMap", "configMap", "configMap", "core.v1.ConfigMapVolumeSource"},
    {"azureFile", "azureFile", "azureFile", "core.v1.AzureFileVolumeSource"},
    {"vsphereVolume", "vsphereVolume", "vsphereVolume", "core.v1.VsphereVirtualDiskVolumeSource"},
    {"photonPersistentDisk", "photonPersistentDisk", "photonPersistentDisk",
     "core.v1.PhotonPersistentDiskVolumeSource"},
    {"portworxVolume", "portworxVolume", "portworxVolume", "core.v1.PortworxVolumeSource"},
    {"azureDisk", "azureDisk", "azureDisk", "core.v1.AzureDiskVolumeSource"},
    {"storageos", "storageos", "storageos", "core.v1.StorageOSVolumeSource"},
    {"projected", "projected", "projected", "core.v1.ProjectedVolumeSource"},
    {"scaleIO", "scaleIO", "scaleIO", "core.v1.ScaleIOVolumeSource"},
    {"csi", "csi", "csi", "core.v1.CSIVolumeSource"},
    {"ephemeral", "ephemeral", "ephemeral", "core.v1.EphemeralVolumeSource"},
    {"image", "image", "image", "core.v1.ImageVolumeSource"},
};
constexpr size_t kSourceCount = std::size(kSources);

const std::array<TypeId, kSourceCount>& SourceTypes() {
  static const auto kTypes = [] {
    std::array<TypeId, kSourceCount> types{};
    for (size_t i = 0; i < kSourceCount; ++i) types[i] = TypeOf(kSources[i].type);
    return types;
  }();
  return kTypes;
}

std::string_view PodName(Walk& walk) {
  return walk.pod().metadata == nullptr ? std::string_view() : Text(*walk.pod().metadata, "name");
}

void CheckSource(const Value& source, size_t row, const Path& path, std::string_view volume_name,
                 Walk& walk) {
  walk.Struct(source, SourceTypes()[row], path[kSources[row].path]);
  const std::string_view field = kSources[row].field;
  if (field == "iscsi" && Member(source, "initiatorName") != nullptr &&
      volume_name.size() + 1 + Text(source, "targetPortal").size() > 64) {
    walk.Invalid(path["name"], volume_name,
                 "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
                 "if iscsi.initiatorName is specified.");
  }
  const std::string_view pod = PodName(walk);
  if (field == "ephemeral" && !pod.empty() && !volume_name.empty()) {
    const std::string claim = fmt::format("{}-{}", pod, volume_name);
    for (const std::string& message : Dns1123Subdomain(claim)) {
      walk.Invalid(path["name"], volume_name,
                   fmt::format("PVC name {}: {}", GoQuote(claim), message));
    }
  }
}

void CheckSources(const Value& volume, const Path& path, Walk& walk) {
  std::array<const Value*, kSourceCount> found{};
  bool any = false;
  for (const json::Member& member : volume.members()) {
    if (member.name == "name" || member.value.IsNull()) continue;
    const auto* row = std::ranges::find(kSources, member.name, &SourceRow::field);
    if (row != std::end(kSources)) found[static_cast<size_t>(row - kSources)] = &member.value;
  }
  for (size_t i = 0; i < kSourceCount; ++i) {
    if (found[i] == nullptr) continue;
    if (any) {
      walk.Forbidden(path[kSources[i].second_path], kSecondSource);
    } else {
      CheckSource(*found[i], i, path, Text(volume, "name"), walk);
    }
    any = true;
  }
  if (!any) walk.Required(path, "must specify a volume type");
}

// Claims that the pod's ephemeral volumes make belong to these alone.
void CheckClaimReference(const Value& spec, const Value& volume, const Path& path, Walk& walk) {
  const std::string_view claim = volume.FindString({"persistentVolumeClaim", "claimName"});
  const std::string_view pod = PodName(walk);
  if (pod.empty() || !claim.starts_with(pod) || claim.size() <= pod.size() + 1 ||
      claim[pod.size()] != '-') {
    return;
  }
  const std::string_view made_by = claim.substr(pod.size() + 1);
  for (const Value& other : List(spec, "volumes")) {
    if (Member(other, "ephemeral") == nullptr || Text(other, "name") != made_by) continue;
    walk.Invalid(path, claim, "must not reference a PVC that gets created for an ephemeral volume");
    return;
  }
}

// Volumes that a stateful set's claims bring; they stand before those of the template.
void AddClaims(const Value* claims, const Path& list, NameSet* names, Walk& walk) {
  static const json::Document kClaim = [] {
    json::Document volume;
    volume.root = Value::Object();
    volume.root.AppendRef("persistentVolumeClaim", Value::Object(), volume.arena);
    return volume;
  }();
  if (claims == nullptr) return;
  size_t index = 0;
  for (const Value& claim : claims->elements()) {
    const Path at = list[index++];
    const std::string_view name = claim.FindString({"metadata", "name"});
    if (name.empty()) {
      walk.Required(at["persistentVolumeClaim"]["claimName"]);
      walk.Required(at["name"]);
    } else {
      walk.Check(at["name"], name, Dns1123Label);
    }
    if (names->Insert(name)) walk.pod().volumes.emplace_back(name, &kClaim.root);
  }
}

// Rule of pod specs. Volumes that are right go to the scope, for mounts to refer to.
void Volumes(const Value& spec, const Path& path, Walk& walk) {
  NameSet names;
  const Path list = path["volumes"];
  AddClaims(walk.claim_templates(), list, &names, walk);
  const NameSet claims = names;
  size_t index = walk.pod().volumes.size();
  for (const Value& volume : List(spec, "volumes")) {
    if (!claims.empty() && claims.Has(Text(volume, "name"))) continue;
    const Path at = list[index++];
    const size_t before = walk.error_count();
    CheckSources(volume, at, walk);
    const std::string_view name = Text(volume, "name");
    if (name.empty()) {
      walk.Required(at["name"]);
    } else {
      walk.Check(at["name"], name, Dns1123Label);
    }
    if (names.Has(name)) walk.Duplicate(at["name"], name);
    if (walk.error_count() == before) {
      names.Insert(name);
      walk.pod().volumes.emplace_back(name, &volume);
    }
    CheckClaimReference(spec, volume, at["persistentVolumeClaim"]["claimName"], walk);
  }
  std::ranges::sort(walk.pod().volumes, {}, [](const auto& volume) { return volume.first; });
}

// --- rules of single sources

void EmptyDir(const Value& source, const Path& path, Walk& walk) {
  const auto limit = Quantity::Parse(Text(source, "sizeLimit"));
  if (limit && limit->Sign() < 0) {
    walk.Forbidden(path["sizeLimit"], "SizeLimit field must be a valid resource quantity");
  }
}

bool IsIscsiName(std::string_view name) {
  const auto alnum = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (name.starts_with("eui") || name.starts_with("naa")) {
    const size_t digits = name.starts_with("eui") ? 16 : 32;
    return name.size() == 4 + digits && std::ranges::all_of(name.substr(4), alnum);
  }
  // iqn.YYYY-MM.authority:anything
  const auto digit = [&](size_t i) { return std::isdigit(static_cast<unsigned char>(name[i])); };
  if (name.size() < 14 || name[3] != '.' || name[8] != '-' || name[11] != '.') return false;
  for (const size_t i : {4, 5, 6, 7, 9, 10}) {
    if (!digit(i)) return false;
  }
  const size_t colon = name.find(':', 12);
  return colon != std::string_view::npos && colon > 12 && colon + 1 < name.size() &&
         name.substr(colon + 1).find_first_of(",;*&$| \t\n\r\f\v") == std::string_view::npos;
}

void CheckIscsiName(const Path& path, std::string_view name, bool in_pod, Walk& walk) {
  if (!name.starts_with("iqn") && !name.starts_with("eui") && !name.starts_with("naa")) {
    walk.Invalid(
        path, name,
        in_pod ? "must be valid format starting with iqn, eui, or naa" : "must be valid format");
  } else if (!IsIscsiName(name)) {
    walk.Invalid(path, name, "must be valid format");
  }
}

void CheckIscsi(const Value& source, const Path& path, bool in_pod, Walk& walk) {
  const std::string_view iqn = Text(source, "iqn");
  if (iqn.empty()) {
    walk.Required(path["iqn"]);
  } else {
    CheckIscsiName(path["iqn"], iqn, in_pod, walk);
  }
  const int64_t lun = Int(source, "lun").value_or(0);
  if (lun < 0 || lun > 255) walk.Invalid(path["lun"], lun, InclusiveRange(0, 255));
  const Value* secret = Member(source, "secretRef");
  if ((True(source, "chapAuthDiscovery") || True(source, "chapAuthSession")) && secret == nullptr) {
    walk.Required(path["secretRef"]);
  }
  if (!in_pod && secret != nullptr && Text(*secret, "name").empty()) {
    walk.Required(path["secretRef"]["name"]);
  }
  if (Member(source, "initiatorName") != nullptr) {
    CheckIscsiName(path["initiatorname"], Text(source, "initiatorName"), in_pod, walk);
  }
}

void Iscsi(const Value& source, const Path& path, Walk& walk) {
  CheckIscsi(source, path, true, walk);
}

void IscsiOfVolume(const Value& source, const Path& path, Walk& walk) {
  CheckIscsi(source, path, false, walk);
}

void FibreChannel(const Value& source, const Path& path, Walk& walk) {
  const Value* wwns = source.Find("targetWWNs");
  const bool ids = !IsEmpty(source.Find("wwids"));
  if (IsEmpty(wwns)) {
    if (!ids) {
      walk.Required(path["targetWWNs"], "must specify either targetWWNs or wwids, but not both");
    }
    return;
  }
  if (ids) {
    walk.Invalid(path["targetWWNs"], *wwns,
                 "targetWWNs and wwids can not be specified simultaneously");
  }
  const auto lun = Int(source, "lun");
  if (!lun) {
    walk.Required(path["lun"], "lun is required if targetWWNs is specified");
  } else if (*lun < 0 || *lun > 255) {
    walk.Invalid(path["lun"], *lun, InclusiveRange(0, 255));
  }
}

void Quobyte(const Value& source, const Path& path, Walk& walk) {
  constexpr std::string_view kPairs =
      "must be a host:port pair or multiple pairs separated by commas";
  const std::string_view registry = Text(source, "registry");
  if (registry.empty()) {
    walk.Required(path["registry"], kPairs);
  } else if (Text(source, "tenant").size() >= 65) {
    walk.Required(path["tenant"], "must be a UUID and may not exceed a length of 64 characters");
  } else {
    for (const std::string_view pair : Split(registry, ',')) {
      if (pair.find(':') == std::string_view::npos)
        walk.Invalid(path["registry"], registry, kPairs);
    }
  }
  if (Text(source, "volume").empty()) walk.Required(path["volume"]);
}

void Flocker(const Value& source, const Path& path, Walk& walk) {
  const std::string_view name = Text(source, "datasetName");
  const std::string_view uuid = Text(source, "datasetUUID");
  if (name.empty() && uuid.empty()) {
    walk.Required(path, "one of datasetName and datasetUUID is required");
  }
  if (!name.empty() && !uuid.empty()) {
    walk.Invalid(path, "resource",
                 "datasetName and datasetUUID can not be specified simultaneously");
  }
  if (name.find('/') != std::string_view::npos) {
    walk.Invalid(path["datasetName"], name, "must not contain '/'");
  }
}

void FlexOptions(const Value& source, const Path& path, Walk& walk) {
  const Path options = path["options"];
  for (const json::Member& option : Map(source, "options")) {
    const std::string_view prefix = option.name.substr(0, option.name.find('/'));
    const std::string normalized = "." + ToLower(prefix);
    if (normalized.ends_with(".kubernetes.io") || normalized.ends_with(".k8s.io")) {
      walk.Invalid(options.Key(option.name), option.name,
                   "kubernetes.io and k8s.io namespaces are reserved");
    }
  }
}

void AzureDisk(const Value& source, const Path& path, Walk& walk) {
  const std::string_view kind = Text(source, "kind");
  const std::string_view uri = Text(source, "diskURI");
  if (kind == "Managed" && !uri.starts_with("/subscriptions/")) {
    walk.NotSupported(path["diskURI"], uri,
                      {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/"
                       "microsoft.compute/disks/{disk-id}"});
  }
  if (!kind.empty() && kind != "Managed" && !uri.starts_with("https://")) {
    walk.NotSupported(
        path["diskURI"], uri,
        {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
  }
}

void CsiDriverName(const Value& value, const Path& path, Walk& walk) {
  const std::string_view name = value.IsString() ? value.AsString() : "";
  if (name.empty()) return walk.Required(path);
  if (name.size() > 63) walk.TooLong(path, 63);
  walk.Messages(path, name, Dns1123Subdomain(ToLower(name)));
}

void CsiSecret(const Value& source, const Path& path, Walk& walk) {
  const Value* secret = Member(source, "nodePublishSecretRef");
  if (secret == nullptr) return;
  const std::string_view name = Text(*secret, "name");
  if (name.empty()) {
    walk.Required(path["nodePublishSecretRef"]["name"]);
  } else {
    walk.Check(path["name"], name, Dns1123Subdomain);
  }
}

// --- downward API and projected volumes

void DownwardFile(const Value& file, const Path& path, Walk& walk) {
  static const TypeId kFile = TypeOf("core.v1.DownwardAPIVolumeFile");
  walk.Struct(file, kFile, path);
}

// Files of a downward API volume, whose errors do not say which.
void DownwardItems(const Value& source, const Path& path, Walk& walk) {
  for (const Value& file : List(source, "items")) DownwardFile(file, path, walk);
}

void CheckConflict(std::string_view file, std::string_view shown, const Path& path, NameSet* files,
                   Walk& walk) {
  if (!file.empty() && !files->Insert(file)) {
    walk.Invalid(path, shown, "conflicting duplicate paths");
  }
}

void KeyedItems(const Value& source, const Path& at, const Path& path, NameSet* files, Walk& walk) {
  static const TypeId kItem = TypeOf("core.v1.KeyToPath");
  if (Text(source, "name").empty()) walk.Required(at["name"]);
  const Path items = at["items"];
  size_t index = 0;
  for (const Value& item : List(source, "items")) {
    walk.Struct(item, kItem, items[index++]);
    CheckConflict(Text(item, "path"), Text(source, "name"), path, files, walk);
  }
}

void TokenSource(const Value& token, const Path& at, const Path& path, Walk& walk) {
  const int64_t seconds = Int(token, "expirationSeconds").value_or(0);
  if (seconds < 600) {
    walk.Invalid(at["expirationSeconds"], seconds,
                 "may not specify a duration less than 10 minutes");
  }
  if (seconds > int64_t{1} << 32) {
    walk.Invalid(at["expirationSeconds"], seconds,
                 "may not specify a duration larger than 2^32 seconds");
  }
  const std::string_view file = Text(token, "path");
  if (file.empty()) {
    walk.Required(path["path"]);
  } else {
    walk.Check(path["path"], file, LocalNonReservedPath);
  }
}

void BundleSource(const Value& bundle, const Path& at, Walk& walk) {
  const bool by_name = Member(bundle, "name") != nullptr;
  const bool by_signer = Member(bundle, "signerName") != nullptr;
  if (by_name && by_signer) {
    walk.Invalid(at, bundle, TypeOf("core.v1.ClusterTrustBundleProjection"),
                 "only one of name and signerName may be used");
  } else if (by_name) {
    if (Text(bundle, "name").empty()) walk.Required(at["name"], "must be a valid object name");
    if (const Value* selector = Member(bundle, "labelSelector")) {
      walk.Invalid(at["labelSelector"], *selector,
                   "labelSelector must be unset if name is specified");
    }
  } else if (by_signer) {
    if (Text(bundle, "signerName").empty()) {
      walk.Required(at["signerName"], "must be a valid signer name");
    }
    static const TypeId kSelector = TypeOf("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector");
    if (const Value* selector = Member(bundle, "labelSelector")) {
      walk.Struct(*selector, kSelector, at["labelSelector"]);
    }
  } else {
    walk.Required(at, "either name or signerName must be specified");
  }
  if (Text(bundle, "path").empty()) walk.Required(at["path"]);
  walk.Check(at["path"], Text(bundle, "path"), LocalNonReservedPath);
}

void PodCertificateSource(const Value& source, const Path& at, const Path& path, NameSet* files,
                          Walk& walk) {
  static const TypeId kCertificate = TypeOf("core.v1.PodCertificateProjection");
  walk.Struct(source, kCertificate, at);
  bool any = false;
  for (const std::string_view field : {"credentialBundlePath", "keyPath", "certificateChainPath"}) {
    const std::string_view file = Text(source, field);
    if (file.empty()) continue;
    any = true;
    walk.Check(at[field], file, LocalNonReservedPath);
    CheckConflict(file, file, path, files, walk);
  }
  if (!any) {
    walk.Required(at,
                  "specify at least one of credentialBundlePath, keyPath, and "
                  "certificateChainPath");
  }
}

void ProjectedSources(const Value& projected, const Path& path, Walk& walk) {
  NameSet files;
  const Path sources = path["sources"];
  size_t index = 0;
  for (const Value& source : List(projected, "sources")) {
    const Path at = sources[index++];
    if (const Value* secret = Member(source, "secret")) {
      KeyedItems(*secret, at["secret"], path, &files, walk);
    }
    if (const Value* map = Member(source, "configMap")) {
      KeyedItems(*map, at["configMap"], path, &files, walk);
    }
    if (const Value* downward = Member(source, "downwardAPI")) {
      for (const Value& file : List(*downward, "items")) {
        DownwardFile(file, at["downwardAPI"], walk);
        CheckConflict(Text(file, "path"), Text(file, "path"), path, &files, walk);
      }
    }
    if (const Value* token = Member(source, "serviceAccountToken")) {
      TokenSource(*token, at["serviceAccountToken"], path, walk);
    }
    if (const Value* bundle = Member(source, "clusterTrustBundle")) {
      BundleSource(*bundle, at["clusterTrustBundle"], walk);
      CheckConflict(Text(*bundle, "path"), Text(*bundle, "path"), path, &files, walk);
    }
    if (const Value* certificate = Member(source, "podCertificate")) {
      PodCertificateSource(*certificate, at["podCertificate"], path, &files, walk);
    }
    if (source.size() > 1) {
      walk.Forbidden(at, "may not specify more than 1 volume type per source");
    }
  }
}

void ImageReference(const Value& source, const Path& path, Walk& walk) {
  const bool in_pod = walk.pod().metadata != nullptr;
  if (in_pod && Text(source, "reference").empty()) walk.Required(path["reference"]);
}

void ClaimTemplate(const Value& claim, const Path& path, Walk& walk) {
  const Value* metadata = Member(claim, "metadata");
  if (metadata == nullptr) return;
  for (const json::Member& member : metadata->members()) {
    const bool allowed = member.name == "labels" || member.name == "annotations";
    if (!allowed && !member.value.IsNull()) {
      walk.Forbidden(path["metadata"][member.name], "cannot be set");
    }
  }
}

constexpr NamedCheck kChecks[] = {
    {"azureDisk", AzureDisk},
    {"claimTemplate", ClaimTemplate},
    {"csiDriverName", CsiDriverName},
    {"csiSecret", CsiSecret},
    {"downwardItems", DownwardItems},
    {"emptyDir", EmptyDir},
    {"fibreChannel", FibreChannel},
    {"flexOptions", FlexOptions},
    {"flocker", Flocker},
    {"imageReference", ImageReference},
    {"iscsi", Iscsi},
    {"iscsiOfVolume", IscsiOfVolume},
    {"projectedSources", ProjectedSources},
    {"quobyte", Quobyte},
    {"volumes", Volumes},
};

}  // namespace

std::span<const NamedCheck> VolumeChecks() { return kChecks; }

}  // namespace kulisse::openapi
