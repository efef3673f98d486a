#include "apiserver/discovery/openapi_protobuf.h"

#include <cstdint>
#include <string_view>

#include "base/json/write.h"

namespace kulisse::apiserver {
namespace {

using json::Member;
using json::Value;

// Message appends the fields of one protobuf message to a string. Numbers in this file are those of
// OpenAPIv2.proto.
class Message {
 public:
  explicit Message(std::string* out) : out_(*out) {}

  void Bytes(uint32_t number, std::string_view bytes) {
    constexpr uint32_t kLengthDelimited = 2;
    Varint(number << 3 | kLengthDelimited);
    Varint(bytes.size());
    out_.append(bytes);
  }
  void Bool(uint32_t number, bool value) {
    if (!value) return;
    Varint(number << 3);
    Varint(1);
  }
  // The member of that name when it is a string, each of it when it is an array of strings.
  void Text(uint32_t number, const Value& from, std::string_view name) {
    const Value* value = from.Find(name);
    if (value == nullptr) return;
    if (value->IsString()) Bytes(number, value->AsString());
    for (const Value& element : value->elements()) Bytes(number, element.AsString());
  }
  void Bool(uint32_t number, const Value& from, std::string_view name) {
    const Value* value = from.Find(name);
    if (value != nullptr && value->IsBool()) Bool(number, value->AsBool());
  }
  // A message that `write(value, &text)` makes of the member of that name, if it is there.
  template <typename Write>
  void Nested(uint32_t number, const Value& from, std::string_view name, Write write) {
    const Value* value = from.Find(name);
    if (value == nullptr) return;
    std::string text;
    write(*value, &text);
    Bytes(number, text);
  }
  // A Named… message {1: name, 2: value} for a member.
  template <typename Write>
  void Named(uint32_t number, const Member& member, Write write) {
    std::string value;
    write(member.value, &value);
    std::string named;
    Message message(&named);
    message.Bytes(1, member.name);
    message.Bytes(2, value);
    Bytes(number, named);
  }

 private:
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }

  std::string& out_;
};

// Wraps what `write` makes of the value as field `number`: the messages that only hold a oneof.
template <typename Write>
void Wrap(uint32_t number, const Value& value, std::string* out, Write write) {
  std::string text;
  write(value, &text);
  Message(out).Bytes(number, text);
}

// Any{yaml}: JSON is YAML.
void AppendAny(const Value& value, std::string* out) {
  Message(out).Bytes(2, json::ToString(value) + "\n");
}

void AppendExtensions(uint32_t number, const Value& from, Message* message) {
  for (const Member& member : from.members()) {
    if (member.name.starts_with("x-")) message->Named(number, member, AppendAny);
  }
}

void AppendSchema(const Value& schema, std::string* out) {
  Message message(out);
  message.Text(1, schema, "$ref");
  message.Text(2, schema, "format");
  message.Text(4, schema, "description");
  message.Text(19, schema, "required");
  if (const Value* words = schema.Find("enum"); words != nullptr) {
    for (const Value& word : words->elements()) {
      std::string any;
      AppendAny(word, &any);
      message.Bytes(20, any);
    }
  }
  message.Nested(21, schema, "additionalProperties",
                 [](const Value& value, std::string* text) { Wrap(1, value, text, AppendSchema); });
  if (schema.Find("type") != nullptr) {
    std::string item;
    Message(&item).Text(1, schema, "type");
    message.Bytes(22, item);
  }
  message.Nested(23, schema, "items",
                 [](const Value& value, std::string* text) { Wrap(1, value, text, AppendSchema); });
  message.Nested(25, schema, "properties", [](const Value& value, std::string* text) {
    for (const Member& member : value.members()) Message(text).Named(1, member, AppendSchema);
  });
  AppendExtensions(31, schema, &message);
}

void AppendBodyParameter(const Value& parameter, std::string* out) {
  Message message(out);
  message.Text(2, parameter, "name");
  message.Text(3, parameter, "in");
  message.Bool(4, parameter, "required");
  message.Nested(5, parameter, "schema", AppendSchema);
}

void AppendPathParameter(const Value& parameter, std::string* out) {
  Message message(out);
  message.Bool(1, parameter, "required");
  message.Text(2, parameter, "in");
  message.Text(4, parameter, "name");
  message.Text(5, parameter, "type");
  message.Bool(18, parameter, "uniqueItems");
}

void AppendQueryParameter(const Value& parameter, std::string* out) {
  Message message(out);
  message.Bool(1, parameter, "required");
  message.Text(2, parameter, "in");
  message.Text(4, parameter, "name");
  message.Text(6, parameter, "type");
  message.Bool(20, parameter, "uniqueItems");
}

void AppendParameter(const Value& parameter, std::string* out) {
  const std::string_view in = parameter.FindString({"in"});
  if (in == "body") {
    Wrap(1, parameter, out, AppendBodyParameter);
    return;
  }
  Wrap(2, parameter, out, [in](const Value& value, std::string* text) {
    if (in == "path") {
      Wrap(4, value, text, AppendPathParameter);
    } else {
      Wrap(3, value, text, AppendQueryParameter);
    }
  });
}

// A ParametersItem: a parameter, or a reference to one.
void AppendParametersItem(const Value& item, std::string* out) {
  if (item.Find("$ref") == nullptr) {
    Wrap(1, item, out, AppendParameter);
    return;
  }
  Wrap(2, item, out,
       [](const Value& value, std::string* text) { Message(text).Text(1, value, "$ref"); });
}

void AppendParameters(uint32_t number, const Value& from, Message* message) {
  const Value* parameters = from.Find("parameters");
  if (parameters == nullptr) return;
  for (const Value& item : parameters->elements()) {
    std::string text;
    AppendParametersItem(item, &text);
    message->Bytes(number, text);
  }
}

void AppendResponse(const Value& response, std::string* out) {
  Message message(out);
  message.Text(1, response, "description");
  message.Nested(2, response, "schema",
                 [](const Value& value, std::string* text) { Wrap(1, value, text, AppendSchema); });
}

void AppendResponses(const Value& responses, std::string* out) {
  for (const Member& member : responses.members()) {
    Message(out).Named(1, member, [](const Value& value, std::string* text) {
      Wrap(1, value, text, AppendResponse);
    });
  }
}

void AppendOperation(const Value& operation, std::string* out) {
  Message message(out);
  message.Text(1, operation, "tags");
  message.Text(5, operation, "operationId");
  message.Text(6, operation, "produces");
  message.Text(7, operation, "consumes");
  AppendParameters(8, operation, &message);
  message.Nested(9, operation, "responses", AppendResponses);
  message.Text(10, operation, "schemes");
  AppendExtensions(13, operation, &message);
}

void AppendPathItem(const Value& item, std::string* out) {
  Message message(out);
  message.Nested(2, item, "get", AppendOperation);
  message.Nested(3, item, "put", AppendOperation);
  message.Nested(4, item, "post", AppendOperation);
  message.Nested(5, item, "delete", AppendOperation);
  message.Nested(6, item, "options", AppendOperation);
  message.Nested(7, item, "head", AppendOperation);
  message.Nested(8, item, "patch", AppendOperation);
  AppendParameters(9, item, &message);
}

void AppendInfo(const Value& info, std::string* out) {
  Message message(out);
  message.Text(1, info, "title");
  message.Text(2, info, "version");
}

void AppendApiKey(const Value& key, std::string* out) {
  Message message(out);
  message.Text(1, key, "type");
  message.Text(2, key, "name");
  message.Text(3, key, "in");
}

}  // namespace

void AppendOpenApiV2Document(const Value& document, std::string* out) {
  Message message(out);
  message.Text(1, document, "swagger");
  message.Nested(2, document, "info", AppendInfo);
  message.Nested(8, document, "paths", [](const Value& paths, std::string* text) {
    for (const Member& member : paths.members()) Message(text).Named(2, member, AppendPathItem);
  });
  message.Nested(9, document, "definitions", [](const Value& definitions, std::string* text) {
    for (const Member& member : definitions.members()) {
      Message(text).Named(1, member, AppendSchema);
    }
  });
  message.Nested(10, document, "parameters", [](const Value& parameters, std::string* text) {
    for (const Member& member : parameters.members()) {
      Message(text).Named(1, member, AppendParameter);
    }
  });
  if (const Value* security = document.Find("security"); security != nullptr) {
    for (const Value& requirement : security->elements()) {
      std::string text;
      for (const Member& member : requirement.members()) {
        Message(&text).Named(1, member, [](const Value&, std::string*) {});
      }
      message.Bytes(12, text);
    }
  }
  message.Nested(13, document, "securityDefinitions", [](const Value& all, std::string* text) {
    for (const Member& member : all.members()) {
      Message(text).Named(1, member, [](const Value& value, std::string* item) {
        Wrap(2, value, item, AppendApiKey);
      });
    }
  });
}

}  // namespace kulisse::apiserver
