#include "storage/event.h"

namespace kulisse::storage {

std::shared_ptr<const std::string> Event::Encoding(uint64_t id,
                                                   const std::function<std::string()>& make) const {
  // The maker runs under the lock: of many watchers that ask at once, one makes, the rest wait for
  // it instead of making the same.
  const std::lock_guard lock(encodings_mutex_);
  for (const auto& [known, bytes] : encodings_) {
    if (known == id) return bytes;
  }
  auto bytes = std::make_shared<const std::string>(make());
  encodings_.emplace_back(id, bytes);
  return bytes;
}

}  // namespace kulisse::storage
