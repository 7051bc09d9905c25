// SPDX-License-Identifier: Apache-2.0
// TLS over the loop's poller. OpenSSL reads from the socket into its own buffer and decrypts into the
// caller's; what it seals is gathered, so that several full records leave with one system call.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <optional>

#include "net/errors.h"
#include "net/limits.h"
#include "net/tcp_stream.h"
#include "net/tls_stream.h"

namespace tidegate::net {
namespace {

using SystemError = boost::system::error_code;

constexpr std::size_t kRecord = 16 * 1024;       // RFC 8446 section 5.1: a record holds no more
constexpr std::size_t kSealed = 4 * kRecord;     // at once; the rest once the socket has taken these
constexpr std::size_t kMaxSealed = 2 * kSealed;  // with answers to a peer that asks and does not read

// A peer that never reads the answers to what it asks of TLS, or asks too often.
const SystemError kTooMuch = asio::error::no_buffer_space;

// What records are sealed into before they are sent: of the thread, as no connection keeps it past a call.
std::string& fresh() {
  thread_local std::string records;
  return records;
}

std::size_t total(std::span<const std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  return size;
}

class PolledTls final : public Poller::User, public TlsConnection {
 public:
  PolledTls(Poller& poller, TcpSocket socket, std::shared_ptr<TlsContext> context, TlsRole role);
  ~PolledTls() override;

  SSL* ssl() override { return ssl_; }
  void shake_hands(std::function<void(const SystemError&)> done) override;
  void close() override;
  std::unique_ptr<Stream> open() override;

  void read(std::span<char> into, Stream::ReadCallback done);
  void write(std::span<const std::string_view> parts, Stream::WriteCallback done);
  std::size_t try_write(std::span<const std::string_view> parts);
  void reset();
  void shutdown_write();
  bool closed() const { return socket_ < 0; }
  const std::string& peer() const { return peer_; }
  Poller& poller() { return poller_; }

 private:
  static BIO_METHOD* method();
  static int receive(BIO* bio, char* into, int size);
  static int gather(BIO* bio, const char* record, int size);
  static long control(BIO* bio, int command, long, void*);
  static void on_state(const SSL* ssl, int where, int value);

  void ready(std::uint32_t events) override;
  void tell() override;
  void loop_gone() override;
  void go_on_shaking();
  void go_on_reading();
  void go_on_writing();
  SystemError failure(int result);
  std::size_t seal(std::span<const std::string_view> parts, std::size_t skip);
  bool seal_record(std::string_view text);
  std::size_t pay(std::size_t size);
  void send();
  void say_goodbye();

  Poller& poller_;
  const std::shared_ptr<TlsContext> context_;
  SSL* const ssl_;
  const std::string peer_;
  int socket_;
  std::shared_ptr<User> self_;  // during the handshake
  std::function<void(const SystemError&)> shaking_;
  std::optional<SystemError> shaken_;  // and not told yet
  std::span<char> into_;
  Stream::ReadCallback reader_;
  std::optional<Result<std::size_t>> received_;  // the same
  std::string joined_;                           // several parts
  std::string_view unwritten_;                   // of them, or of the caller's one
  Stream::WriteCallback writer_;
  std::optional<Result<void>> written_;  // the same
  std::string sealed_;                   // records that the socket has not taken yet
  std::size_t owed_ =
      0;                // bytes whose records are in sealed_ while their writer still counts them as its own
  SystemError broken_;  // of the socket, for good
  int chatter_ = 0;     // messages of TLS itself since the last byte for the reader
  bool readable_ = false;  // there may be more than was read
  bool hung_up_ = false;   // the end, or an error, stands behind what is there to read
  bool over_ = false;      // nothing can be decrypted any more
  bool goodbye_ = false;   // once all is written
};

// ---- OpenSSL's side ----

BIO_METHOD* PolledTls::method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "polled socket");
    TIDEGATE_ASSERT(made != nullptr);
    ::BIO_meth_set_read(made, receive);
    ::BIO_meth_set_write(made, gather);
    ::BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return method;
}

int PolledTls::receive(BIO* bio, char* into, int size) {
  auto& self = *static_cast<PolledTls*>(::BIO_get_data(bio));
  ::BIO_clear_retry_flags(bio);
  const auto wanted = static_cast<std::size_t>(size);
  if (self.chatter_ > kTlsChatter) return -1;
  const ssize_t bytes = self.readable_ ? ::recv(self.socket_, into, wanted, 0) : -1;
  if (bytes < 0 && (!self.readable_ || errno == EAGAIN || errno == EINTR)) {
    self.readable_ = false;  // the kernel says when that changes
    ::BIO_set_retry_read(bio);
    return -1;
  }
  if (bytes < 0) self.broken_ = {errno, boost::system::system_category()};
  if (bytes > 0 && static_cast<std::size_t>(bytes) < wanted && !self.hung_up_) self.readable_ = false;
  return static_cast<int>(bytes);
}

int PolledTls::gather(BIO* bio, const char* record, int size) {
  ::BIO_clear_retry_flags(bio);
  fresh().append(record, static_cast<std::size_t>(size));
  return size;
}

long PolledTls::control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// Behind the handshake. RFC 8446 section 4.6.3: a peer may have new keys as often as it likes, each with
// work for us, all within one call of SSL_read. A client that asks to renegotiate (TLS 1.2) is told no, and
// that is that.
void PolledTls::on_state(const SSL* ssl, int where, int value) {
  auto& self = *static_cast<PolledTls*>(::BIO_get_data(::SSL_get_rbio(ssl)));
  if ((where & SSL_CB_LOOP) != 0) ++self.chatter_;
  if (where == SSL_CB_WRITE_ALERT && (value & 0xff) == SSL_AD_NO_RENEGOTIATION)
    self.chatter_ += ::SSL_is_server(ssl) != 0 ? kTlsChatter + 1 : 1;
}

// ---- the socket's ----

PolledTls::PolledTls(Poller& poller, TcpSocket socket, std::shared_ptr<TlsContext> context, TlsRole role)
    : poller_(poller),
      context_(std::move(context)),
      ssl_(::SSL_new(context_->native())),
      peer_(socket.peer_address()),
      socket_(socket.release()) {
  TIDEGATE_ASSERT(ssl_ != nullptr);
  BIO* bio = ::BIO_new(method());
  TIDEGATE_ASSERT(bio != nullptr);
  ::BIO_set_data(bio, this);
  ::BIO_set_init(bio, 1);
  ::SSL_set_bio(ssl_, bio, bio);
  ::SSL_set_read_ahead(ssl_, 1);
  role == TlsRole::kServer ? ::SSL_set_accept_state(ssl_) : ::SSL_set_connect_state(ssl_);
}

PolledTls::~PolledTls() {
  close();
  ::SSL_free(ssl_);
}

// What OpenSSL has sealed meanwhile goes out, behind what waits.
void PolledTls::send() {
  std::string& records = fresh();
  if (!sealed_.empty()) sealed_.append(records);
  std::string_view unsent = sealed_.empty() ? records : sealed_;
  if (unsent.size() > kMaxSealed) broken_ = kTooMuch;
  while (!unsent.empty() && !broken_) {
    const ssize_t sent = ::send(socket_, unsent.data(), unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) break;
    if (sent < 0 && errno != EINTR) broken_ = {errno, boost::system::system_category()};
    if (sent > 0) unsent.remove_prefix(static_cast<std::size_t>(sent));
  }
  // By swapping: an idle connection keeps nothing.
  std::string(broken_ ? std::string_view() : unsent).swap(sealed_);
  records.clear();
}

void PolledTls::ready(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & EPOLLIN) != 0 || hung_up_) readable_ = true;
  if (closed()) return;
  if (!sealed_.empty()) send();
  if (shaking_ && !shaken_ && (readable_ || events == 0)) go_on_shaking();
  if (writer_ && !written_) go_on_writing();
  if (reader_ && !received_) go_on_reading();
}

void PolledTls::tell() {
  if (closed()) return;
  if (const auto error = std::exchange(shaken_, std::nullopt)) {
    const auto keep = std::exchange(self_, nullptr);
    const auto done = std::exchange(shaking_, nullptr);
    return done(*error);
  }
  if (const auto result = std::exchange(written_, std::nullopt)) {
    if (received_) poller_.soon(*this);  // as the first call may be the end of this object
    const auto writer = std::move(writer_);
    return writer(*result);
  }
  if (const auto result = std::exchange(received_, std::nullopt)) {
    const auto reader = std::move(reader_);
    reader(*result);
  }
}

// ---- the handshake ----

void PolledTls::shake_hands(std::function<void(const SystemError&)> done) {
  shaking_ = std::move(done);
  self_ = shared_from_this();
  poller_.add(socket_, *this);
  if (::SSL_is_server(ssl_) == 0) poller_.soon(*this);  // it is the client that begins
}

void PolledTls::go_on_shaking() {
  ::ERR_clear_error();
  const int result = ::SSL_do_handshake(ssl_);
  send();
  if (result == 1) {
    ::SSL_set_info_callback(ssl_, on_state);
    shaken_.emplace();
  } else if (const auto error = failure(result); error != asio::error::would_block) {
    shaken_ = error;
  }
}

// Of the call that returned `result`: eof for a proper end, would_block where the socket has to be waited
// for.
SystemError PolledTls::failure(int result) {
  const int kind = ::SSL_get_error(ssl_, result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return asio::error::would_block;
  over_ = true;
  if (kind == SSL_ERROR_ZERO_RETURN) return asio::error::eof;
  if (broken_) return broken_;
  const auto reason = ::ERR_peek_error();
  if (kind == SSL_ERROR_SYSCALL || reason == 0 ||
      ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return boost::asio::ssl::error::stream_truncated;
  return {static_cast<int>(reason), asio::error::get_ssl_category()};
}

// ---- reading ----

void PolledTls::read(std::span<char> into, Stream::ReadCallback done) {
  into_ = into;
  reader_ = std::move(done);
  if (readable_ || over_ || ::SSL_has_pending(ssl_) == 1) poller_.soon(*this);
}

void PolledTls::go_on_reading() {
  std::size_t taken = 0;
  int result = 1;
  do {
    std::size_t bytes = 0;
    ::ERR_clear_error();
    result = ::SSL_read_ex(ssl_, into_.data() + taken, into_.size() - taken, &bytes);
    taken += bytes;
    if (result == 1 && std::exchange(chatter_, 0) > 0) break;  // others have their turn
  } while (result == 1 && taken < into_.size() && (readable_ || ::SSL_has_pending(ssl_) == 1));
  auto error = result == 1 ? SystemError() : failure(result);
  send();  // answers of TLS itself
  if (chatter_ > kTlsChatter) broken_ = kTooMuch;
  if (broken_ == kTooMuch) error = broken_;
  if ((taken > 0 && error != kTooMuch) || error == asio::error::eof) {
    received_ = taken;
  } else if (error != asio::error::would_block) {
    received_ = to_error("read", error);
  }
}

// ---- writing ----

void PolledTls::write(std::span<const std::string_view> parts, Stream::WriteCallback done) {
  joined_.clear();
  if (parts.size() != 1) {
    for (const auto part : parts) joined_.append(part);
  }
  unwritten_ = parts.size() == 1 ? parts.front() : std::string_view(joined_);
  writer_ = std::move(done);
  poller_.soon(*this);
}

void PolledTls::go_on_writing() {
  while (!broken_ && sealed_.empty()) {
    unwritten_.remove_prefix(pay(unwritten_.size()));
    if (unwritten_.empty()) {
      if (goodbye_) say_goodbye();
      written_.emplace();
      return;
    }
    owed_ = seal({&unwritten_, 1}, 0);
    send();
  }
  if (broken_) written_ = to_error("write", broken_);
}

std::size_t PolledTls::try_write(std::span<const std::string_view> parts) {
  if (!sealed_.empty()) send();
  const std::size_t all = total(parts);
  std::size_t taken = 0;
  while (!broken_ && sealed_.empty()) {
    taken += pay(all - taken);
    if (taken == all) break;
    owed_ = seal(parts, taken);
    send();
  }
  return taken;
}

// How many of the next `size` bytes of a writer have left already.
std::size_t PolledTls::pay(std::size_t size) {
  const std::size_t paid = std::min(owed_, size);
  owed_ -= paid;
  return paid;
}

// Full records, whatever the parts, of so many bytes at most; 0 once the connection is broken.
std::size_t PolledTls::seal(std::span<const std::string_view> parts, std::size_t skip) {
  std::array<char, kRecord> gathered;
  std::size_t held = 0, done = 0;
  const auto flush = [&] {
    const std::size_t size = std::exchange(held, 0);
    done += size;
    return size == 0 || seal_record({gathered.data(), size});
  };
  for (std::string_view part : parts) {
    const std::size_t skipped = std::min(skip, part.size());
    skip -= skipped;
    part.remove_prefix(skipped);
    while (!part.empty() && done + held < kSealed) {
      const std::size_t size = std::min(part.size(), kRecord - held);
      const std::string_view piece = part.substr(0, size);
      part.remove_prefix(size);
      if (size == kRecord) {  // needs no copy
        if (!seal_record(piece)) return 0;
        done += size;
        continue;
      }
      held += piece.copy(gathered.data() + held, size);
      if (held == kRecord && !flush()) return 0;
    }
  }
  return flush() ? done : 0;
}

bool PolledTls::seal_record(std::string_view text) {
  std::size_t bytes = 0;
  ::ERR_clear_error();
  if (::SSL_write_ex(ssl_, text.data(), text.size(), &bytes) == 1) return true;
  if (!broken_) broken_ = boost::asio::ssl::error::unexpected_result;
  return false;
}

void PolledTls::shutdown_write() {
  goodbye_ = true;
  if (!writer_) say_goodbye();
}

// close_notify; the other side may go on.
void PolledTls::say_goodbye() {
  ::ERR_clear_error();
  ::SSL_shutdown(ssl_);
  send();
}

// ---- ends ----

void PolledTls::close() {
  if (closed()) return;
  if (writer_ && !written_) go_on_writing();  // as much as leaves without waiting: it was written before
  poller_.forget(*this);
  ::close(std::exchange(socket_, -1));
  // What they hold may be the very caller.
  if (reader_ || writer_ || shaking_) {
    poller_.post([reader = std::move(reader_), writer = std::move(writer_),
                  shaking = std::exchange(shaking_, nullptr), self = std::exchange(self_, nullptr)] {});
  }
}

void PolledTls::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  broken_ = asio::error::connection_reset;  // nothing more leaves
  close();
}

void PolledTls::loop_gone() {
  ::close(std::exchange(socket_, -1));
  const auto self = std::exchange(self_, nullptr);
  const auto shaking = std::exchange(shaking_, nullptr);
  const auto reader = std::move(reader_);
  const auto writer = std::move(writer_);
}

class PolledTlsStream final : public Stream {
 public:
  explicit PolledTlsStream(std::shared_ptr<PolledTls> connection)
      : connection_(std::move(connection)), names_(connection_->ssl()) {}
  ~PolledTlsStream() override { connection_->close(); }

  void read(std::span<char> into, ReadCallback done) override {
    if (!connection_->closed()) connection_->read(into, std::move(done));
  }
  void write(std::span<const std::string_view> parts, WriteCallback done) override {
    if (!connection_->closed()) connection_->write(parts, std::move(done));
  }
  std::size_t try_write(std::span<const std::string_view> parts) override {
    return connection_->closed() ? 0 : connection_->try_write(parts);
  }
  void close() override { connection_->close(); }
  void reset() override {
    if (!connection_->closed()) connection_->reset();
  }
  void shutdown_write() override {
    if (!connection_->closed()) connection_->shutdown_write();
  }
  std::string_view alpn() const override { return names_.alpn; }
  std::string_view server_name() const override { return names_.server_name; }
  std::string_view peer_common_name() const override { return names_.peer_common_name; }
  std::shared_ptr<const ClientProof> client_proof() const override { return names_.client_proof; }
  std::string peer_address() const override { return connection_->peer(); }
  void post(Callback<void()> callback) override { connection_->poller().post(std::move(callback)); }

 private:
  std::shared_ptr<PolledTls> connection_;
  const TlsNames names_;
};

std::unique_ptr<Stream> PolledTls::open() {
  return std::make_unique<PolledTlsStream>(std::static_pointer_cast<PolledTls>(shared_from_this()));
}

}  // namespace

TlsConnectionPtr make_polled_tls(Poller& poller, TcpSocket socket, std::shared_ptr<TlsContext> context,
                                 TlsRole role) {
  return std::make_shared<PolledTls>(poller, std::move(socket), std::move(context), role);
}

}  // namespace tidegate::net
