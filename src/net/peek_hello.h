// SPDX-License-Identifier: Apache-2.0
// Looks at the ClientHello on a new connection and leaves it in the socket: whoever gets the socket, be it
// TLS of our own or a backend's, reads the connection from its first byte. Thread: the loop's. Owns: the
// socket, until it hands it over.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/stream.h"

namespace tidegate::net {

// `server_name` as in ClientHello (client_hello.h). Errors, with which the socket closes: kInvalid where the
// bytes are no ClientHello, kUnavailable where the client left. Never called from within peek_hello().
using PeekedCallback = std::function<void(Result<std::string> server_name, TcpSocket socket)>;

// The deadline is the caller's: destroying the handle gives up and closes the socket.
[[nodiscard]] std::unique_ptr<Handshake> peek_hello(TcpSocket socket, PeekedCallback done);

// Takes what has come and closes, so that the peer sees an end, where unread bytes would make it a reset.
void close_cleanly(TcpSocket socket);

}  // namespace tidegate::net
