// Any bytes as a message of some types: decoding ends with a value or an error, and a value
// survives encoding and decoding again.
//
// Input: one byte that picks the type, then the message (or an envelope, which must not crash).
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "openapi/protobuf.h"

namespace {

constexpr std::string_view kTypes[] = {
    "io.k8s.api.core.v1.Pod",
    "io.k8s.api.core.v1.Secret",
    "io.k8s.api.core.v1.NodeList",
    "io.k8s.api.apps.v1.Deployment",
    "io.k8s.api.coordination.v1.Lease",
    "io.k8s.api.authorization.v1.SubjectAccessReview",
    "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const kulisse::openapi::TypeTable& table = kulisse::openapi::TypeTable::BuiltIn();
  const auto pick = static_cast<unsigned char>(input[0]) % std::size(kTypes);
  const kulisse::openapi::TypeId type = table.Find(kTypes[pick]);
  KULISSE_ASSERT(type != kulisse::openapi::kNoType);
  std::string_view message = input.substr(1);
  if (const auto envelope = kulisse::openapi::DecodeEnvelope(message)) message = envelope->raw;

  kulisse::json::Arena arena;
  const auto value = kulisse::openapi::DecodeMessage(message, type, table, arena);
  if (!value) return 0;
  std::string bytes;
  kulisse::openapi::AppendMessage(*value, type, table, &bytes);
  const auto again = kulisse::openapi::DecodeMessage(bytes, type, table, arena);
  KULISSE_ASSERT(again.has_value());
  std::string twice;
  kulisse::openapi::AppendMessage(*again, type, table, &twice);
  KULISSE_ASSERT(twice == bytes);
  return 0;
}
