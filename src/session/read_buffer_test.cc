// SPDX-License-Identifier: Apache-2.0
#include "session/read_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace tidegate::session {
namespace {

std::string_view fill(ReadBuffer& buffer, std::size_t from, std::string_view text) {
  std::copy(text.begin(), text.end(), buffer.data() + from);
  return {buffer.data() + from, text.size()};
}

TEST(ReadBuffer, KeepsWhatIsKeptThroughEachChange) {
  ReadBuffer buffer(8, 64);
  std::string_view kept = fill(buffer, 3, "abcd");
  for (const bool large : {false, true, true, false}) {
    kept = buffer.resize(large, kept);
    EXPECT_EQ(kept, "abcd");
    EXPECT_EQ(kept.data(), buffer.data());
    EXPECT_EQ(buffer.size(), large ? 64u : 8u);
  }
}

TEST(ReadBuffer, MovesWhatOverlapsItself) {
  ReadBuffer buffer(8, 64);
  EXPECT_EQ(buffer.resize(false, fill(buffer, 1, "abcdefg")), "abcdefg");
}

// A read into no room would look like the peer's end.
TEST(ReadBuffer, HasRoomBehindWhatIsKept) {
  for (const std::size_t size : {7, 8, 9, 63}) {
    ReadBuffer buffer(8, 64);
    const std::string text(size, 'x');
    EXPECT_EQ(buffer.resize(false, text), text);
    EXPECT_GT(buffer.size(), size);
  }
}

}  // namespace
}  // namespace tidegate::session
