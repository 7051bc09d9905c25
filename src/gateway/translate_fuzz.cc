// SPDX-License-Identifier: Apache-2.0
// Any JSON documents, one a line: translating them is total, and the same input gives the same output.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/assert.h"
#include "base/text.h"
#include "gateway/manifests.h"
#include "gateway/translate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate;
  gateway::ClusterState state;
  for (const auto line : text::split({reinterpret_cast<const char*>(data), size}, '\n')) {
    const auto document = json::parse(line);
    if (document) gateway::add_object(state, *document);
  }
  const auto first = gateway::translate(state, {});
  const auto second = gateway::translate(state, {});
  TIDEGATE_ASSERT(first.table == second.table && first.problems == second.problems);
  for (const auto& listener : first.table.listeners) {
    for (const routing::Rule& rule : listener.rules) {
      for (const auto& choice : rule.backends) TIDEGATE_ASSERT(choice.backend < first.table.backends.size());
    }
  }
  return 0;
}
