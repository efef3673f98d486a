// ObjectCounts is the number of objects of each resource and namespace. Copies are cheap and do not
// change when the original does: parts are shared until either side is written.
//
// Threads: a value; the store guards its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace kulisse::storage {

class ObjectCounts {
 public:
  // The copy that a snapshot keeps.
  [[nodiscard]] ObjectCounts Share();

  // Sets the number of one namespace ("" for objects without).
  void Set(std::string_view resource, std::string_view ns, uint64_t count);
  // Objects in exactly this namespace.
  [[nodiscard]] uint64_t Exact(std::string_view resource, std::string_view ns) const;
  // Objects of the resource, in the namespace unless "".
  [[nodiscard]] uint64_t Of(std::string_view resource, std::string_view ns) const;

 private:
  struct Resource {
    uint64_t generation = 0;  // of the owner that may change it
    uint64_t total = 0;
    std::map<std::string, uint64_t, std::less<>> by_ns;
  };
  using Resources = std::map<std::string, std::shared_ptr<Resource>, std::less<>>;

  // Grows with each Share(): parts with an older number are shared and must be copied first.
  uint64_t generation_ = 1;
  uint64_t resources_generation_ = 0;
  std::shared_ptr<Resources> resources_ = std::make_shared<Resources>();
};

}  // namespace kulisse::storage
