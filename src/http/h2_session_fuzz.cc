// SPDX-License-Identifier: Apache-2.0
// Both roles on any bytes: never a crash, and the same messages however the input is cut.
#include "base/assert.h"
#include "http/h2_peer.h"

namespace {

using namespace tidegate::http;

bool same(const Headers& a, const Headers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Field& x, const Field& y) { return x.name == y.name && x.value == y.value; });
}

void run(H2End& end, std::string_view bytes, std::size_t step) {
  RequestHead head;
  head.method = "GET";
  head.authority = "a";
  end.session.request(head, "http", true);  // so that a client has something to be answered; a server can't
  end.session.produce(end.out, 1 << 20);    // nothing answers a request that was not sent yet
  end.feed(bytes, step);
}

void check(H2Session::Role role, const std::string& bytes, std::size_t step) {
  Limits small;  // so that bounds are reached by small inputs
  small.header_bytes = 1000;
  small.header_count = 10;
  small.trailer_bytes = 200;
  small.start_line_bytes = 200;
  H2Limits few;
  few.resets = few.own_resets = few.pings = few.settings = few.empty_frames = {5, 1};
  H2End whole(role, small, few), cut(role, small, few);
  run(whole, bytes, std::string_view::npos);
  run(cut, bytes, step);
  for (auto& [id, message] : whole.story.messages) {
    auto& other = cut.story.messages[id];
    TIDEGATE_ASSERT(message.has_head == other.has_head && message.ended == other.ended);
    TIDEGATE_ASSERT(message.request.target == other.request.target && message.refused == other.refused);
    TIDEGATE_ASSERT(same(message.request.headers, other.request.headers));
    TIDEGATE_ASSERT(same(message.trailers, other.trailers));
    TIDEGATE_ASSERT(message.response.status == other.response.status);
    // Of a body that breaks off, smaller pieces may show more.
    TIDEGATE_ASSERT(message.ended ? message.body == other.body : other.body.starts_with(message.body));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size < 2) return 0;
  const bool server = (data[0] & 1) != 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  check(server ? H2Session::Role::kServer : H2Session::Role::kClient, server ? h2_hello() + text : text,
        1 + data[0] / 2);
  return 0;
}
