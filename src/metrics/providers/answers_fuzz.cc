// SPDX-License-Identifier: Apache-2.0
// Whatever a service answers is a reading or an error of one line. The first byte picks the provider, the
// second the status; the rest is the body, which is given to every reader of text as well.
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "metrics/providers/csv.h"
#include "metrics/providers/limits.h"
#include "metrics/providers/provider.h"

namespace {

const tidegate::Json kSpec = {{"address", "http://a"},
                              {"url", "http://a"},
                              {"jsonPath", "{$.a[*]}"},
                              {"region", "r"},
                              {"metricDataQueries", {{{"id", "a"}, {"expression", "b"}}}},
                              {"authentication", {{"bearer", {{"token", "t0ken"}}}}}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace providers = tidegate::metrics::providers;
  if (size < 2) return 0;
  const auto table = providers::provider_table();
  const std::string body(reinterpret_cast<const char*>(data) + 2, size - 2);
  tidegate::Json spec = kSpec;
  if (data[1] & 1) spec["apiVersion"] = "v2";
  const auto reading = table[data[0] % table.size()].read(spec, {data[1] & 2 ? 500 : 200, body});
  if (reading) {
    TIDEGATE_ASSERT(reading->values.size() <= providers::kMaxValues);
  } else {
    TIDEGATE_ASSERT(reading.error().detail.find('\n') == std::string::npos);
    TIDEGATE_ASSERT(reading.error().detail.find("t0ken") == std::string::npos);
  }
  return 0;
}
