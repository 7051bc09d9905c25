// SPDX-License-Identifier: Apache-2.0
// What the two kinds of TCP stream share: over Asio's reactor, and over the loop's poller. Private to net/.
#pragma once

#include "net/basic_stream.h"
#include "net/poller.h"

namespace tidegate::net {

std::unique_ptr<Stream> make_polled_stream(Poller& poller, TcpSocket socket);

// As Stream::try_write: what the socket takes without waiting.
std::size_t send_now(int socket, std::span<const std::string_view> parts);

}  // namespace tidegate::net
