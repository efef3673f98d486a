#include "storage/key.h"

namespace kulisse::storage {

std::string KeyPrefix(std::string_view resource, std::string_view ns) {
  std::string prefix;
  prefix.reserve(resource.size() + ns.size() + 2);
  prefix.append(resource).push_back('/');
  if (!ns.empty()) prefix.append(ns).push_back('/');
  return prefix;
}

std::string EncodeKey(const Key& key) {
  std::string encoded = KeyPrefix(key.resource, key.ns);
  encoded.append(key.name);
  return encoded;
}

}  // namespace kulisse::storage
