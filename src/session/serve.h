// SPDX-License-Identifier: Apache-2.0
// The server side of a connection of either HTTP version: by ALPN over TLS; in the clear by the first bytes,
// as an HTTP/2 client with prior knowledge begins with the preface (RFC 9113 section 3.3). Thread: its
// loop's.
#pragma once

#include "session/h1_server.h"

namespace tidegate::session {

std::shared_ptr<ServerConnection> serve_http(std::unique_ptr<net::Stream> stream, ServerOptions options);

}  // namespace tidegate::session
