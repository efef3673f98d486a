#include "openapi/validation/walk.h"

#include <algorithm>
#include <iterator>

#include "base/json/write.h"
#include "openapi/validation/go_diff.h"

namespace kulisse::openapi {

std::string Path::ToString() const {
  std::string text = parent_ == nullptr ? std::string() : parent_->ToString();
  if (index_ == kKey) return text + fmt::format("[{}]", name_);
  if (index_ != kNoIndex) return text + fmt::format("[{}]", index_);
  if (name_.empty()) return text;
  if (!text.empty()) text += '.';
  return text.append(name_);
}

bool NameSet::Insert(std::string_view name) {
  if (Has(name)) return false;
  if (many_.empty() && few_.size() < kFew) {
    few_.push_back(name);
    return true;
  }
  many_.insert(few_.begin(), few_.end());
  few_.clear();
  many_.insert(name);
  return true;
}

bool NameSet::Has(std::string_view name) const {
  if (!many_.empty()) return many_.contains(name);
  return std::ranges::find(few_, name) != few_.end();
}

const Value* PodScope::FindVolume(std::string_view name) const {
  const auto it =
      std::ranges::lower_bound(volumes, name, {}, [](const auto& volume) { return volume.first; });
  return it != volumes.end() && it->first == name ? it->second : nullptr;
}

bool Same(const Value* a, const Value* b) {
  if (a == nullptr || b == nullptr) return IsEmpty(a) && IsEmpty(b);
  return *a == *b;
}

std::string ValueText(const Value& value) { return json::ToString(value); }

void Walk::Required(const Path& path, std::string_view detail) {
  errors_->push_back(FieldError::Required(path.ToString(), detail));
}

void Walk::Invalid(const Path& path, std::string_view text, std::string_view detail) {
  errors_->push_back(FieldError::Invalid(path.ToString(), GoQuote(text), detail));
}

void Walk::Invalid(const Path& path, int64_t number, std::string_view detail) {
  errors_->push_back(FieldError::Invalid(path.ToString(), std::to_string(number), detail));
}

void Walk::Invalid(const Path& path, const Value& value, std::string_view detail) {
  errors_->push_back(FieldError::Invalid(path.ToString(), json::ToString(value), detail));
}

void Walk::Invalid(const Path& path, const Value* value, std::string_view detail) {
  static const Value kNull;
  Invalid(path, value == nullptr ? kNull : *value, detail);
}

void Walk::Invalid(const Path& path, const Value& value, TypeId type, std::string_view detail) {
  errors_->push_back(FieldError::Invalid(path.ToString(), GoJson(value, type), detail));
}

void Walk::Forbidden(const Path& path, std::string_view detail) {
  errors_->push_back(FieldError::Forbidden(path.ToString(), detail));
}

void Walk::NotSupported(const Path& path, std::string_view text,
                        const std::vector<std::string>& supported) {
  errors_->push_back(FieldError::NotSupported(path.ToString(), GoQuote(text), supported));
}

void Walk::NotSupported(const Path& path, const Value& value, TypeId type,
                        const std::vector<std::string>& supported) {
  errors_->push_back(FieldError::NotSupported(path.ToString(), GoJson(value, type), supported));
}

void Walk::NotSupportedValue(const Path& path, std::string_view value,
                             const std::vector<std::string>& supported) {
  errors_->push_back(FieldError::NotSupported(path.ToString(), value, supported));
}

void Walk::InvalidWithoutValue(const Path& path, std::string_view detail) {
  errors_->push_back(
      {FieldError::Type::kInvalid, path.ToString(), fmt::format("Invalid value: {}", detail)});
}

void Walk::InvalidText(const Path& path, std::string_view value, std::string_view detail) {
  errors_->push_back(FieldError::Invalid(path.ToString(), value, detail));
}

void Walk::Duplicate(const Path& path, const Value& value, TypeId type, std::string_view detail) {
  FieldError error = FieldError::Duplicate(path.ToString(), GoJson(value, type));
  if (!detail.empty()) error.detail += fmt::format(": {}", detail);
  errors_->push_back(std::move(error));
}

void Walk::Duplicate(const Path& path, int64_t number) {
  errors_->push_back(FieldError::Duplicate(path.ToString(), std::to_string(number)));
}

void Walk::Duplicate(const Path& path, std::string_view text) {
  errors_->push_back(FieldError::Duplicate(path.ToString(), GoQuote(text)));
}

void Walk::NotFound(const Path& path, std::string_view text, std::string_view detail) {
  FieldError error = FieldError::NotFound(path.ToString(), GoQuote(text));
  if (!detail.empty()) error.detail += fmt::format(": {}", detail);
  errors_->push_back(std::move(error));
}

void Walk::TooLong(const Path& path, int64_t max) {
  errors_->push_back(FieldError::TooLong(path.ToString(), max));
}

void Walk::Internal(const Path& path, std::string_view detail) {
  errors_->push_back(
      {FieldError::Type::kInternal, path.ToString(), fmt::format("Internal error: {}", detail)});
}

void Walk::TooMany(const Path& path, size_t count, size_t max) {
  errors_->push_back(FieldError::TooMany(path.ToString(), count, max));
}

void Walk::Messages(const Path& path, std::string_view text, const openapi::Messages& messages) {
  for (const std::string& message : messages) Invalid(path, text, message);
}

void Walk::Enum(const Path& path, std::string_view text,
                std::initializer_list<const char*> supported) {
  if (std::ranges::find(supported, text) != supported.end()) return;
  NotSupported(path, text, {supported.begin(), supported.end()});
}

void Walk::Immutable(const Path& path, const Value* now, const Value* before,
                     std::string_view detail) {
  if (!Same(now, before)) Invalid(path, now, detail);
}

void Walk::Add(FieldErrors errors) {
  errors_->insert(errors_->end(), std::make_move_iterator(errors.begin()),
                  std::make_move_iterator(errors.end()));
}

}  // namespace kulisse::openapi
