// SPDX-License-Identifier: Apache-2.0
#include "kube/store.h"

#include <gtest/gtest.h>

namespace tidegate::kube {
namespace {

Json object(const std::string& version) {
  return {{"metadata", {{"name", "shop"}, {"namespace", "default"}, {"resourceVersion", version}}}};
}
const api::Key kShop{"default", "shop"};

class StoreTest : public testing::Test {
 protected:
  std::string version() const {
    const auto held = store_.get(kShop);
    return held ? held->meta.resource_version : "none";
  }
  Store<api::Object> store_{[](const Json& json) { return api::make_object(json); }};
};

TEST_F(StoreTest, TakesWhatAWriteCameTo) {
  store_.put_written(nullptr, object("1"));
  EXPECT_EQ(version(), "1");
  store_.put_written(store_.get(kShop), object("2"));
  EXPECT_EQ(version(), "2");
  store_.remove_written(store_.get(kShop));
  EXPECT_EQ(version(), "none");
}

// The answer to a write may come after the watch has told of it, and of what followed.
TEST_F(StoreTest, DropsAnAnswerThatTheWatchHasOvertaken) {
  store_.put(object("1"));
  const auto before = store_.get(kShop);
  store_.put(object("2"));
  store_.put(object("3"));
  store_.put_written(before, object("2"));
  EXPECT_EQ(version(), "3");
  store_.remove_written(before);
  EXPECT_EQ(version(), "3") << "made anew after our delete";
}

}  // namespace
}  // namespace tidegate::kube
