// SPDX-License-Identifier: Apache-2.0
#include "apiserver/request_path.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "http/uri.h"

namespace tidegate::apiserver {

std::optional<ResourcePath> parse_resource_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string> parts;
  for (const auto part : text::split(path.substr(1), '/')) {
    auto decoded = http::percent_decode(part);
    if (!decoded || decoded->empty()) return std::nullopt;
    parts.push_back(std::move(*decoded));
  }
  ResourcePath result;
  std::size_t next = 0;
  const auto take = [&] { return next < parts.size() ? parts[next++] : std::string(); };
  const std::string root = take();
  if (root == "apis") {
    result.group = take();
  } else if (root != "api") {
    return std::nullopt;
  }
  result.version = take();
  if (result.version.empty()) return std::nullopt;
  result.plural = take();
  // /namespaces/NS/PLURAL...; /namespaces/NS and /namespaces/NS/status are about the namespace itself.
  const bool namespaced = result.plural == "namespaces" && parts.size() > next + 1 &&
                          parts[next + 1] != "status" && parts[next + 1] != "finalize";
  if (namespaced) {
    result.ns = take();
    result.plural = take();
  }
  result.name = take();
  result.subresource = take();
  if (next != parts.size()) return std::nullopt;
  return result;
}

Query Query::parse(std::string_view query) {
  Query result;
  if (query.empty()) return result;
  for (const auto part : text::split(query, '&')) {
    const auto equals = part.find('=');
    const auto decode = [](std::string_view text) {
      std::string spaced(text);  // application/x-www-form-urlencoded, as Go's clients write it
      std::replace(spaced.begin(), spaced.end(), '+', ' ');
      return http::percent_decode(spaced).value_or(std::string(text));
    };
    result.values_.emplace(decode(part.substr(0, equals)),
                           equals == std::string_view::npos ? "" : decode(part.substr(equals + 1)));
  }
  return result;
}

std::string Query::get(const std::string& name, std::string_view fallback) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::string(fallback) : it->second;
}

bool Query::is_true(const std::string& name) const {
  const auto value = get(name);
  return value == "true" || value == "1";
}

std::int64_t Query::number(const std::string& name, std::int64_t fallback) const {
  return text::parse_int(get(name)).value_or(fallback);
}

}  // namespace tidegate::apiserver
