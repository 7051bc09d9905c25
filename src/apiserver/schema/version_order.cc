// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/version_order.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

struct Parts {
  std::int64_t major = 0;
  int stability = 0;  // 2 stable, 1 beta, 0 alpha
  std::int64_t minor = 0;
};

std::optional<std::int64_t> number(std::string_view digits) {
  if (digits.empty() || digits[0] == '0' || digits.size() > 9) return std::nullopt;
  return text::parse_int(digits);
}

std::optional<Parts> parse(std::string_view name) {
  if (!name.starts_with('v')) return std::nullopt;
  name.remove_prefix(1);
  const auto end = name.find_first_not_of("0123456789");
  const auto major = number(name.substr(0, end));
  if (!major) return std::nullopt;
  if (end == std::string_view::npos) return Parts{*major, 2, 0};
  name.remove_prefix(end);
  const bool beta = name.starts_with("beta");
  if (!beta && !name.starts_with("alpha")) return std::nullopt;
  const auto minor = number(name.substr(beta ? 4 : 5));
  if (!minor) return std::nullopt;
  return Parts{*major, beta ? 1 : 0, *minor};
}

}  // namespace

bool version_before(std::string_view a, std::string_view b) {
  const auto left = parse(a), right = parse(b);
  if (left.has_value() != right.has_value()) return left.has_value();
  if (!left) return a < b;
  return std::tie(left->stability, left->major, left->minor) >
         std::tie(right->stability, right->major, right->minor);
}

std::vector<std::string> served_versions(const std::vector<ResourceTypePtr>& types, std::string_view group) {
  std::vector<std::string> names;
  for (const auto& type : types) {
    if (type->group != group) continue;
    for (const auto& version : type->versions) {
      if (version.served && std::find(names.begin(), names.end(), version.name) == names.end())
        names.push_back(version.name);
    }
  }
  std::sort(names.begin(), names.end(), version_before);
  return names;
}

}  // namespace tidegate::apiserver::schema
