// SPDX-License-Identifier: Apache-2.0
// The server name in the first bytes of a TLS connection, from 1.0 to 1.3: records, ClientHello, the
// extension server_name (RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3). For choosing where to send a
// connection that somebody else decrypts. Sans I/O and total. Not: a check of whether the hello makes sense
// to a server. Thread: any; nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::net {

struct ClientHello {
  enum class State : std::uint8_t { kMore, kComplete, kInvalid };
  State state = State::kMore;
  std::size_t needed = 0;   // kMore: of the whole, at least so many bytes before more can be said
  std::string server_name;  // kComplete: in lower case; empty: the client names none
  std::string_view fault;   // kInvalid: a literal
};

// `bytes` begin where the connection begins. A result other than kMore stays the same whatever follows.
// kInvalid too where the hello would take more than kClientHelloBytes.
ClientHello parse_client_hello(std::string_view bytes);

}  // namespace tidegate::net
