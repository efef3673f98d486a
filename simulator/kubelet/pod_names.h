// How the kubelet names pods to itself, and what a record of one says without being decoded.
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"
#include "storage/key.h"
#include "storage/record.h"

namespace kulisse::simulator {

// "namespace/name", and back.
inline std::string PodName(const storage::Key& key) { return key.ns + "/" + key.name; }
inline std::string PodNameOf(const json::Value& pod) {
  return std::string(pod.FindString({"metadata", "namespace"})) + "/" +
         std::string(pod.FindString({"metadata", "name"}));
}
inline storage::Key PodKeyOf(const std::string& name) {
  const size_t slash = name.find('/');
  return {"pods", name.substr(0, slash), name.substr(slash + 1)};
}

// Whether the pod has succeeded or failed: it holds nothing any more.
inline bool HasEnded(const storage::Record& pod) {
  const std::string_view phase = pod.Field("status.phase").value_or("");
  return phase == "Succeeded" || phase == "Failed";
}

}  // namespace kulisse::simulator
