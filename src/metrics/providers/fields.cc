// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/fields.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "http/url.h"
#include "metrics/providers/limits.h"

namespace tidegate::metrics::providers {
namespace {

constexpr std::size_t kMaxValueBytes = 60;  // of a value in a complaint

std::string shown(const Json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : json::dump(value);
  if (text.size() > kMaxValueBytes) text.replace(kMaxValueBytes, std::string::npos, "...");
  return text;
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// Those of the connection, and the name by which a certificate is checked.
bool is_of_the_client(std::string_view name) {
  constexpr std::string_view kNames[] = {"Host", "Connection", "Content-Length", "Transfer-Encoding"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](auto one) { return text::iequals(one, name); });
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; });
}

}  // namespace

struct Fields::Shared {
  std::vector<Complaint> complaints;
  std::set<std::string, std::less<>> asked;                  // paths
  std::vector<std::pair<const Json*, std::string>> objects;  // that are read, with their paths
};

Fields::Fields(const Json& spec) : Fields(spec, "", std::make_shared<Shared>()) {}

Fields::Fields(const Json& object, std::string path, std::shared_ptr<Shared> shared)
    : object_(&object), path_(std::move(path)), shared_(std::move(shared)) {
  shared_->objects.emplace_back(object_, path_);
  if (!object.is_object() && !object.is_null()) complain("", "an object");
}

std::string Fields::path_of(std::string_view key) const {
  if (key.empty()) return path_;
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

const Json* Fields::ask(std::string_view key) const {
  shared_->asked.insert(path_of(key));
  if (!object_->is_object()) return nullptr;
  const auto at = object_->find(key);
  return at == object_->end() || at->is_null() ? nullptr : &*at;
}

void Fields::ignore(std::string_view key) { ask(key); }
bool Fields::has(std::string_view key) const { return ask(key) != nullptr; }
const Json* Fields::raw(std::string_view key) const { return ask(key); }

bool Fields::later(const Json& value) const {
  return value.is_string() && value.get_ref<const std::string&>().find("{{") != std::string::npos;
}

void Fields::complain(std::string_view key, std::string expectation) {
  if (shared_->complaints.size() >= kMaxComplaints) return;
  const Json* value = key.empty() ? object_ : ask(key);
  shared_->complaints.push_back({path_of(key), value ? shown(*value) : "", std::move(expectation)});
}

std::vector<Complaint> Fields::complaints() const {
  auto out = shared_->complaints;
  for (const auto& [object, path] : shared_->objects) {
    if (!object->is_object()) continue;
    for (const auto& [key, value] : object->items()) {
      const std::string full = path.empty() ? key : path + "." + key;
      if (shared_->asked.contains(full)) continue;
      if (out.size() < kMaxComplaints) out.push_back({full, shown(value), "no field of that name"});
    }
  }
  return out;
}

std::string Fields::text(std::string_view key) {
  const Json* value = ask(key);
  if (!value) return {};
  if (value->is_string()) return value->get<std::string>();
  complain(key, "a text");
  return {};
}

std::string Fields::need_text(std::string_view key) {
  const Json* value = ask(key);
  std::string out = text(key);
  if (out.empty() && (!value || value->is_string())) complain(key, "a text");
  return out;
}

std::string Fields::url(std::string_view key) {
  const Json* value = ask(key);
  const std::string out = text(key);
  if ((value && later(*value)) || http::parse_url(out)) return out;
  complain(key, "an address such as http://prometheus.monitoring:9090, without a password in it");
  return {};
}

std::string Fields::address(std::string_view key, std::string_view fallback) {
  std::string out = fallback.empty() || has(key) ? url(key) : std::string(fallback);
  while (out.ends_with('/')) out.pop_back();
  return out;
}

std::string Fields::one_of(std::string_view key, std::initializer_list<std::string_view> choices) {
  const std::string first(*choices.begin());
  const Json* value = ask(key);
  if (!value || later(*value)) return first;
  const std::string out = text(key);
  if (std::find(choices.begin(), choices.end(), out) != choices.end()) return out;
  complain(key, "one of " + text::join({choices.begin(), choices.end()}, ", "));
  return first;
}

bool Fields::flag(std::string_view key) {
  const Json* value = ask(key);
  if (!value || later(*value)) return false;
  if (value->is_boolean()) return value->get<bool>();
  if (*value == "true" || *value == "false") return *value == "true";  // an argument filled in
  complain(key, "true or false");
  return false;
}

std::optional<std::int64_t> Fields::integer(std::string_view key) {
  const Json* value = ask(key);
  if (!value || later(*value)) return std::nullopt;
  const auto number = text::parse_int(value->is_string() ? value->get<std::string>() : json::dump(*value));
  if (number && *number > 0) return number;
  complain(key, "a whole number above 0");
  return std::nullopt;
}

Duration Fields::duration(std::string_view key, Duration fallback, Duration least, Duration most) {
  const Json* value = ask(key);
  if (!value || later(*value)) return fallback;
  const auto given =
      text::parse_duration(value->is_string() ? value->get<std::string>() : json::dump(*value));
  if (given && *given >= least && *given <= most) return *given;
  complain(key, "a duration from " + text::format_duration(least) + " to " + text::format_duration(most) +
                    ", or seconds");
  return fallback;
}

Headers Fields::headers(std::string_view key) {
  Headers out;
  for (auto& item : items(key)) {
    const std::string name = item.need_text("key"), value = item.text("value");
    if (!name.empty() && !is_token(name)) item.complain("key", "the name of a header");
    if (is_of_the_client(name)) item.complain("key", "a header that is not the client's own");
    // Not through complain(), which would show the value.
    if (has_controls(value)) shared_->complaints.push_back({item.path_of("value"), "", "a text of one line"});
    if (is_token(name) && !has_controls(value)) out.emplace_back(name, value);
  }
  return out;
}

Fields Fields::child(std::string_view key) {
  static const Json kNone;
  const Json* value = ask(key);
  return {value ? *value : kNone, path_of(key), shared_};
}

std::vector<Fields> Fields::items(std::string_view key) {
  std::vector<Fields> out;
  const Json* value = ask(key);
  if (!value) return out;
  if (!value->is_array()) complain(key, "a list");
  for (std::size_t i = 0; value->is_array() && i < value->size(); ++i) {
    out.push_back({(*value)[i], path_of(key) + "[" + std::to_string(i) + "]", shared_});
  }
  return out;
}

}  // namespace tidegate::metrics::providers
