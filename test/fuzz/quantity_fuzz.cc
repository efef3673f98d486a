// Goal: quantities bear any text, and what is accepted prints so that it reads back equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "openapi/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using kulisse::openapi::Quantity;
  const auto quantity = Quantity::Parse({reinterpret_cast<const char*>(data), size});
  if (!quantity) return 0;
  const auto again = Quantity::Parse(quantity->ToString());
  if (!again || *again != *quantity) std::abort();
  Quantity sum = *quantity;
  sum += *quantity;
  sum -= *quantity;
  if (sum.Sign() * quantity->Sign() < 0) std::abort();
  (void)quantity->Value();
  (void)quantity->MilliValue();
  return 0;
}
