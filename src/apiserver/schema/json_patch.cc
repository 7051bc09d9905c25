// SPDX-License-Identifier: Apache-2.0
// RFC 6902 and RFC 7386. nlohmann's own JSON patch throws, aborts on some pointers and does not bound `copy`,
// hence this one.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "apiserver/schema/limits.h"
#include "apiserver/schema/patch.h"
#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

using Tokens = std::vector<std::string>;

std::optional<Tokens> parse_pointer(std::string_view pointer) {
  Tokens tokens;
  if (pointer.empty()) return tokens;
  if (pointer[0] != '/') return std::nullopt;
  for (const auto part : text::split(pointer.substr(1), '/')) {
    std::string token;
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i] != '~') {
        token += part[i];
      } else if (i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1')) {
        token += part[++i] == '0' ? '~' : '/';
      } else {
        return std::nullopt;
      }
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::optional<std::size_t> parse_index(const std::string& token) {
  if (token.empty() || token.size() > 9 || (token.size() > 1 && token[0] == '0')) return std::nullopt;
  if (token.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return static_cast<std::size_t>(*text::parse_int(token));
}

Json* child(Json& value, const std::string& token) {
  if (value.is_object()) {
    const auto it = value.find(token);
    return it == value.end() ? nullptr : &*it;
  }
  const auto index = value.is_array() ? parse_index(token) : std::nullopt;
  return index && *index < value.size() ? &value[*index] : nullptr;
}

Json* walk(Json& root, const Tokens& tokens, std::size_t count) {
  Json* at = &root;
  for (std::size_t i = 0; at && i < count; ++i) at = child(*at, tokens[i]);
  return at;
}

class Patcher {
 public:
  explicit Patcher(Json object) : object_(std::move(object)) {}

  Result<Json> apply(const Json& patch) {
    if (!patch.is_array()) return wrong("a JSON patch must be a list of operations");
    if (patch.size() > kMaxPatchOperations) {
      return Error{ErrorCode::kLimit,
                   "a JSON patch may have at most " + std::to_string(kMaxPatchOperations) + " operations"};
    }
    for (std::size_t i = 0; i < patch.size(); ++i) {
      where_ = "operation " + std::to_string(i) + " of the JSON patch";
      if (auto done = operation(patch[i]); !done) return done.error();
    }
    return std::move(object_);
  }

 private:
  Error wrong(const std::string& what) const {
    return {ErrorCode::kInvalid, where_.empty() ? what : where_ + ": " + what};
  }
  Error missing(const std::string& path) const { return wrong("there is no value at \"" + path + "\""); }

  Result<void> operation(const Json& operation) {
    const std::string op = json::string_at(operation, "op"), path = json::string_at(operation, "path");
    const auto tokens = parse_pointer(path);
    if (!tokens || !json::find(operation, "path"))
      return wrong("path must be a JSON pointer, got \"" + path + "\"");
    if (op == "remove") return remove(*tokens, path);
    if (op == "move" || op == "copy") return transfer(operation, *tokens, path, op == "move");
    const Json* value = json::find(operation, "value");
    if (op != "add" && op != "replace" && op != "test") {
      return wrong("op must be add, remove, replace, move, copy or test, got \"" + op + "\"");
    }
    if (!value) return wrong(op + " needs a value");
    if (op == "add") return add(*tokens, path, *value);
    Json* target = walk(object_, *tokens, tokens->size());
    if (!target) return missing(path);
    if (op == "replace") {
      *target = *value;
    } else if (*target != *value) {
      return Error{ErrorCode::kConflict,
                   where_ + ": the value at \"" + path + "\" is not the one to test for"};
    }
    return {};
  }

  Result<void> add(const Tokens& tokens, const std::string& path, Json value) {
    if (tokens.empty()) {
      object_ = std::move(value);
      return {};
    }
    Json* parent = walk(object_, tokens, tokens.size() - 1);
    if (!parent || !parent->is_structured()) return wrong("there is nothing to add to at \"" + path + "\"");
    if (parent->is_object()) {
      (*parent)[tokens.back()] = std::move(value);
      return {};
    }
    const auto index = tokens.back() == "-" ? std::optional(parent->size()) : parse_index(tokens.back());
    if (!index || *index > parent->size()) return wrong("\"" + path + "\" is outside of the list");
    parent->insert(parent->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return {};
  }

  Result<void> remove(const Tokens& tokens, const std::string& path) {
    Json* parent = tokens.empty() ? nullptr : walk(object_, tokens, tokens.size() - 1);
    if (!parent || !child(*parent, tokens.back())) return missing(path);
    if (parent->is_object()) {
      parent->erase(tokens.back());
    } else {
      parent->erase(*parse_index(tokens.back()));
    }
    return {};
  }

  Result<void> transfer(const Json& operation, const Tokens& to, const std::string& path, bool move) {
    const std::string from_path = json::string_at(operation, "from");
    const auto from = parse_pointer(from_path);
    if (!from || !json::find(operation, "from")) return wrong("from must be a JSON pointer");
    const Json* source = walk(object_, *from, from->size());
    if (!source) return missing(from_path);
    Json value = *source;
    if (move) {
      if (to.size() > from->size() && std::equal(from->begin(), from->end(), to.begin())) {
        return wrong("\"" + from_path + "\" cannot be moved into itself");
      }
      if (from->empty()) return {};
      if (auto removed = remove(*from, from_path); !removed) return removed;
    } else {
      growth_ += json::dump(value).size();
      if (growth_ > kMaxPatchGrowth)
        return Error{ErrorCode::kLimit, where_ + ": copies grow the object too far"};
    }
    return add(to, path, std::move(value));
  }

  Json object_;
  std::string where_;
  std::size_t growth_ = 0;
};

}  // namespace

Result<Json> json_patch(Json object, const Json& patch) { return Patcher(std::move(object)).apply(patch); }

Result<Json> json_merge_patch(Json object, const Json& patch) {
  if (!patch.is_object()) return Error{ErrorCode::kInvalid, "a merge patch must be an object"};
  json::merge_patch(object, patch);
  return object;
}

}  // namespace tidegate::apiserver::schema
