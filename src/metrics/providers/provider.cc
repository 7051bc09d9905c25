// SPDX-License-Identifier: Apache-2.0
#include "metrics/providers/provider.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "metrics/providers/rows.h"

namespace tidegate::metrics::providers {

std::span<const Provider> provider_table() {
  static const Provider table[] = {kPrometheus, kWeb, kDatadog, kNewRelic, kCloudWatch, kGraphite, kInfluxdb};
  return table;
}

const Provider* find_provider(std::string_view name) {
  const auto table = provider_table();
  const auto at = std::find_if(table.begin(), table.end(), [&](const auto& row) { return name == row.name; });
  return at == table.end() ? nullptr : &*at;
}

std::string secret_name(const Json& spec) {
  const std::string name = json::string_at(spec, "secretRef.name");
  return name.empty() ? json::string_at(spec, "profile") : name;
}

std::string redact(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::string_view kMark = "[redacted]";
  // Longest first: one that is part of another must not leave the rest of it.
  auto ordered = secrets;
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& secret : ordered) {
    if (secret.empty()) continue;
    std::string out;
    std::size_t from = 0;
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, from)) {
      out.append(text, from, at - from).append(kMark);
      from = at + secret.size();
    }
    text = out.append(text, from);
  }
  return text;
}

}  // namespace tidegate::metrics::providers
