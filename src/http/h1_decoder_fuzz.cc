// SPDX-License-Identifier: Apache-2.0
// Both roles on any bytes: never a crash, and the same messages however the input is cut.
#include <algorithm>

#include "base/assert.h"
#include "http/decoded.h"
#include "http/h1_encoder.h"

namespace {

using namespace tidegate::http;

bool same(const Headers& a, const Headers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Field& one, const Field& other) {
    return one.name == other.name && one.value == other.value && one.known == other.known;
  });
}

void check(H1Decoder::Role role, std::string_view text, std::size_t step) {
  Limits small;  // so that bounds are reached by small inputs
  small.start_line_bytes = 200;
  small.header_bytes = 1000;
  small.header_count = 10;
  small.chunk_extension_bytes = 20;
  small.trailer_bytes = 200;
  const Decoded whole = decode(role, text, std::string_view::npos, small);
  const Decoded cut = decode(role, text, step, small);
  TIDEGATE_ASSERT(whole.error == cut.error);
  TIDEGATE_ASSERT(whole.messages.size() == cut.messages.size());
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    const DecodedMessage& message = whole.messages[i];
    TIDEGATE_ASSERT(message.body == cut.messages[i].body && message.complete == cut.messages[i].complete);
    TIDEGATE_ASSERT(same(message.request.headers, cut.messages[i].request.headers));
    TIDEGATE_ASSERT(same(message.response.headers, cut.messages[i].response.headers));
    if (role == H1Decoder::Role::kResponses) continue;
    // What was read is written so that it reads as one request again.
    std::string out;
    encode_head(message.request, {}, out);
    const Decoded again = decode(role, out);
    const bool no_host = message.request.authority.empty();
    TIDEGATE_ASSERT(no_host || (again.messages.size() == 1 && again.error == DecodeError::kNone));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(data[0] & 1 ? H1Decoder::Role::kRequests : H1Decoder::Role::kResponses, text, 1 + data[0] / 2);
  return 0;
}
