// Bytes that come back from a disk: whatever decodes as a record encodes to the same bytes, and
// nothing crashes, neither records, nor compressed values, nor dictionaries.
#include <cstdlib>
#include <string>

#include "storage/record.h"
#include "storage/value_codec.h"

namespace {

using kulisse::storage::ParseDictionary;
using kulisse::storage::Record;
using kulisse::storage::RecordContent;
using kulisse::storage::ValueCodec;

void CheckRecord(const Record& record) {
  RecordContent content;
  content.labels = record.Labels();
  content.fields = record.Fields();
  content.uid = record.uid();
  content.deleting = record.deleting();
  content.rv_offset = record.rv_offset();
  content.json = record.json();
  if (Record::Encode(content, record.revision()) != record.bytes()) std::abort();
  std::string object;
  record.AppendObject("", record.revision(), &object);
  if (object.size() <= record.json().size()) std::abort();
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
