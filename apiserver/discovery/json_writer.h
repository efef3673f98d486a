// JsonWriter appends JSON text to a string as it is told, with the commas. For documents that
// are made from tables, where a tree of values would only be thrown away.
//
// Borrows: the string. Threads: one.
// REQUIRES: calls that make well-formed JSON (a name before each value in an object).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json/write.h"

namespace kulisse::apiserver {

class JsonWriter {
 public:
  explicit JsonWriter(std::string* out) : out_(*out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Name(std::string_view name) {
    Comma();
    json::AppendString(name, &out_);
    out_.push_back(':');
    first_ = true;
  }
  void String(std::string_view text) {
    Comma();
    json::AppendString(text, &out_);
  }
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  // JSON text as it is.
  void Raw(std::string_view json) {
    Comma();
    out_.append(json);
  }

  void Object(std::string_view name) {
    Name(name);
    BeginObject();
  }
  void Array(std::string_view name) {
    Name(name);
    BeginArray();
  }
  void String(std::string_view name, std::string_view text) {
    Name(name);
    String(text);
  }
  void Bool(std::string_view name, bool value) {
    Name(name);
    Bool(value);
  }
  void Raw(std::string_view name, std::string_view json) {
    Name(name);
    Raw(json);
  }

 private:
  void Comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  void Open(char bracket) {
    Comma();
    out_.push_back(bracket);
    first_ = true;
  }
  void Close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace kulisse::apiserver
