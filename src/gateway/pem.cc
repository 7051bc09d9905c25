// SPDX-License-Identifier: Apache-2.0
#include "gateway/pem.h"

#include <string>

#include "base/text.h"

namespace tidegate::gateway {

bool has_pem_block(std::string_view pem, std::string_view label_end) {
  constexpr std::string_view dashes = "-----";
  for (std::size_t at = pem.find("-----BEGIN "); at != pem.npos; at = pem.find("-----BEGIN ", at + 1)) {
    const std::size_t label = at + 11;
    const std::size_t label_stop = pem.find(dashes, label);
    if (label_stop == pem.npos) return false;
    const auto name = pem.substr(label, label_stop - label);
    if (!name.ends_with(label_end)) continue;
    const std::string end = "-----END " + std::string(name) + "-----";
    const std::size_t body = label_stop + dashes.size();
    const std::size_t stop = pem.find(end, body);
    if (stop == pem.npos) return false;
    std::string packed;
    for (const char c : pem.substr(body, stop - body)) {
      if (c != '\n' && c != '\r' && c != ' ') packed += c;
    }
    const auto bytes = text::base64_decode(packed);
    return bytes && !bytes->empty();
  }
  return false;
}

}  // namespace tidegate::gateway
