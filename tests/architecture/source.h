// SPDX-License-Identifier: Apache-2.0
// The tree's files as text, and what the checks need to see in them: C++ without comments and literals,
// functions and their sizes, tables and links of Markdown. A brace scanner, not a parser: it is meant for
// code in this tree's style. Thread: none; plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::architecture {

using Strings = std::vector<std::string>;

struct File {
  std::string path;  // from the tree's root: "src/kube/client.cc"
  std::string text;
};
using Tree = std::vector<File>;

// All text files below `root` but build output and version control, in the order of their paths.
Tree read_tree(const std::string& root);

bool is_cpp(std::string_view path);  // .h or .cc
Strings lines_of(std::string_view text);
// '*' stands for any characters, slashes too.
bool matches(std::string_view glob, std::string_view path);

// Comments, literals and directives blanked out, line ends kept.
std::string code_of(std::string_view cpp);
// What stands in string literals.
Strings literals_of(std::string_view cpp);
// The quoted #includes.
Strings includes_of(std::string_view cpp);

struct Function {
  std::string head;  // its first line
  int line = 0;
  int lines = 0;
};
std::vector<Function> functions_of(std::string_view cpp);

// The rows of the table whose header row begins with these cells; backquotes are taken off. Empty where there
// is no such table.
std::vector<Strings> table_of(std::string_view markdown, const Strings& header);
// Targets of links and images that point into the tree, without #fragments.
Strings relative_links(std::string_view markdown);

}  // namespace tidegate::architecture
