// SPDX-License-Identifier: Apache-2.0
#include "kube/watch_lines.h"

#include <gtest/gtest.h>

namespace tidegate::kube {
namespace {

using Lines = std::vector<std::string>;

TEST(WatchLines, JoinsChunksAndSkipsEmptyLines) {
  WatchLines lines(10);
  EXPECT_EQ(*lines.feed("ab"), Lines{});
  EXPECT_EQ(*lines.feed("c\n\r\n\nd"), Lines{"abc"});
  EXPECT_EQ(*lines.feed("\ne\nf"), (Lines{"d", "e"}));
}

TEST(WatchLines, ALineAtTheBoundPassesAndOnePastItDoesNot) {
  WatchLines lines(4);
  EXPECT_EQ(*lines.feed("1234\n"), Lines{"1234"});
  EXPECT_TRUE(lines.feed("123"));
  const auto refused = lines.feed("45\nok\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kLimit);
  EXPECT_FALSE(lines.feed("ok\n")) << "where the next line begins is not known any more";
}

TEST(WatchEvent, NamesWhatIsWrong) {
  EXPECT_EQ(parse_watch_event(R"({"type":"ADDED","object":{"a":1}})")->type, "ADDED");
  for (const auto* bad : {"", "[]", R"({"type":"RENAMED","object":{}})", R"({"type":"ADDED"})",
                          R"({"type":"ADDED","object":1})"}) {
    const auto event = parse_watch_event(bad);
    ASSERT_FALSE(event) << bad;
    EXPECT_EQ(event.error().code, ErrorCode::kInternal);
  }
}

}  // namespace
}  // namespace tidegate::kube
