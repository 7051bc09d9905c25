// SPDX-License-Identifier: Apache-2.0
// A byte stream over TCP or TLS, by callbacks, one read and one write at a time. The narrow place where the
// I/O engine could be changed. Not: framing, time-outs (session/ owns those). Thread: its loop's. Owns: the
// socket.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "base/result.h"
#include "net/asio.h"
#include "net/tcp_socket.h"

namespace tidegate::net {

class ClientProof;
class TlsContext;
class TlsSession;

// Callbacks are never called from within the call that takes them, and never after the Stream's destruction.
// Operations keep their callback until they are undone, even past close(): one that owns the bytes which it
// reads or writes keeps them valid (Asio's streams need it).
class Stream {
 public:
  virtual ~Stream() = default;

  using ReadCallback = Callback<void(Result<std::size_t>)>;  // 0: the peer closed its side
  using WriteCallback = Callback<void(Result<void>)>;

  virtual void read(std::span<char> into, ReadCallback done) = 0;  // at least one byte, or the end
  virtual void write(std::span<const std::string_view> parts,
                     WriteCallback done) = 0;  // all of it; the bytes stay put till then
  // What can be sent at once: the number of bytes taken, 0 also on errors (the next write() tells). The rest
  // must come first in the next write: TLS may have sealed it. Not while a write() is pending.
  virtual std::size_t try_write(std::span<const std::string_view> parts) = 0;
  virtual void close() = 0;  // at once; pending callbacks are dropped
  virtual void
  reset() = 0;  // as close(), but the peer sees a broken connection where close() looks like a proper end
  virtual void shutdown_write() = 0;  // half close (TLS: close_notify)

  virtual std::string_view alpn() const = 0;         // negotiated protocol; empty over TCP
  virtual std::string_view server_name() const = 0;  // SNI that the client sent; empty over TCP
  // Common name of the verified client certificate; empty where there is none.
  virtual std::string_view peer_common_name() const = 0;
  // What it has proven; null: nothing. Of streams that accept_tls() made.
  virtual std::shared_ptr<const ClientProof> client_proof() const { return nullptr; }
  virtual std::string peer_address() const = 0;  // "127.0.0.1:51234"
  // In a turn of the loop of its own, soon; also once the stream is closed.
  virtual void post(Callback<void()> callback) = 0;
};

std::unique_ptr<Stream> make_tcp_stream(TcpSocket socket);

// Server side: handshakes, then hands over the stream, or an error: kForbidden for a client without a
// certificate that it needs. The deadline is the caller's: destroying the handle gives up.
class Handshake {
 public:
  virtual ~Handshake() = default;
};
using StreamCallback = std::function<void(Result<std::unique_ptr<Stream>>)>;
[[nodiscard]] std::unique_ptr<Handshake> accept_tls(TcpSocket socket, std::shared_ptr<TlsContext> context,
                                                    StreamCallback done);

struct Address {
  std::string ip;  // numeric IPv4 or IPv6
  std::uint16_t port = 0;
  friend auto operator<=>(const Address&, const Address&) = default;
};
std::string to_string(const Address& address);         // "127.0.0.1:80", "[::1]:80"
Result<Address> parse_address(std::string_view text);  // the inverse; port 0 is allowed

// Client side: connects (and handshakes where `tls` is given, `server_name` being SNI and the identity to
// verify). Destroying the handle gives up. Errors: kUnavailable "connection refused ...", kTimeout never (the
// caller's deadline).
// `session` is for one server, one context and one name: there the session that was begun last is kept, and
// resumed by the next connection. Null: each begins anew.
struct ConnectOptions {
  Address address;
  std::shared_ptr<TlsContext> tls;
  std::string server_name;
  std::shared_ptr<TlsSession> session = {};
};
std::shared_ptr<TlsSession> make_tls_session();  // thread: that of the connections
[[nodiscard]] std::unique_ptr<Handshake> connect(asio::io_context& io, const ConnectOptions& options,
                                                 StreamCallback done);

}  // namespace tidegate::net
