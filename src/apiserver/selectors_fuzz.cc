// SPDX-License-Identifier: Apache-2.0
// Whatever a client writes as a selector is refused with a reason or can be matched.
#include <nlohmann/json.hpp>

#include "apiserver/selectors.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate::apiserver;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Labels labels = {{"app", "web"}, {"a", ""}};
  if (const auto selector = LabelSelector::parse(text)) {
    (void)selector->matches(labels);
    TIDEGATE_ASSERT(!selector->everything() || selector->matches({}));
  } else {
    TIDEGATE_ASSERT(!selector.error().detail.empty());
  }
  Stored stored;
  stored.bytes = std::make_shared<const std::string>(R"({"metadata":{"name":"p"},"spec":{"list":[1]}})");
  if (const auto selector = FieldSelector::parse(text))
    (void)selector->matches({"pods", "shop", "p"}, stored);
  return 0;
}
