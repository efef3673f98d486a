// Bytes that come back from a disk: whatever decodes as a record encodes to the same bytes, and
// nothing crashes, neither records, nor compressed values, nor dictionaries.
#include <cstdlib>
#include <string>

#include "storage/record.h"
#include "storage/value_codec.h"

namespace {

using kulisse::storage::ParseDictionary;
using kulisse::storage::Record;
using kulisse::storage::ValueCodec;

void CheckRecord(const Record& record) {
  if (Record::Encode(record.Content(), record.revision()) != record.bytes()) std::abort();
  std::string object;
  record.AppendObject("", record.revision(), &object);
  // Revision 0 is not shown.
  const size_t shown = record.revision().value != 0 ? 1 : 0;
  if (object.size() < record.json().size() + shown) std::abort();
  std::string unmanaged;
  record.AppendUnmanaged(record.revision(), &unmanaged);
  if (unmanaged.size() > object.size()) std::abort();
  if (record.managed_fields().size() > object.size() - unmanaged.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (const auto record = Record::Decode(bytes)) CheckRecord(*record);
  static const ValueCodec codec;
  if (const auto record = codec.Decode(bytes)) CheckRecord(**record);
  (void)ParseDictionary(bytes, bytes);
  return 0;
}
