// SPDX-License-Identifier: Apache-2.0
// The checks, held against this tree.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/architecture/checks.h"

namespace tidegate::architecture {
namespace {

const std::string kRoot = TIDEGATE_TREE;

const Tree& tree() {
  static const Tree all = read_tree(kRoot);
  return all;
}

std::string text_of(std::string_view path) {
  for (const auto& file : tree()) {
    if (file.path == path) return file.text;
  }
  ADD_FAILURE() << path << " is missing";
  return {};
}

std::string listed(const Strings& findings) {
  std::string out;
  for (const auto& finding : findings) out += "\n  " + finding;
  return out;
}

// Everything a link may point to: files of any kind, and folders.
Strings all_paths() {
  namespace fs = std::filesystem;
  Strings paths{""};
  for (auto it = fs::recursive_directory_iterator(kRoot); it != fs::recursive_directory_iterator(); ++it) {
    const auto name = it->path().filename();
    if (name == ".git" || name == "build") it.disable_recursion_pending();
    paths.push_back(fs::relative(it->path(), kRoot).generic_string());
  }
  return paths;
}

TEST(Tree, WasRead) {
  EXPECT_GT(tree().size(), 100u);
  EXPECT_FALSE(text_of("src/base/clock.cc").empty());
}
TEST(Tree, KeepsItsLayers) { EXPECT_EQ(listed(check_layers(tree(), text_of("docs/architecture.md"))), ""); }
TEST(Tree, KeepsThingsInTheirPlaces) {
  EXPECT_EQ(listed(check_places(tree(), text_of("docs/architecture.md"))), "");
}
TEST(Tree, KeepsItsSizes) {
  EXPECT_EQ(listed(check_sizes(tree(), text_of("tests/architecture/size_allow_list.txt"))), "");
}
TEST(Tree, OpensItsHeadersWell) { EXPECT_EQ(listed(check_headers(tree())), ""); }
TEST(Tree, IsClean) { EXPECT_EQ(listed(check_form(tree())), ""); }
TEST(Tree, LinksToWhatIsThere) { EXPECT_EQ(listed(check_links(tree(), all_paths())), ""); }
TEST(Tree, DocumentsItsMetrics) { EXPECT_EQ(listed(check_metrics(tree(), text_of("docs/metrics.md"))), ""); }

}  // namespace
}  // namespace tidegate::architecture
