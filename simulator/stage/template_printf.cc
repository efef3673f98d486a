// printf: Go's verbs %v %s %q %d %t %x %f with flags '-', '0', '+', width and precision. A verb
// that does not fit its argument prints what Go prints: %!d(string=a).
#include <fmt/format.h>

#include "base/json/write.h"
#include "base/status.h"
#include "simulator/stage/template_functions.h"

namespace kulisse::simulator {

namespace {

struct Verb {
  bool left = false;
  bool zero = false;
  bool plus = false;
  size_t width = 0;
  int precision = -1;
  char letter = '\0';
};
constexpr size_t kWidthMax = 1'000;

// Reads what follows the '%'. Returns its length, 0 when it is malformed.
size_t ReadVerb(std::string_view text, Verb* verb) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '-')
      verb->left = true;
    else if (text[at] == '0')
      verb->zero = true;
    else if (text[at] == '+')
      verb->plus = true;
    else
      break;
  }
  const auto number = [&] {
    size_t value = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      value = std::min(value * 10 + static_cast<size_t>(text[at] - '0'), kWidthMax);
    }
    return value;
  };
  verb->width = number();
  if (at < text.size() && text[at] == '.') {
    ++at;
    verb->precision = static_cast<int>(number());
  }
  if (at >= text.size()) return 0;
  verb->letter = text[at];
  return at + 1;
}

std::string_view GoType(const Operand& operand) {
  if (operand.IsString()) return "string";
  if (operand.IsArray()) return "[]interface {}";
  if (operand.IsObject()) return "map[string]interface {}";
  if (operand.value->IsBool()) return "bool";
  return operand.value->IsInt() ? "int" : "float64";
}

std::string Plain(const Operand& operand) {
  std::string text;
  if (operand.IsNil()) return "<nil>";
  AppendPrinted(operand, &text);
  return text;
}

std::string Mismatch(char letter, const Operand& operand) {
  if (operand.IsNil()) return fmt::format("%!{}(<nil>)", letter);
  return fmt::format("%!{}({}={})", letter, GoType(operand), Plain(operand));
}

bool FormatNumber(const Verb& verb, const json::Value& value, std::string* text) {
  if (verb.letter == 'f') {
    *text = fmt::format("{:.{}f}", value.AsDouble(), verb.precision < 0 ? 6 : verb.precision);
  } else if (!value.IsInt()) {
    return false;
  } else if (verb.letter == 'x') {
    *text = fmt::format("{:x}", value.AsInt());
  } else {
    *text = fmt::format("{}", value.AsInt());
  }
  if (verb.plus && (*text)[0] != '-') text->insert(0, 1, '+');
  return true;
}

bool Format(TemplateCall& call, const Verb& verb, const Operand& operand, std::string* text) {
  const bool number = !operand.IsNil() && operand.IsNumber();
  switch (verb.letter) {
    case 'v':
      *text = Plain(operand);
      break;
    case 's':
      // A number of the data is a string to Go.
      *text = operand.IsNil() || (number && operand.computed) ||
                      (!operand.IsNil() && operand.value->IsBool())
                  ? Mismatch('s', operand)
                  : Plain(operand);
      break;
    case 'q':
      if (operand.IsString() || (number && !operand.computed))
        *text = GoQuote(Plain(operand));
      else
        *text = Mismatch('q', operand);
      break;
    case 't':
      *text = !operand.IsNil() && operand.value->IsBool() ? Plain(operand) : Mismatch('t', operand);
      break;
    case 'd':
    case 'x':
    case 'f':
      if (!number || !FormatNumber(verb, *operand.value, text)) {
        *text = Mismatch(verb.letter, operand);
      }
      break;
    default:
      return call.Fail(fmt::format("verb %{} is not supported", verb.letter));
  }
  if (verb.precision >= 0 && (verb.letter == 's' || verb.letter == 'v') && operand.IsString()) {
    text->resize(std::min(text->size(), static_cast<size_t>(verb.precision)));
  }
  if (text->size() >= verb.width) return true;
  const size_t missing = verb.width - text->size();
  if (verb.left) {
    text->append(missing, ' ');
  } else if (verb.zero && number) {
    const size_t sign = (*text)[0] == '-' || (*text)[0] == '+' ? 1 : 0;
    text->insert(sign, missing, '0');
  } else {
    text->insert(0, missing, ' ');
  }
  return true;
}

}  // namespace

bool CallPrintf(TemplateCall& call, Arguments arguments, Operand* result) {
  if (!arguments[0].IsString()) return call.Fail("the format must be a string");
  const std::string_view format = arguments[0].value->AsString();
  std::string text;
  size_t next = 1;
  for (size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      text += format[at];
      continue;
    }
    Verb verb;
    const size_t length = ReadVerb(format.substr(at + 1), &verb);
    if (length == 0) return call.Fail("the format ends within a verb");
    at += length;
    if (verb.letter == '%') {
      text += '%';
      continue;
    }
    if (next >= arguments.size()) return call.Fail("missing argument for a verb");
    std::string part;
    if (!Format(call, verb, arguments[next++], &part)) return false;
    text += part;
  }
  if (next < arguments.size()) return call.Fail("more arguments than verbs");
  *result = call.KeepString(text);
  return true;
}

}  // namespace kulisse::simulator
