// SPDX-License-Identifier: Apache-2.0
// Which resource a request is about, out of its path, and what the query asks. Total. Thread: none; pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::apiserver {

struct ResourcePath {
  std::string group;  // "" for /api/v1
  std::string version;
  std::string ns;           // empty: cluster-scoped, or all namespaces
  std::string plural;       // empty: the group version's discovery
  std::string name;         // empty: the collection
  std::string subresource;  // "status", "scale", "log", ...
};

// nullopt where the path is not below /api/v1 or /apis/GROUP/VERSION.
std::optional<ResourcePath> parse_resource_path(std::string_view path);

class Query {
 public:
  static Query parse(std::string_view query);
  bool has(const std::string& name) const { return values_.contains(name); }
  std::string get(const std::string& name, std::string_view fallback = {}) const;
  bool is_true(const std::string& name) const;  // "true" or "1"
  std::int64_t number(const std::string& name, std::int64_t fallback) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace tidegate::apiserver
