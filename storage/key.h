// Key names one object: resource, namespace ("" at cluster scope) and name. Keys of a resource are
// ordered as in etcd: bytewise by "namespace/name".
#pragma once

#include <string>
#include <string_view>

namespace kulisse::storage {

struct Key {
  std::string resource;  // ResourceInfo::storage_name: "pods", "deployments.apps"
  std::string ns;
  std::string name;
  bool operator==(const Key&) const = default;
};

// "pods/default/a", "nodes/n1": the form in which engines and continue tokens order objects.
[[nodiscard]] std::string EncodeKey(const Key& key);
// What all keys of a resource (and namespace, if not empty) begin with: "pods/", "pods/default/".
[[nodiscard]] std::string KeyPrefix(std::string_view resource, std::string_view ns);

}  // namespace kulisse::storage
