// SPDX-License-Identifier: Apache-2.0
#include "http/chars.h"

#include <gtest/gtest.h>

#include <string>

#include "http/scan.h"

namespace tidegate::http {
namespace {

TEST(Chars, FindTheFirstBadByteOfAValueAtEachLengthAndPlace) {
  for (std::size_t size = 0; size <= 40; ++size) {
    const std::string good(size, 'v');
    ASSERT_EQ(find_bad_value_byte(good), size);
    for (std::size_t place = 0; place < size; ++place) {
      std::string text = good;
      text[place] = '\r';
      ASSERT_EQ(find_bad_value_byte(text), place) << "of " << size;
      text.back() = '\n';
      ASSERT_EQ(find_bad_value_byte(text), place) << "of " << size << " with another at the end";
    }
  }
}

TEST(Chars, KnowEveryByteThatAValueMayHold) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool bad = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(find_bad_value_byte(text) == 0, bad) << byte;
    const std::string in_a_long_one = "0123456789abcdef" + text + "0123456789";
    EXPECT_EQ(find_bad_value_byte(in_a_long_one), bad ? 16 : in_a_long_one.size()) << byte;
  }
}

TEST(Chars, ScanUsualNamesAtEachLengthForEachByte) {
  for (std::size_t size = 1; size <= 36; ++size) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(size, 'n');
      text.back() = static_cast<char>(byte);
      const bool usual = std::isalnum(byte) != 0 || byte == '-';
      ASSERT_EQ(run_size<UsualNameByte>(text), usual ? size : size - 1) << byte;
    }
  }
}

TEST(Chars, CompareNamesWhateverTheirCase) {
  EXPECT_TRUE(iequals("Content-Length", "content-LENGTH"));
  EXPECT_FALSE(iequals("Content-Length", "Content-Lengt"));
  EXPECT_FALSE(iequals("@", "`")) << "only letters have a case";
}

}  // namespace
}  // namespace tidegate::http
