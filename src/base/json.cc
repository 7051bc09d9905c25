// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"

namespace tidegate::json {
namespace {

// Builds the document while bounding depth and refusing duplicate keys, which nlohmann's own builder accepts
// silently.
class BoundedBuilder final : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }
  const std::optional<Error>& refusal() const { return refusal_; }
  const std::string& syntax_error() const { return syntax_error_; }
  std::size_t syntax_position() const { return syntax_position_; }

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override { return add(value) != nullptr; }
  bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }  // never in JSON text
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& key) override {
    auto& object = open_.back()->get_ref<Json::object_t&>();
    auto [it, added] = object.try_emplace(key);
    if (!added) return refuse(ErrorCode::kInvalid, "duplicate key \"" + key + "\"");
    slot_ = &it->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    syntax_position_ = position;
    syntax_error_ = error.what();
    return false;
  }

 private:
  bool refuse(ErrorCode code, std::string detail) {
    refusal_ = Error{code, std::move(detail)};
    return false;
  }

  template <typename T>
  Json* add(T&& value) {
    Json* place = &root_;
    if (!open_.empty()) {
      Json& parent = *open_.back();
      place = parent.is_array() ? &parent.get_ref<Json::array_t&>().emplace_back() : slot_;
    }
    *place = std::forward<T>(value);
    return place;
  }

  // Addresses in open_ stay valid: only the innermost container grows.
  bool open(Json container) {
    if (open_.size() >= kMaxDepth) {
      return refuse(ErrorCode::kLimit, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    open_.push_back(add(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;
  Json* slot_ = nullptr;
  std::optional<Error> refusal_;
  std::string syntax_error_;
  std::size_t syntax_position_ = 0;
};

// "line 3, column 7: what is wrong". nlohmann's text carries its own position, less exact across line ends;
// ours replaces it.
std::string syntax_detail(std::string_view text, std::size_t position, std::string_view what) {
  const auto before = text.substr(0, position == 0 ? 0 : std::min(position - 1, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto last = before.rfind('\n');
  const auto column = last == std::string_view::npos ? before.size() + 1 : before.size() - last;
  if (const auto at = what.find("] "); at != std::string_view::npos) what.remove_prefix(at + 2);
  if (what.starts_with("parse error")) {
    if (const auto at = what.find(": "); at != std::string_view::npos) what.remove_prefix(at + 2);
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + std::string(what);
}

const Json* child(const Json& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto& object = value.get_ref<const Json::object_t&>();
  const auto it = object.find(key);  // std::map with a transparent comparison
  return it == object.end() ? nullptr : &it->second;
}

const Json* element(const Json& value, std::string_view index) {
  if (!value.is_array()) return nullptr;
  if (index.size() > 1 && index[0] == '0') return nullptr;  // RFC 6901 section 4
  const auto number = text::parse_int(index);
  if (!number || *number < 0 || static_cast<std::size_t>(*number) >= value.size()) return nullptr;
  return &value[static_cast<std::size_t>(*number)];
}

std::string unescape_pointer(std::string_view token) {
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      out += token[i];
    }
  }
  return out;
}

std::string dump_with(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<Json> parse(std::string_view text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Error{ErrorCode::kLimit, "document has " + std::to_string(text.size()) + " bytes, at most " +
                                        std::to_string(max_bytes) + " are read"};
  }
  BoundedBuilder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  if (builder.refusal()) return *builder.refusal();
  return Error{ErrorCode::kInvalid, syntax_detail(text, builder.syntax_position(), builder.syntax_error())};
}

std::string dump(const Json& value) { return dump_with(value, -1); }
std::string dump_pretty(const Json& value) { return dump_with(value, 2); }

const Json* find(const Json& value, std::string_view path) {
  if (path.empty()) return &value;
  const bool pointer = path.front() == '/';
  if (pointer) path.remove_prefix(1);
  const Json* at = &value;
  for (const auto part : text::split(path, pointer ? '/' : '.')) {
    if (!pointer) {
      at = child(*at, part);
    } else {
      at = at->is_array() ? element(*at, part) : child(*at, unescape_pointer(part));
    }
    if (!at) return nullptr;
  }
  return at;
}

std::string string_at(const Json& value, std::string_view path, std::string_view fallback) {
  const Json* at = find(value, path);
  return at && at->is_string() ? at->get_ref<const std::string&>() : std::string(fallback);
}

std::int64_t int_at(const Json& value, std::string_view path, std::int64_t fallback) {
  const Json* at = find(value, path);
  if (!at || !at->is_number_integer()) return fallback;
  if (at->is_number_unsigned() &&
      at->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fallback;
  }
  return at->get<std::int64_t>();
}

bool bool_at(const Json& value, std::string_view path, bool fallback) {
  const Json* at = find(value, path);
  return at && at->is_boolean() ? at->get<bool>() : fallback;
}

std::optional<double> number_at(const Json& value, std::string_view path) {
  const Json* at = find(value, path);
  if (!at || !at->is_number()) return std::nullopt;
  return at->get<double>();
}

const Json& array_at(const Json& value, std::string_view path) {
  static const Json empty = Json::array();
  const Json* at = find(value, path);
  return at && at->is_array() ? *at : empty;
}

const Json& object_at(const Json& value, std::string_view path) {
  static const Json empty = Json::object();
  const Json* at = find(value, path);
  return at && at->is_object() ? *at : empty;
}

void merge_patch(Json& target, const Json& patch) { target.merge_patch(patch); }

}  // namespace tidegate::json
