#include "simulator/sprig/sprig.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.h"

namespace kulisse::simulator {

namespace {

constexpr std::string_view kRefused[] = {"bcrypt",
                                         "buildCustomCert",
                                         "decryptAES",
                                         "derivePassword",
                                         "encryptAES",
                                         "env",
                                         "expandenv",
                                         "genCA",
                                         "genCAWithKey",
                                         "genPrivateKey",
                                         "genSelfSignedCert",
                                         "genSelfSignedCertWithKey",
                                         "genSignedCert",
                                         "genSignedCertWithKey",
                                         "getHostByName",
                                         "htpasswd"};

// As Go's strconv with base 0, which cast uses: 12, -3, 0x1f; blanks and other text give 0.
int64_t ParseAnyInt(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (const size_t dot = text.find('.'); dot != std::string_view::npos) {
    const bool zeros = text.substr(dot + 1).find_first_not_of('0') == std::string_view::npos;
    if (zeros && dot + 1 < text.size()) text = text.substr(0, dot);
  }
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc{} || stop != end || text.starts_with('-')) return 0;
  return negative ? -number : number;
}

}  // namespace

const TemplateFunction* FindSprigFunction(std::string_view name) {
  static const auto functions = [] {
    std::map<std::string_view, const TemplateFunction*> all;
    for (const auto table :
         {SprigStrings(), SprigCollections(), SprigNumbers(), SprigEncodings(), SprigDates()}) {
      for (const TemplateFunction& function : table) all[function.name] = &function;
    }
    return all;
  }();
  const auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

bool IsRefusedSprigFunction(std::string_view name) {
  return std::ranges::find(kRefused, name) != std::end(kRefused);
}

std::string StringValue(const Operand& operand) {
  if (operand.IsNil()) return "<nil>";
  std::string text;
  AppendPrinted(operand, &text);
  return text;
}

bool IsEmpty(const Operand& operand) { return !operand.is_time && !operand.Truth(); }

int64_t ToInt64(const Operand& operand) {
  if (operand.IsNil()) return 0;
  const json::Value& value = *operand.value;
  if (value.IsBool()) return value.AsBool() ? 1 : 0;
  if (value.IsString()) return ParseAnyInt(value.AsString());
  if (!value.IsNumber()) return 0;
  if (value.IsInt()) return value.AsInt();
  constexpr double kEnd = 9.2e18;
  const double number = value.AsDouble();
  return std::isnan(number) ? 0 : static_cast<int64_t>(std::clamp(number, -kEnd, kEnd));
}

double ToFloat64(const Operand& operand) {
  if (operand.IsNil()) return 0;
  const json::Value& value = *operand.value;
  if (value.IsBool()) return value.AsBool() ? 1 : 0;
  if (value.IsNumber()) return value.AsDouble();
  std::string_view text = TextOf(operand);
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end ? number : 0;
}

json::Value CopyOf(TemplateCall& call, const Operand& operand) {
  if (operand.IsNil()) return {};
  if (operand.is_time) return json::Value::String(StringValue(operand), call.arena());
  return operand.value->CloneSharingStrings(call.arena());
}

bool GiveTexts(TemplateCall& call, const std::vector<std::string>& texts, Operand* result) {
  json::Value list = json::Value::Array();
  for (const std::string& text : texts) {
    list.PushBack(json::Value::String(text, call.arena()), call.arena());
  }
  *result = call.Keep(std::move(list));
  return true;
}

}  // namespace kulisse::simulator
