// SPDX-License-Identifier: Apache-2.0
// What holds for every provider.
#include "metrics/providers/recorded.h"

namespace tidegate::metrics::providers {
namespace {

TEST(Providers, AreFoundByName) {
  for (const auto& provider : provider_table()) EXPECT_EQ(find_provider(provider.name), &provider);
  EXPECT_EQ(find_provider("job"), nullptr);
}

TEST(Providers, TakeSpecsOfAnyForm) {
  for (const auto& provider : provider_table()) {
    for (const char* text :
         {"null", "[]", "3", "{}", R"({"secret":[],"profile":1,"secretRef":2,"headers":3,"url":[4]})"}) {
      const Json spec = *json::parse(text);
      EXPECT_FALSE(provider.check(spec).empty()) << provider.name << " " << text;
      EXPECT_FALSE(provider.request(spec, kNow)) << provider.name << " " << text;
      EXPECT_FALSE(provider.read(spec, {200, "\"x"})) << provider.name << " " << text;
    }
  }
}

TEST(Providers, NameTheirSecret) {
  EXPECT_EQ(secret_name(spec_of("{secretRef: {name: a}}")), "a");
  EXPECT_EQ(secret_name(spec_of("{profile: b}")), "b");
  EXPECT_EQ(secret_name(spec_of("{query: c}")), "");
}

TEST(Redact, LeavesNoSecret) {
  EXPECT_EQ(redact("a key-1 and key-12, key-1", {"key-1", "", "key-12"}),
            "a [redacted] and [redacted], [redacted]");
}

TEST(Errors, ShowOnlyTheStartAsOneLineOfText) {
  const auto text = reading_of("prometheus", "{address: 'http://p', query: q}", 500,
                               "a\r\n\x01\xff" + std::string(500, 'x'));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_LT(text.size(), 300u);
  EXPECT_TRUE(text.ends_with("xxx...")) << text;
}

}  // namespace
}  // namespace tidegate::metrics::providers
