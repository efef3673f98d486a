// Layout of a value: u8 method; for kZstd a varint with the dictionary's id (0: none) and a frame.
#include "storage/value_codec.h"

#include <zstd.h>

#include "base/assert.h"
#include "base/limits.h"
#include "storage/coding.h"

namespace kulisse::storage {
namespace {

enum class Method : uint8_t { kBare = 0, kZstd = 1 };

// Below this, plain zstd gains little and costs a look at every byte.
constexpr size_t kPlainBytesMin = 512;
// The same with a dictionary, where nearly all of a small record is found in it.
constexpr size_t kDictionaryBytesMin = 64;

std::unexpected<EngineError> Malformed(std::string_view what) {
  return std::unexpected("a stored record is damaged: " + std::string(what));
}

}  // namespace

std::string DictionaryKey(const Dictionary& dictionary) {
  std::string key(kDictionaryPrefix);
  AppendBigEndian64(dictionary.id, &key);
  return key;
}

std::string DictionaryValue(const Dictionary& dictionary) {
  std::string value;
  AppendSized(dictionary.resource, &value);
  value.append(dictionary.bytes);
  return value;
}

std::optional<Dictionary> ParseDictionary(std::string_view key, std::string_view value) {
  ByteReaderView key_reader(key.substr(std::min(key.size(), kDictionaryPrefix.size())));
  const uint64_t id = key_reader.BigEndian64();
  ByteReaderView reader(value);
  Dictionary dictionary{.id = static_cast<uint32_t>(id), .resource = {}, .bytes = {}};
  dictionary.resource = reader.Sized();
  dictionary.bytes = reader.rest();
  if (!key_reader.ok() || !reader.ok() || id == 0 || id > UINT32_MAX) return std::nullopt;
  return dictionary;
}

struct ValueCodec::Compressor {
  uint32_t id = 0;
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_CDict, size_t (*)(ZSTD_CDict*)> dictionary{nullptr, ZSTD_freeCDict};
};

struct ValueCodec::Decompressor {
  std::unique_ptr<ZSTD_DDict, size_t (*)(ZSTD_DDict*)> dictionary{nullptr, ZSTD_freeDDict};
};

// Contexts for decompression: as many as threads that ever read at the same time.
class ValueCodec::ContextPool {
 public:
  using Context = std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)>;

  Context Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        Context context = std::move(free_.back());
        free_.pop_back();
        return context;
      }
    }
    return {ZSTD_createDCtx(), ZSTD_freeDCtx};
  }
  void Return(Context context) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(context));
  }

 private:
  std::mutex mutex_;
  std::vector<Context> free_;
};

ValueCodec::ValueCodec()
    : plain_(std::make_unique<Compressor>()), contexts_(std::make_unique<ContextPool>()) {
  ZSTD_CCtx_setParameter(plain_->context.get(), ZSTD_c_compressionLevel, kLevel);
}

ValueCodec::~ValueCodec() = default;

void ValueCodec::Use(const Dictionary& dictionary) {
  auto decompressor = std::make_unique<Decompressor>();
  decompressor->dictionary.reset(
      ZSTD_createDDict(dictionary.bytes.data(), dictionary.bytes.size()));
  KULISSE_ASSERT(decompressor->dictionary != nullptr);
  {
    const std::unique_lock lock(decompressors_mutex_);
    decompressors_.try_emplace(dictionary.id, std::move(decompressor));
  }
  std::unique_ptr<Compressor>& compressor = compressors_[dictionary.resource];
  if (compressor != nullptr && compressor->id >= dictionary.id) return;
  compressor = std::make_unique<Compressor>();
  compressor->id = dictionary.id;
  compressor->dictionary.reset(
      ZSTD_createCDict(dictionary.bytes.data(), dictionary.bytes.size(), kLevel));
  KULISSE_ASSERT(compressor->dictionary != nullptr);
  ZSTD_CCtx* context = compressor->context.get();
  ZSTD_CCtx_refCDict(context, compressor->dictionary.get());
  // The value names the dictionary already.
  ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
}

void ValueCodec::Encode(std::string_view resource, std::string_view record, std::string* out) {
  const auto it = compressors_.find(resource);
  Compressor& compressor = it == compressors_.end() ? *plain_ : *it->second;
  if (record.size() >= (compressor.id == 0 ? kPlainBytesMin : kDictionaryBytesMin)) {
    scratch_.resize(ZSTD_compressBound(record.size()));
    const size_t size = ZSTD_compress2(compressor.context.get(), scratch_.data(), scratch_.size(),
                                       record.data(), record.size());
    if (!ZSTD_isError(size) && size < record.size()) {
      out->push_back(static_cast<char>(Method::kZstd));
      AppendVarint(compressor.id, out);
      out->append(scratch_, 0, size);
      return;
    }
  }
  out->push_back(static_cast<char>(Method::kBare));
  out->append(record);
}

std::expected<RecordPtr, EngineError> ValueCodec::Decode(std::string_view value) const {
  ByteReaderView reader(value);
  const uint8_t method = reader.Byte();
  std::string bytes;
  if (method == static_cast<uint8_t>(Method::kZstd)) {
    const uint64_t id = reader.Varint();
    const std::string_view frame = reader.rest();
    const ZSTD_DDict* dictionary = nullptr;
    if (id != 0) {
      const std::shared_lock lock(decompressors_mutex_);
      const auto it = decompressors_.find(id);
      if (it == decompressors_.end()) return Malformed("its dictionary is not there");
      dictionary = it->second->dictionary.get();
    }
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    // The error values of that function are the largest numbers.
    if (!reader.ok() || size > kRecordBytesMax) return Malformed("its size is wrong");
    bytes.resize(size);
    ContextPool::Context context = contexts_->Take();
    const size_t got = ZSTD_decompress_usingDDict(context.get(), bytes.data(), bytes.size(),
                                                  frame.data(), frame.size(), dictionary);
    contexts_->Return(std::move(context));
    if (ZSTD_isError(got) || got != size) return Malformed("it does not decompress");
  } else if (method == static_cast<uint8_t>(Method::kBare) && reader.ok()) {
    bytes = reader.rest();
  } else {
    return Malformed("its first byte is unknown");
  }
  std::optional<Record> record = Record::Decode(std::move(bytes));
  if (!record) return Malformed("it is no record");
  return std::make_shared<const Record>(std::move(*record));
}

}  // namespace kulisse::storage
