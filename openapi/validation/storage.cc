// Rules of volumes, claims and what storage.k8s.io has. Upstream: core/validation
// (PersistentVolume…) and pkg/apis/storage/validation.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "openapi/label_syntax.h"
#include "openapi/quantity.h"
#include "openapi/validation/go_diff.h"
#include "openapi/validation/resources.h"
#include "openapi/validation/walk.h"

namespace kulisse::openapi {

namespace {

constexpr size_t kDriverNameBytesMax = 63;
constexpr size_t kParametersMax = 512;
constexpr size_t kParameterBytesMax = 256 * 1024;
constexpr std::string_view kBetaClass = "volume.beta.kubernetes.io/storage-class";

// Sources of volumes in the order in which they are looked at.
struct SourceRow {
  std::string_view field;
  std::string_view path;
  std::string_view second_path;
  std::string_view type;
};
constexpr SourceRow kSources[] = {
    {"hostPath", "hostPath", "hostPath", "core.v1.HostPathVolumeSource"},
    {"gcePersistentDisk", "persistentDisk", "gcePersistentDisk",
     "core.v1.GCEPersistentDiskVolumeSource"},
    {"awsElasticBlockStore", "awsElasticBlockStore", "awsElasticBlockStore",
     "core.v1.AWSElasticBlockStoreVolumeSource"},
    {"glusterfs", "glusterfs", "glusterfs", "core.v1.GlusterfsPersistentVolumeSource"},
    {"flocker", "flocker", "flocker", "core.v1.FlockerVolumeSource"},
    {"nfs", "nfs", "nfs", "core.v1.NFSVolumeSource"},
    {"rbd", "rbd", "rbd", "core.v1.RBDPersistentVolumeSource"},
    {"quobyte", "quobyte", "quobyte", "core.v1.QuobyteVolumeSource"},
    {"cephfs", "cephfs", "cephFS", "core.v1.CephFSPersistentVolumeSource"},
    {"iscsi", "iscsi", "iscsi", "core.v1.ISCSIPersistentVolumeSource"},
    {"cinder", "cinder", "cinder", "core.v1.CinderPersistentVolumeSource"},
    {"fc", "fc", "fc", "core.v1.FCVolumeSource"},
    {"flexVolume", "flexVolume", "flexVolume", "core.v1.FlexPersistentVolumeSource"},
    {"azureFile", "azureFile", "azureFile", "core.v1.AzureFilePersistentVolumeSource"},
    {"vsphereVolume", "vsphereVolume", "vsphereVolume", "core.v1.VsphereVirtualDiskVolumeSource"},
    {"photonPersistentDisk", "photonPersistentDisk", "photonPersistentDisk",
     "core.v1.PhotonPersistentDiskVolumeSource"},
    {"portworxVolume", "portworxVolume", "portworxVolume", "core.v1.PortworxVolumeSource"},
    {"azureDisk", "azureDisk", "azureDisk", "core.v1.AzureDiskVolumeSource"},
    {"scaleIO", "scaleIO", "scaleIO", "core.v1.ScaleIOPersistentVolumeSource"},
    {"local", "local", "local", "core.v1.LocalVolumeSource"},
    {"storageos", "storageos", "storageos", "core.v1.StorageOSPersistentVolumeSource"},
    {"csi", "csi", "csi", "core.v1.CSIPersistentVolumeSource"},
};

bool HasNodeAffinity(const Value& spec) {
  const Value* required = spec.Find({"nodeAffinity", "required"});
  return required != nullptr && !IsEmpty(required->Find("nodeSelectorTerms"));
}

void CheckVolumeSources(const Value& spec, const Path& path, Walk& walk) {
  bool any = false;
  for (const SourceRow& row : kSources) {
    const Value* source = Member(spec, row.field);
    if (source == nullptr) continue;
    if (any) {
      walk.Forbidden(path[row.second_path], "may not specify more than 1 volume type");
    } else {
      walk.Struct(*source, TypeOf(row.type), path[row.path]);
      if (row.field == "local" && !HasNodeAffinity(spec)) {
        walk.Required(path["nodeAffinity"], "Local volume requires node affinity");
      }
    }
    any = true;
  }
  if (!any) walk.Required(path, "must specify a volume type");
}

void AccessModes(const Value& spec, const Path& path, Walk& walk) {
  const Path at = path["accessModes"];
  bool pod = false;
  bool other = false;
  for (const Value& mode : List(spec, "accessModes")) {
    const std::string_view text = mode.AsString();
    const size_t before = walk.error_count();
    walk.Enum(at, text, {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"});
    if (text == "ReadWriteOncePod") {
      pod = true;
    } else if (walk.error_count() == before) {
      other = true;
    }
  }
  if (pod && other) {
    walk.Forbidden(at, "may not use ReadWriteOncePod with other access modes");
  }
}

void VolumeNodeAffinity(const Value& spec, const Path& path, Walk& walk) {
  const Value* affinity = Member(spec, "nodeAffinity");
  if (affinity == nullptr || Member(*affinity, "required") != nullptr) return;
  walk.Required(path["nodeAffinity"]["required"], "must specify required node constraints");
}

void VolumeCapacity(const Value& spec, const Path& path, Walk& walk) {
  const Value* capacity = Member(spec, "capacity");
  const Path at = path["capacity"];
  if (IsEmpty(capacity)) walk.Required(at);
  if (IsEmpty(capacity) || capacity->Find("storage") == nullptr || capacity->size() > 1) {
    walk.NotSupportedValue(at, capacity == nullptr ? "null" : ValueText(*capacity), {"storage"});
  }
  if (capacity == nullptr) return;
  for (const json::Member& member : capacity->members()) {
    const auto amount = Quantity::Parse(member.value.AsString());
    if (!amount) continue;
    if (amount->Sign() < 0) {
      walk.Invalid(at.Key(member.name), amount->Value(), "must be a valid resource quantity");
    }
    if (amount->Sign() <= 0) {
      walk.Invalid(at.Key(member.name), member.value.AsString(), "must be greater than zero");
    }
  }
}

void VolumeSources(const Value& spec, const Path& path, Walk& walk) {
  CheckVolumeSources(spec, path, walk);
  if (spec.FindString({"hostPath", "path"}) == "/" &&
      Text(spec, "persistentVolumeReclaimPolicy") == "Recycle") {
    walk.Forbidden(path["persistentVolumeReclaimPolicy"],
                   "may not be 'recycle' for a hostPath mount of '/'");
  }
}

void VolumeAttributes(const Value& spec, const Path& path, Walk& walk) {
  if (Member(spec, "volumeAttributesClassName") == nullptr) return;
  const std::string_view name = Text(spec, "volumeAttributesClassName");
  if (name.empty()) {
    walk.Required(path["volumeAttributesClassName"], "an empty string is disallowed");
  } else {
    walk.Check(path["volumeAttributesClassName"], name, Dns1123Subdomain);
  }
  if (Member(spec, "csi") == nullptr) {
    walk.Required(path["csi"], "has to be specified when using volumeAttributesClassName");
  }
}

void CsiVolume(const Value& source, const Path& path, Walk& walk) {
  for (const std::string_view field : {"controllerPublishSecretRef", "controllerExpandSecretRef",
                                       "nodePublishSecretRef", "nodeExpandSecretRef"}) {
    const Value* secret = Member(source, field);
    if (secret == nullptr) continue;
    const Path at = path[field];
    const std::string_view name = Text(*secret, "name");
    const std::string_view ns = Text(*secret, "namespace");
    if (name.empty()) {
      walk.Required(at["name"]);
    } else {
      walk.Check(at["name"], name, Dns1123Subdomain);
    }
    if (ns.empty()) {
      walk.Required(at["namespace"]);
    } else {
      walk.Check(at["namespace"], ns, Dns1123Label);
    }
  }
}

void VolumeUpdate(const Value& volume, const Path& path, Walk& walk) {
  const Value& spec = Part(volume, "spec");
  const Value& old = Part(*walk.old(), "spec");
  json::Arena arena;
  Value now_source = Value::Object();
  Value old_source = Value::Object();
  for (const SourceRow& row : kSources) {
    if (const Value* value = Member(spec, row.field)) {
      now_source.Set(row.field, value->Clone(arena), arena);
    }
    if (const Value* value = Member(old, row.field)) {
      old_source.Set(row.field, value->Clone(arena), arena);
    }
  }
  // A secret for expansion may be added.
  Value* csi = now_source.Find("csi");
  const Value* old_csi = old_source.Find("csi");
  if (csi != nullptr && old_csi != nullptr &&
      old_csi->Find("controllerExpandSecretRef") == nullptr) {
    csi->Remove("controllerExpandSecretRef");
  }
  if (!(now_source == old_source)) {
    walk.Forbidden(path["spec"]["persistentvolumesource"],
                   "spec.persistentvolumesource is immutable after creation\n" +
                       GoDiff(old_source, now_source, TypeOf("core.v1.PersistentVolumeSource")));
  }
  walk.Immutable(Path("volumeMode"), Member(spec, "volumeMode"), Member(old, "volumeMode"));
  const Value* affinity = Member(old, "nodeAffinity");
  if (affinity != nullptr && !SameMember(spec, old, "nodeAffinity")) {
    constexpr std::string_view kDetail =
        "field is immutable, except for updating from beta label to GA";
    if (const Value* now = Member(spec, "nodeAffinity")) {
      walk.Invalid(Path("nodeAffinity"), *now, TypeOf("core.v1.VolumeNodeAffinity"), kDetail);
    } else {
      walk.InvalidText(Path("nodeAffinity"), "null", kDetail);
    }
  }
  if (Member(old, "volumeAttributesClassName") != nullptr &&
      Member(spec, "volumeAttributesClassName") == nullptr) {
    walk.Forbidden(path["spec"]["volumeAttributesClassName"],
                   "update from non-nil value to nil is forbidden");
  }
}

// --- claims

void ClaimStorage(const Value& spec, const Path& path, Walk& walk) {
  const Path resources = path["resources"];
  const Path at = resources.Key("storage");
  const Value* amount = spec.Find({"resources", "requests", "storage"});
  if (amount == nullptr) return walk.Required(at);
  const auto quantity = Quantity::Parse(amount->AsString());
  if (quantity && quantity->Sign() <= 0) {
    walk.Invalid(at, amount->AsString(), "must be greater than zero");
  }
}

void DataSource(const Value& source, const Path& path, Walk& walk) {
  const std::string_view group = Text(source, "apiGroup");
  const std::string_view kind = Text(source, "kind");
  if (group.empty() && kind != "PersistentVolumeClaim") {
    walk.Invalid(path, kind,
                 "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
  if (!group.empty() && walk.old() == nullptr) {
    walk.Check(path["apiGroup"], group, Dns1123Subdomain);
  }
  const std::string_view ns = Text(source, "namespace");
  if (!ns.empty()) walk.Check(path["namespace"], ns, Dns1123Label);
}

void ClaimDataSources(const Value& spec, const Path& path, Walk& walk) {
  const Value* source = Member(spec, "dataSource");
  const Value* reference = Member(spec, "dataSourceRef");
  if (source == nullptr || reference == nullptr) return;
  if (!Text(*reference, "namespace").empty()) {
    walk.InvalidText(path, "{}", "may not be specified when dataSourceRef.namespace is specified");
  } else if (!SameMember(*source, *reference, "apiGroup") ||
             !SameMember(*source, *reference, "kind") || !SameMember(*source, *reference, "name")) {
    walk.InvalidText(path, "{}", "must match dataSourceRef");
  }
}

void CopyMember(Value& to, const Value& from, std::string_view name, json::Arena& arena) {
  if (const Value* value = from.Find(name)) {
    to.Set(name, value->Clone(arena), arena);
  } else {
    to.Remove(name);
  }
}

// The new spec with what may change as it was, and the old one with what may be set once.
void MungeClaim(const Value& claim, const Value& old_claim, Value& spec, Value& old,
                json::Arena& arena) {
  if (Text(old, "volumeName").empty()) CopyMember(old, spec, "volumeName", arena);
  const std::string_view annotated = old_claim.FindString({"metadata", "annotations", kBetaClass});
  const Value* now_class = Member(spec, "storageClassName");
  if (Member(old, "storageClassName") == nullptr && now_class != nullptr &&
      (annotated.empty() || now_class->AsString() == annotated)) {
    spec.Remove("storageClassName");
  }
  if (claim.FindString({"status", "phase"}) != "Bound") return;
  const Value* size = old.Find({"resources", "requests", "storage"});
  Value* requests = spec.Find({"resources", "requests"});
  if (size != nullptr && requests != nullptr) {
    requests->Set("storage", size->Clone(arena), arena);
  }
  CopyMember(spec, old, "volumeAttributesClassName", arena);
}

void ClaimUpdate(const Value& claim, const Path& path, Walk& walk) {
  const Value& old_claim = *walk.old();
  json::Arena arena;
  Value spec = Part(claim, "spec").Clone(arena);
  Value old = Part(old_claim, "spec").Clone(arena);
  MungeClaim(claim, old_claim, spec, old, arena);
  if (!(spec == old)) {
    walk.Forbidden(path["spec"],
                   "spec is immutable after creation except resources.requests and "
                   "volumeAttributesClassName for bound claims\n" +
                       GoDiff(old, spec, TypeOf("core.v1.PersistentVolumeClaimSpec")));
  }
  const auto amount = [](const Value& object, std::initializer_list<std::string_view> at) {
    return Quantity::Parse(object.FindString(at)).value_or(Quantity());
  };
  const Quantity now = amount(claim, {"spec", "resources", "requests", "storage"});
  const Quantity before = amount(old_claim, {"spec", "resources", "requests", "storage"});
  if (now < before && now <= amount(old_claim, {"status", "capacity", "storage"})) {
    walk.Forbidden(path["spec"]["resources"]["requests"]["storage"],
                   "field can not be less than status.capacity");
  }
  walk.Immutable(Path("volumeMode"), Member(Part(claim, "spec"), "volumeMode"),
                 Member(Part(old_claim, "spec"), "volumeMode"));
}

void ClaimStatus(const Value& claim, const Path& path, Walk& walk) {
  const Path status = path["status"];
  const Path capacity = status["capacity"];
  for (const json::Member& member : Map(Part(claim, "status"), "capacity")) {
    const auto amount = Quantity::Parse(member.value.AsString());
    if (amount && amount->Sign() < 0) {
      walk.Invalid(capacity.Key(member.name), amount->Value(), "must be a valid resource quantity");
    }
  }
}

// --- classes and drivers

void Provisioner(const Value& name, const Path& path, Walk& walk) {
  if (name.size() == 0) return;
  const std::string lower = ToLower(name.AsString());
  walk.Check(path, lower, LabelKeyErrors);
}

void Parameters(const Value& parameters, const Path& path, Walk& walk) {
  if (parameters.size() > kParametersMax) walk.TooLong(path, kParametersMax);
  size_t bytes = 0;
  for (const json::Member& member : parameters.members()) {
    if (member.name.empty()) walk.Invalid(path, "", "field can not be empty.");
    bytes += member.name.size() + member.value.size();
  }
  if (bytes > kParameterBytesMax) walk.TooLong(path, kParameterBytesMax);
}

void AttributesClassUpdate(const Value& object, const Path& path, Walk& walk) {
  for (const std::string_view field : {"driverName", "parameters"}) {
    if (SameMember(object, *walk.old(), field)) continue;
    walk.Forbidden(path[field], fmt::format("updates to {} are forbidden.", field));
  }
}

void CsiName(const Value& name, const Path& path, Walk& walk) {
  if (name.size() == 0) return;
  if (name.size() > kDriverNameBytesMax) walk.TooLong(path, kDriverNameBytesMax);
  walk.Messages(path, name.AsString(), Dns1123Subdomain(ToLower(name.AsString())));
}

void AllowedTopologies(const Value& object, const Path& path, Walk& walk) {
  static const TypeId kTerm = TypeOf("core.v1.TopologySelectorTerm");
  const auto terms = List(object, "allowedTopologies");
  const Path list = path["allowedTopologies"];
  size_t index = 0;
  for (const Value& term : terms) {
    const Path at = list[index++];
    walk.Struct(term, kTerm, at);
    // An empty term equals each of the places that the real server made for terms.
    if (!IsEmpty(term.Find("matchLabelExpressions"))) continue;
    for (size_t i = 0; i < terms.size(); ++i) walk.Duplicate(at["matchLabelExpressions"], "");
  }
}

void CsiNodeDrivers(const Value& spec, const Path& path, Walk& walk) {
  static const TypeId kDriver = TypeOf("storage.v1.CSINodeDriver");
  NameSet names;
  const Path list = path["drivers"];
  size_t index = 0;
  for (const Value& driver : List(spec, "drivers")) {
    const Path at = list[index++];
    walk.Struct(driver, kDriver, at);
    const std::string_view name = Text(driver, "name");
    if (!names.Insert(name)) walk.Duplicate(at["name"], name);
    NameSet keys;
    for (const Value& key : List(driver, "topologyKeys")) {
      if (key.size() == 0) walk.Required(at, "");
      if (!keys.Insert(key.AsString())) walk.Duplicate(at, key.AsString());
      walk.Check(at, key.AsString(), LabelKeyErrors);
    }
  }
}

void NodeId(const Value& driver, const Path& path, Walk& walk) {
  const std::string_view id = Text(driver, "nodeID");
  if (id.size() > 256) walk.Invalid(path["nodeID"], id, "must be 256 characters or less");
}

void CsiNodeUpdate(const Value& node, const Path& path, Walk& walk) {
  static const TypeId kDriver = TypeOf("storage.v1.CSINodeDriver");
  for (const Value& old : List(Part(*walk.old(), "spec"), "drivers")) {
    for (const Value& driver : List(Part(node, "spec"), "drivers")) {
      if (Text(driver, "name") != Text(old, "name")) continue;
      const bool same =
          SameMember(driver, old, "nodeID") && SameMember(driver, old, "topologyKeys");
      if (same) continue;
      json::Arena arena;
      Value shown = driver.Clone(arena);
      shown.Remove("allocatable");
      walk.Invalid(path["spec"]["drivers"], shown, kDriver, "field is immutable");
    }
  }
}

void CsiDriver(const Value& spec, const Path& path, Walk& walk) {
  if (Member(spec, "attachRequired") == nullptr) walk.Required(path["attachedRequired"]);
  for (const std::string_view field : {"podInfoOnMount", "storageCapacity"}) {
    if (Member(spec, field) == nullptr) walk.Required(path[field]);
  }
  if (Member(spec, "fsGroupPolicy") != nullptr) {
    walk.Enum(path["fsGroupPolicy"], Text(spec, "fsGroupPolicy"),
              {"File", "None", "ReadWriteOnceWithFSType"});
  }
  NameSet audiences;
  const Path requests = path["tokenRequests"];
  size_t index = 0;
  for (const Value& request : List(spec, "tokenRequests")) {
    const Path at = requests[index++];
    const std::string_view audience = Text(request, "audience");
    if (!audiences.Insert(audience)) {
      walk.Duplicate(at["audience"], audience);
      continue;
    }
    const auto seconds = Int(request, "expirationSeconds");
    if (seconds && *seconds < 600) {
      walk.Invalid(at["expirationSeconds"], *seconds,
                   "may not specify a duration less than 10 minutes");
    }
    if (seconds && *seconds > int64_t{1} << 32) {
      walk.Invalid(at["expirationSeconds"], *seconds,
                   "may not specify a duration larger than 2^32 seconds");
    }
  }
  for (const Value& mode : List(spec, "volumeLifecycleModes")) {
    walk.Enum(path["volumeLifecycleModes"], mode.AsString(), {"Persistent", "Ephemeral"});
  }
  if (Member(spec, "seLinuxMount") == nullptr) walk.Required(path["seLinuxMount"]);
}

void CsiDriverUpdate(const Value& driver, const Path& path, Walk& walk) {
  const Value& spec = Part(driver, "spec");
  const Value& old = Part(*walk.old(), "spec");
  walk.Immutable(path["spec"]["attachedRequired"], Member(spec, "attachRequired"),
                 Member(old, "attachRequired"));
  walk.Immutable(path["spec"]["volumeLifecycleModes"], Member(spec, "volumeLifecycleModes"),
                 Member(old, "volumeLifecycleModes"));
}

void AttachmentSource(const Value& source, const Path& path, Walk& walk) {
  constexpr std::string_view kOne =
      "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  const Value* spec = Member(source, "inlineVolumeSpec");
  const Value* name = Member(source, "persistentVolumeName");
  if (spec == nullptr && name == nullptr) {
    walk.Required(path, kOne);
  } else if (spec != nullptr && name != nullptr) {
    walk.Forbidden(path, kOne);
  } else if (name != nullptr && name->size() == 0) {
    walk.Required(path["persistentVolumeName"], "must specify non empty persistentVolumeName");
  } else if (spec != nullptr) {
    const Path at = path["inlineVolumeSpec"];
    if (Member(*spec, "csi") == nullptr) {
      walk.Required(at["csi"], "has to be specified in the context of inline volumes");
    }
    if (IsEmpty(spec->Find("accessModes"))) walk.Required(at["accessModes"]);
    AccessModes(*spec, at, walk);
    CheckVolumeSources(*spec, at, walk);
  }
}

constexpr NamedCheck kChecks[] = {
    {"accessModes", AccessModes},
    {"allowedTopologies", AllowedTopologies},
    {"attachmentSource", AttachmentSource},
    {"attributesClassUpdate", AttributesClassUpdate},
    {"claimDataSources", ClaimDataSources},
    {"claimStatus", ClaimStatus},
    {"claimStorage", ClaimStorage},
    {"claimUpdate", ClaimUpdate},
    {"csiDriver", CsiDriver},
    {"csiDriverUpdate", CsiDriverUpdate},
    {"csiName", CsiName},
    {"csiNodeDrivers", CsiNodeDrivers},
    {"csiNodeUpdate", CsiNodeUpdate},
    {"csiVolume", CsiVolume},
    {"dataSource", DataSource},
    {"nodeId", NodeId},
    {"parameters", Parameters},
    {"provisioner", Provisioner},
    {"volumeAttributes", VolumeAttributes},
    {"volumeCapacity", VolumeCapacity},
    {"volumeNodeAffinity", VolumeNodeAffinity},
    {"volumeSources", VolumeSources},
    {"volumeUpdate", VolumeUpdate},
};

}  // namespace

std::span<const NamedCheck> StorageChecks() { return kChecks; }

}  // namespace kulisse::openapi
