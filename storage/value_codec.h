// ValueCodec turns records into the values that an engine keeps, and back: zstd with a dictionary
// trained from the resource's own records once there is one, plain zstd for bigger records before,
// and the bare record where compressing does not pay.
//
// Every value names the dictionary it needs, so records written with older ones stay readable.
//
// Owns: dictionaries and zstd's contexts.
// Threads: Encode() and Use() by the store's writer alone; Decode() from any thread.
// Errors: Decode() refuses what Encode() cannot have made.
// Limits: kRecordBytesMax.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine.h"
#include "storage/record.h"

namespace kulisse::storage {

struct Dictionary {
  uint32_t id = 0;  // > 0
  std::string resource;
  std::string bytes;
};

// The row of Space::kMeta that keeps a dictionary: its key begins with kDictionaryPrefix.
inline constexpr std::string_view kDictionaryPrefix = "dictionary/";
[[nodiscard]] std::string DictionaryKey(const Dictionary& dictionary);
[[nodiscard]] std::string DictionaryValue(const Dictionary& dictionary);
[[nodiscard]] std::optional<Dictionary> ParseDictionary(std::string_view key,
                                                        std::string_view value);

class ValueCodec {
 public:
  static constexpr int kLevel = 1;  // of zstd

  ValueCodec();
  ~ValueCodec();

  // From now on records of dictionary.resource are compressed with it, unless a newer one (by id)
  // is in use already. The caller stores the dictionary with or before the first such record.
  void Use(const Dictionary& dictionary);

  // Appends the value of a record's bytes to `out`.
  void Encode(std::string_view resource, std::string_view record, std::string* out);
  [[nodiscard]] std::expected<RecordPtr, EngineError> Decode(std::string_view value) const;

 private:
  struct Compressor;
  struct Decompressor;
  class ContextPool;

  std::unique_ptr<Compressor> plain_;
  std::map<std::string, std::unique_ptr<Compressor>, std::less<>> compressors_;
  std::string scratch_;

  mutable std::shared_mutex decompressors_mutex_;
  std::map<uint64_t, std::unique_ptr<Decompressor>> decompressors_;  // never removed
  std::unique_ptr<ContextPool> contexts_;
};

}  // namespace kulisse::storage
