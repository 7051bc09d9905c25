// SPDX-License-Identifier: Apache-2.0
#include "api/object.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/condition.h"
#include "api/core.h"
#include "base/text.h"

namespace tidegate::api {
namespace {

TEST(Resource, MakesPaths) {
  EXPECT_EQ(kPods.path("shop", "a", "status"), "/api/v1/namespaces/shop/pods/a/status");
  EXPECT_EQ(kReplicaSets.path(), "/apis/apps/v1/replicasets");
  EXPECT_EQ(kNamespaces.path({}, "shop"), "/api/v1/namespaces/shop");
  EXPECT_EQ(kNamespaces.path("ignored", "shop", "finalize"), "/api/v1/namespaces/shop/finalize");
  EXPECT_EQ(kLeases.api_version(), "coordination.k8s.io/v1");
}

TEST(Meta, Decodes) {
  const auto object = make_object(
      Json::parse(R"({"metadata": {"namespace": "shop", "name": "a", "uid": "u", "resourceVersion": "7",
      "generation": 2, "labels": {"app": "x", "odd": 1}, "annotations": {"k": "v"}, "finalizers": ["f"],
      "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "o", "controller": true}],
      "creationTimestamp": "2027-01-15T08:00:00Z", "deletionTimestamp": "2027-01-15T08:01:00Z"}})"));
  const Meta& meta = object.meta;
  EXPECT_EQ(to_string(meta.key()), "shop/a");
  EXPECT_EQ(meta.uid, "u");
  EXPECT_EQ(meta.resource_version, "7");
  EXPECT_EQ(meta.generation, 2);
  EXPECT_EQ(meta.labels, (Labels{{"app", "x"}}));
  EXPECT_EQ(meta.annotations, (Labels{{"k", "v"}}));
  EXPECT_EQ(meta.finalizers, std::vector<std::string>{"f"});
  EXPECT_EQ(meta.owners, (std::vector<OwnerReference>{{"apps/v1", "ReplicaSet", "rs", "o", true}}));
  EXPECT_EQ(meta.created, TimePoint(std::chrono::seconds(1'800'000'000)));
  EXPECT_EQ(meta.deleted, meta.created + std::chrono::minutes(1));
}

TEST(Meta, DecodesAnythingTotally) {
  for (const char* text : {"null", "[]", "7", "{}", R"({"metadata": []})",
                           R"({"metadata": {"name": 1, "labels": [], "ownerReferences": [1, null]}})"}) {
    const Meta meta = decode_meta(Json::parse(text));
    EXPECT_EQ(meta.name, "") << text;
    EXPECT_FALSE(meta.deleted) << text;
  }
}

TEST(OwnerReferences, ReadBackAsWritten) {
  const OwnerReference owner{"apps/v1", "Deployment", "web", "u1", true};
  const Meta meta = decode_meta({{"metadata", {{"ownerReferences", {to_json(owner)}}}}});
  EXPECT_EQ(meta.owners, std::vector<OwnerReference>{owner});
}

TEST(LabelSelectors, Match) {
  struct Case {
    const char* selector;
    bool matches;
  };
  const Labels labels{{"app", "shop"}, {"tier", "web"}};
  for (const auto& [selector, matches] : {
           Case{"{}", true},
           Case{R"({"matchLabels": {"app": "shop"}})", true},
           Case{R"({"matchLabels": {"app": "shop", "x": "y"}})", false},
           Case{R"({"matchExpressions": [{"key": "tier", "operator": "In", "values": ["web", "db"]}]})",
                true},
           Case{R"({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]})", false},
           Case{R"({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["web"]}]})", true},
           Case{R"({"matchExpressions": [{"key": "app", "operator": "Exists"}]})", true},
           Case{R"({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]})", false},
           Case{R"({"matchExpressions": [{"key": "app", "operator": "Odd"}]})", false},
       }) {
    const Json json = Json::parse(selector);
    EXPECT_EQ(decode_selector(&json)->matches(labels), matches) << selector;
  }
  EXPECT_FALSE(decode_selector(nullptr));
  EXPECT_EQ(to_query(labels), "app=shop,tier=web");
}

const TimePoint kBefore(std::chrono::seconds(1'800'000'000));

TEST(Conditions, KeepTheirTransitionWhileTheStatusStands) {
  const std::vector<Condition> current = {{"Ready", "True", "Old", "", 1, kBefore},
                                          {"Gone", "True", "", "", 1, kBefore},
                                          {"Turned", "False", "", "", 1, kBefore}};
  const auto now = kBefore + std::chrono::milliseconds(5500);
  const auto merged = merge_conditions(
      current,
      {{"Ready", "True", "New", "", 2}, {"Turned", "True", "", "", 2}, {"Fresh", "False", "", "", 2}}, now);
  ASSERT_EQ(merged.size(), 3U);
  EXPECT_EQ(merged[0], (Condition{"Ready", "True", "New", "", 2, kBefore}));
  EXPECT_EQ(merged[1].last_transition, kBefore + std::chrono::seconds(5));
  EXPECT_EQ(merged[2].last_transition, kBefore + std::chrono::seconds(5));
  EXPECT_EQ(decode_conditions(encode_conditions(merged)), merged);
  EXPECT_EQ(find_condition(merged, "Gone"), nullptr);
}

}  // namespace
}  // namespace tidegate::api
