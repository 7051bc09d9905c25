// SPDX-License-Identifier: Apache-2.0
// The rules of docs/architecture.md and of the tree's form, each a pure function from files to findings. An
// empty list of findings is a pass. checks_test.cc shows that each can fail, tree_test.cc holds them against
// the tree. Thread: none; pure.
#pragma once

#include "tests/architecture/source.h"

namespace tidegate::architecture {

inline constexpr int kMaxFileLines = 600;
inline constexpr int kMaxFunctionLines = 70;

// `page` is docs/architecture.md throughout.
Strings check_layers(const Tree& tree, const std::string& page);  // its layer table, and the table of shells
Strings check_places(const Tree& tree, const std::string& page);  // its table of what stands only where
Strings check_sizes(const Tree& tree,
                    const std::string& allow_list);  // "path" or "path: function head" a line
Strings check_headers(const Tree& tree);             // SPDX line, opening comment, #pragma once
Strings check_form(const Tree& tree);                // line ends, leftovers, paths of someone's machine
Strings check_links(const Tree& tree,
                    const std::vector<std::string>& paths);  // of *.md; `paths`: everything that exists
Strings check_metrics(const Tree& tree, const std::string& metrics_page);  // both ways

}  // namespace tidegate::architecture
