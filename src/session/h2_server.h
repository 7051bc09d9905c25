// SPDX-License-Identifier: Apache-2.0
// Server side of one HTTP/2 connection: the streams of an http::H2Session to requests for a RequestHandler,
// many at once, and responses back. Same contract as serve_h1(): malformed input is answered here, the
// time-outs of ServerLimits hold for each stream. Thread: its loop's. Owns: the stream and its buffers; it
// owns itself until the connection ends.
#pragma once

#include "session/h1_server.h"

namespace tidegate::session {

// For a connection whose ALPN is h2, or whose first bytes (`options.received`) are the preface.
std::shared_ptr<ServerConnection> serve_h2(std::unique_ptr<net::Stream> stream, ServerOptions options);

}  // namespace tidegate::session
