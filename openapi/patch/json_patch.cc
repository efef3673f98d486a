#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/json/write.h"
#include "base/limits.h"
#include "base/text.h"
#include "openapi/patch/patch.h"
#include "openapi/typed.h"

namespace kulisse::openapi {

namespace {

using json::Value;

Status Undecodable(std::string_view kind, std::string_view into) {
  return Status::BadRequest(
      fmt::format("error decoding patch: json: cannot unmarshal {} into Go {}", kind, into));
}

// Why an operation did not apply is not told to the client (upstream: NewGenericServerResponse).
Status Rejected() {
  Status status =
      Status::Plain(422, "the server rejected our request due to an error in our request");
  status.reason = "Invalid";
  status.details.emplace();
  return status;
}

Result<void> CheckShape(const Value& patch) {
  if (!patch.IsArray() && !patch.IsNull()) {
    return std::unexpected(Undecodable(GoWordOf(patch), "value of type []handlers.jsonPatchOp"));
  }
  for (const Value& operation : patch.elements()) {
    if (operation.IsNull()) continue;
    if (!operation.IsObject()) {
      return std::unexpected(
          Undecodable(GoWordOf(operation), "value of type handlers.jsonPatchOp"));
    }
    for (const std::string_view name : {"op", "path", "from"}) {
      const Value* member = operation.Find(name);
      if (member == nullptr || member->IsNull() || member->IsString()) continue;
      return std::unexpected(Undecodable(
          GoWordOf(*member), fmt::format("struct field jsonPatchOp.{} of type string", name)));
    }
  }
  if (patch.size() > kJsonPatchOperationsMax) {
    return std::unexpected(Status::RequestEntityTooLarge(
        fmt::format("The allowed maximum operations in a JSON patch is {}, got {}",
                    kJsonPatchOperationsMax, patch.size())));
  }
  return {};
}

// RFC 6901: "~1" is "/", "~0" is "~".
std::string DecodeToken(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size(); ++i) {
    const char next = token[i] == '~' && i + 1 < token.size() ? token[i + 1] : '\0';
    if (next == '0' || next == '1') {
      out += next == '1' ? '/' : '~';
      ++i;
    } else {
      out += token[i];
    }
  }
  return out;
}

// As the raw texts of leaves are compared upstream: 1 is not 1.0.
bool SameValue(const Value& a, const Value& b) {
  if (a.IsNumber() && b.IsNumber()) return a.type() == b.type() && a == b;
  if (a.IsArray() && b.IsArray()) {
    return std::ranges::equal(a.elements(), b.elements(), SameValue);
  }
  if (a.IsObject() && b.IsObject()) {
    return a.size() == b.size() &&
           std::ranges::all_of(a.members(), [&b](const json::Member& member) {
             const Value* other = b.Find(member.name);
             return other != nullptr && SameValue(member.value, *other);
           });
  }
  return a == b;
}

bool IsDeeperThan(const Value& value, size_t levels) {
  if (!value.IsArray() && !value.IsObject()) return false;
  if (levels == 0) return true;
  const auto deeper = [levels](const Value& child) { return IsDeeperThan(child, levels - 1); };
  return std::ranges::any_of(value.elements(), deeper) ||
         std::ranges::any_of(value.members(), deeper, &json::Member::value);
}

// Applies the operations one by one; each gives false when it does not apply.
class Applier {
 public:
  Applier(Value& root, json::Arena& arena) : root_(root), arena_(arena) {}

  bool Apply(const Value& operation) {
    const std::string_view op = operation.FindString({"op"});
    const auto path = Text(operation, "path");
    if (!path) return false;
    if (op == "add") return Add(*path, ValueOf(operation));
    if (op == "remove") return Remove(*path);
    if (op == "replace") return Replace(*path, ValueOf(operation));
    if (op == "test") return Test(*path, operation.Find("value"));
    const auto from = Text(operation, "from");
    if (op == "move") return from && Move(*from, *path);
    if (op == "copy") return from && Copy(*from, *path);
    return false;
  }

 private:
  struct Place {
    Value* container;  // an object or an array
    std::string key;
  };

  static std::optional<std::string_view> Text(const Value& operation, std::string_view name) {
    const Value* member = operation.Find(name);
    if (member == nullptr || !member->IsString()) return std::nullopt;
    return member->AsString();
  }
  Value ValueOf(const Value& operation) {
    const Value* value = operation.Find("value");
    return value == nullptr ? Value() : value->Clone(arena_);
  }

  // The container that the path's last token is in. What stands before the first '/' is ignored,
  // as upstream does.
  std::optional<Place> Locate(std::string_view path) {
    const auto tokens = Split(path, '/');
    if (tokens.size() < 2) return std::nullopt;
    Value* container = &root_;
    for (size_t i = 1; i + 1 < tokens.size(); ++i) {
      container = Get(*container, DecodeToken(tokens[i])).value_or(nullptr);
      if (container == nullptr) return std::nullopt;
    }
    if (!container->IsObject() && !container->IsArray()) return std::nullopt;
    return Place{container, DecodeToken(tokens.back())};
  }

  // `size` is one more than the list's for additions.
  static std::optional<size_t> Index(std::string_view key, size_t size) {
    const auto index = ParseInt64(key);
    if (!index) return std::nullopt;
    const auto count = static_cast<int64_t>(size);
    if (*index >= count || *index < -count) return std::nullopt;
    return static_cast<size_t>(*index < 0 ? *index + count : *index);
  }

  // Nothing is an error; null is a member that is missing.
  static std::optional<Value*> Get(Value& container, std::string_view key) {
    if (container.IsObject()) return container.Find(key);
    if (!container.IsArray()) return std::nullopt;
    const auto index = Index(key, container.size());
    if (!index) return std::nullopt;
    return &container.elements()[*index];
  }

  bool Add(std::string_view path, Value value) {
    const auto place = Locate(path);
    if (!place) return false;
    if (place->container->IsObject()) {
      place->container->Set(place->key, std::move(value), arena_);
      return true;
    }
    if (place->key == "-") {
      place->container->PushBack(std::move(value), arena_);
      return true;
    }
    const auto index = Index(place->key, place->container->size() + 1);
    if (!index) return false;
    place->container->InsertElement(*index, std::move(value), arena_);
    return true;
  }

  bool Remove(std::string_view path) {
    const auto place = Locate(path);
    if (!place) return false;
    if (place->container->IsObject()) return place->container->Remove(place->key);
    const auto index = Index(place->key, place->container->size());
    if (!index) return false;
    place->container->EraseElement(*index);
    return true;
  }

  bool Replace(std::string_view path, Value value) {
    if (path.empty()) {
      if (!value.IsObject() && !value.IsArray()) return false;
      root_ = std::move(value);
      return true;
    }
    const auto place = Locate(path);
    if (!place) return false;
    const auto current = Get(*place->container, place->key);
    if (!current) return false;
    if (*current != nullptr) {
      **current = std::move(value);
    } else {
      place->container->Set(place->key, std::move(value), arena_);
    }
    return true;
  }

  bool Test(std::string_view path, const Value* wanted) {
    const Value* actual = &root_;
    if (!path.empty()) {
      const auto place = Locate(path);
      const auto found = place ? Get(*place->container, place->key) : std::nullopt;
      if (!found) return false;
      actual = *found;
    }
    const bool wants_null = wanted == nullptr || wanted->IsNull();
    if (actual == nullptr || actual->IsNull()) return wants_null;
    return wanted != nullptr && SameValue(*actual, *wanted);
  }

  bool Move(std::string_view from, std::string_view path) {
    const auto place = Locate(from);
    const auto found = place ? Get(*place->container, place->key) : std::nullopt;
    if (!found || *found == nullptr) return false;
    Value value = std::move(**found);
    return Remove(from) && Add(path, std::move(value));
  }

  bool Copy(std::string_view from, std::string_view path) {
    const auto place = Locate(from);
    const auto found = place ? Get(*place->container, place->key) : std::nullopt;
    if (!found) return false;
    if (*found == nullptr) return Add(path, Value());
    if (IsDeeperThan(**found, kJsonDepthMax)) return false;
    copied_bytes_ += json::ToString(**found).size();
    return copied_bytes_ <= kJsonPatchCopyBytesMax && Add(path, (*found)->Clone(arena_));
  }

  Value& root_;
  json::Arena& arena_;
  size_t copied_bytes_ = 0;
};

}  // namespace

Result<void> ApplyJsonPatch(Value& target, const Value& patch, json::Arena& arena) {
  KULISSE_TRY(CheckShape(patch));
  Applier applier(target, arena);
  for (const Value& operation : patch.elements()) {
    if (!applier.Apply(operation)) return std::unexpected(Rejected());
  }
  if (IsDeeperThan(target, kJsonDepthMax)) return std::unexpected(Rejected());
  return {};
}

}  // namespace kulisse::openapi
