// SPDX-License-Identifier: Apache-2.0
// Text files compiled into the binary (cmake/EmbedText.cmake): schemas, so that the program needs no data
// folder.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace tidegate::base {

struct EmbeddedFile {
  std::string_view name;  // file name without folders
  std::string_view text;
};

}  // namespace tidegate::base
