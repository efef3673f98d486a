// Volumes, claims, storage.k8s.io and resource.k8s.io.
#include <algorithm>

#include "base/text.h"
#include "openapi/table/cells.h"

namespace kulisse::openapi::table {

namespace {

std::string AccessModesText(std::span<const Value> modes) {
  struct Mode {
    std::string_view name;
    std::string_view abbreviation;
  };
  constexpr Mode kModes[] = {{"ReadWriteOnce", "RWO"},
                             {"ReadOnlyMany", "ROX"},
                             {"ReadWriteMany", "RWX"},
                             {"ReadWriteOncePod", "RWOP"}};
  std::vector<std::string> texts;
  for (const auto& [name, abbreviation] : kModes) {
    const bool has = std::ranges::any_of(
        modes, [&name](const Value& mode) { return mode.IsString() && mode.AsString() == name; });
    if (has) texts.emplace_back(abbreviation);
  }
  return Join(texts, ",");
}

std::string_view StorageClassOf(const Value& object) {
  const Value* beta =
      object.Find({"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
  if (beta != nullptr && beta->IsString()) return beta->AsString();
  return TextAt(object, {"spec", "storageClassName"});
}

std::string_view PhaseOf(const Value& object) {
  if (object.Find({"metadata", "deletionTimestamp"}) != nullptr) return "Terminating";
  return TextAt(object, {"status", "phase"});
}

// A string that may be missing: "<unset>" then, though "" is shown as it is.
std::string_view TextOrUnset(const Value& object, Path path) {
  return object.Find(path) == nullptr ? kUnset : TextAt(object, path);
}

void PrintVolume(const Value& object, Cells& row) {
  std::string claim;
  if (const Value* reference = object.Find({"spec", "claimRef"})) {
    claim.append(TextAt(*reference, {"namespace"})).append("/");
    claim.append(TextAt(*reference, {"name"}));
  }
  row.Name(object);
  row.Text(TextOr(TextAt(object, {"spec", "capacity", "storage"}), "0"));
  row.Text(AccessModesText(ListAt(object, {"spec", "accessModes"})));
  row.Text(TextAt(object, {"spec", "persistentVolumeReclaimPolicy"}));
  row.Text(PhaseOf(object));
  row.Text(claim);
  row.Text(StorageClassOf(object));
  row.Text(TextOrUnset(object, {"spec", "volumeAttributesClassName"}));
  row.Text(TextAt(object, {"status", "reason"}));
  row.Age(object);
  row.Text(TextOrUnset(object, {"spec", "volumeMode"}));
}

void PrintClaim(const Value& object, Cells& row) {
  const std::string_view volume = TextAt(object, {"spec", "volumeName"});
  const bool bound = !volume.empty();
  row.Name(object);
  row.Text(PhaseOf(object));
  row.Text(volume);
  row.Text(bound ? TextOr(TextAt(object, {"status", "capacity", "storage"}), "0") : "");
  row.Text(bound ? AccessModesText(ListAt(object, {"status", "accessModes"})) : "");
  row.Text(StorageClassOf(object));
  row.Text(TextOrUnset(object, {"spec", "volumeAttributesClassName"}));
  row.Age(object);
  row.Text(TextOrUnset(object, {"spec", "volumeMode"}));
}

void PrintStorageClass(const Value& object, Cells& row) {
  std::string name(TextAt(object, {"metadata", "name"}));
  for (const std::string_view annotation : {"storageclass.kubernetes.io/is-default-class",
                                            "storageclass.beta.kubernetes.io/is-default-class"}) {
    if (TextAt(object, {"metadata", "annotations", annotation}) != "true") continue;
    name += " (default)";
    break;
  }
  row.Text(name);
  row.Text(TextAt(object, {"provisioner"}));
  row.Text(TextOr(TextAt(object, {"reclaimPolicy"}), "Delete"));
  row.Text(TextOr(TextAt(object, {"volumeBindingMode"}), "Immediate"));
  row.Bool(BoolAt(object, {"allowVolumeExpansion"}));
  row.Age(object);
}

void PrintVolumeAttributesClass(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(TextAt(object, {"driverName"}));
  row.Age(object);
}

void PrintVolumeAttachment(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(TextAt(object, {"spec", "attacher"}));
  row.Text(TextAt(object, {"spec", "source", "persistentVolumeName"}));
  row.Text(TextAt(object, {"spec", "nodeName"}));
  row.Bool(BoolAt(object, {"status", "attached"}));
  row.Age(object);
}

void PrintCsiDriver(const Value& object, Cells& row) {
  std::string tokens(kUnset);
  if (object.Find({"spec", "tokenRequests"}) != nullptr) {
    std::vector<std::string> audiences;
    for (const Value& request : ListAt(object, {"spec", "tokenRequests"})) {
      audiences.emplace_back(TextAt(request, {"audience"}));
    }
    tokens = Join(audiences, ",");
  }
  row.Name(object);
  row.Bool(BoolAt(object, {"spec", "attachRequired"}, true));
  row.Bool(BoolAt(object, {"spec", "podInfoOnMount"}));
  row.Bool(BoolAt(object, {"spec", "storageCapacity"}));
  row.Text(tokens);
  row.Bool(BoolAt(object, {"spec", "requiresRepublish"}));
  row.Text(TextOr(JoinTexts(ListAt(object, {"spec", "volumeLifecycleModes"}), ","), kNone));
  row.Age(object);
}

void PrintCsiNode(const Value& object, Cells& row) {
  row.Name(object);
  row.Number(static_cast<int64_t>(ListAt(object, {"spec", "drivers"}).size()));
  row.Age(object);
}

void PrintResourceClaim(const Value& object, Cells& row) {
  const bool deleted = object.Find({"metadata", "deletionTimestamp"}) != nullptr;
  std::vector<std::string> states;
  if (deleted) states.emplace_back("deleted");
  if (object.Find({"status", "allocation"}) != nullptr) {
    states.emplace_back("allocated");
    if (!ListAt(object, {"status", "reservedFor"}).empty()) states.emplace_back("reserved");
  } else if (!deleted) {
    states.emplace_back("pending");
  }
  row.Name(object);
  row.Text(Join(states, ","));
  row.Age(object);
}

void PrintResourceSlice(const Value& object, Cells& row) {
  row.Name(object);
  row.Text(TextAt(object, {"spec", "nodeName"}));
  row.Text(TextAt(object, {"spec", "driver"}));
  row.Text(TextAt(object, {"spec", "pool", "name"}));
  row.Age(object);
}

constexpr Printer kPrinters[] = {
    {"", "persistentvolumeclaims", PrintClaim},
    {"", "persistentvolumes", PrintVolume},
    {"resource.k8s.io", "resourceclaims", PrintResourceClaim},
    {"resource.k8s.io", "resourceslices", PrintResourceSlice},
    {"storage.k8s.io", "csidrivers", PrintCsiDriver},
    {"storage.k8s.io", "csinodes", PrintCsiNode},
    {"storage.k8s.io", "storageclasses", PrintStorageClass},
    {"storage.k8s.io", "volumeattachments", PrintVolumeAttachment},
    {"storage.k8s.io", "volumeattributesclasses", PrintVolumeAttributesClass},
};

}  // namespace

std::span<const Printer> StoragePrinters() { return kPrinters; }

}  // namespace kulisse::openapi::table
