// SPDX-License-Identifier: Apache-2.0
#include "apiserver/selectors.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidegate::apiserver {
namespace {

TEST(LabelSelector, Matches) {
  const Labels web = {{"app", "web"}, {"tier", "front"}, {"empty", ""}};
  const struct {
    const char* selector;
    bool matches;
  } cases[] = {
      {"", true},
      {"  ", true},
      {"app=web", true},
      {"app==web", true},
      {"app=db", false},
      {"app!=db", true},
      {"app!=web", false},
      {"none!=x", true},
      {"none=x", false},
      {"app", true},
      {"none", false},
      {"!app", false},
      {"!none", true},
      {"app in (db,web)", true},
      {"app in (db)", false},
      {"app in ( db , web )", true},
      {"app notin (db)", true},
      {"app notin (db,web)", false},
      {"none notin (a)", true},
      {"app=web,tier=front", true},
      {"app=web,tier=back", false},
      {"app in (web,db),tier notin (back),!none", true},
      {"empty=", true},
      {"app=", false},
      {"app in(web)", true},
      {"app notin(web)", false},
  };
  for (const auto& test : cases) {
    const auto selector = LabelSelector::parse(test.selector);
    ASSERT_TRUE(selector) << test.selector << ": " << selector.error().detail;
    EXPECT_EQ(selector->matches(web), test.matches) << test.selector;
  }
}

TEST(LabelSelector, Refuses) {
  for (const char* text : {",", "a,", "=a", "!=a", "a in b", "a in (b", "a in b)", "a notin", "!", "a=b,,c=d",
                           "a in ()b", "a b", "a=b=c", "a in (b),(c)"}) {
    const auto selector = LabelSelector::parse(text);
    ASSERT_FALSE(selector) << text;
    EXPECT_EQ(selector.error().code, ErrorCode::kInvalid) << text;
  }
}

TEST(FieldSelector, Matches) {
  Stored stored;
  stored.bytes = std::make_shared<const std::string>(
      R"({"metadata":{"name":"p"},"spec":{"nodeName":"local","replicas":3},"status":{"phase":"Running"},"involvedObject":{"kind":"Pod"},"type":"Normal"})");
  const ObjectId id{"pods", "shop", "p"};
  const struct {
    const char* selector;
    bool matches;
  } cases[] = {
      {"", true},
      {"metadata.name=p", true},
      {"metadata.name==p", true},
      {"metadata.name=q", false},
      {"metadata.name!=q", true},
      {"metadata.namespace=shop", true},
      {"spec.nodeName=local", true},
      {"spec.nodeName=", false},
      {"status.phase!=Running", false},
      {"status.phase=Running,metadata.namespace=shop", true},
      {"involvedObject.kind=Pod,type=Normal", true},
      {"spec.replicas=3", true},
      {"reason=", true},
      {"reason=x", false},
  };
  for (const auto& test : cases) {
    const auto selector = FieldSelector::parse(test.selector);
    ASSERT_TRUE(selector) << test.selector;
    EXPECT_EQ(selector->matches(id, stored), test.matches) << test.selector;
  }
}

TEST(FieldSelector, Refuses) {
  for (const char* text : {"a", "=a", "a=b,c", ","}) EXPECT_FALSE(FieldSelector::parse(text)) << text;
}

}  // namespace
}  // namespace tidegate::apiserver
