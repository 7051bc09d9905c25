// SPDX-License-Identifier: Apache-2.0
// For tests: the other side of a TLS connection, by OpenSSL over a blocking socket, with none
// of our code between. Thread: the one that it is used on.
#pragma once

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "net/pem.h"
#include "net/stream.h"
#include "net/tls.h"

namespace tidegate::net::test {

struct FreeSsl {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { ::SSL_SESSION_free(session); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSsl>;
using Ssl = std::unique_ptr<SSL, FreeSsl>;
using SslSession = std::unique_ptr<SSL_SESSION, FreeSsl>;

inline void set_identity(SSL_CTX* context, const KeyPair& identity) {
  if (identity.certificate_pem.empty()) return;
  const auto chain = read_certificates(identity.certificate_pem);
  const auto key = read_private_key(identity.private_key_pem);
  ::SSL_CTX_use_certificate(context, chain->front().get());
  for (std::size_t i = 1; i < chain->size(); ++i) ::SSL_CTX_add1_chain_cert(context, (*chain)[i].get());
  ::SSL_CTX_use_PrivateKey(context, key->get());
}

// A client that verifies nobody. A socket that waits longer than ten seconds fails.
class OpensslClient {
 public:
  struct Settings {
    int version = TLS1_3_VERSION;
    std::string name = {};  // SNI
    std::string alpn = {};  // as TLS sends it
    KeyPair identity = {};
    SSL_SESSION* session = nullptr;
  };
  OpensslClient(const Address& address, const Settings& settings)
      : context_(::SSL_CTX_new(::TLS_client_method())), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    ::SSL_CTX_set_min_proto_version(context_.get(), settings.version);
    ::SSL_CTX_set_max_proto_version(context_.get(), settings.version);
    set_identity(context_.get(), settings.identity);
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.ip.c_str(), &to.sin_addr);
    ssl_.reset(::SSL_new(context_.get()));
    ::SSL_set_fd(ssl_.get(), socket_);
    if (!settings.name.empty()) ::SSL_set_tlsext_host_name(ssl_.get(), settings.name.c_str());
    if (!settings.alpn.empty()) {
      ::SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(settings.alpn.data()),
                            static_cast<unsigned>(settings.alpn.size()));
    }
    if (settings.session != nullptr) ::SSL_set_session(ssl_.get(), settings.session);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 &&
                 ::SSL_connect(ssl_.get()) == 1;
  }
  ~OpensslClient() {
    if (connected_) ::SSL_shutdown(ssl_.get());  // sessions of connections that end otherwise are void
    ::close(socket_);
  }
  OpensslClient(const OpensslClient&) = delete;
  OpensslClient& operator=(const OpensslClient&) = delete;

  bool connected() const { return connected_; }
  bool resumed() const { return ::SSL_session_reused(ssl_.get()) == 1; }
  SSL* ssl() { return ssl_.get(); }
  int socket() const { return socket_; }
  // How often the server has let it ask for new keys, of so many times.
  int update_keys(int times, int kind = SSL_KEY_UPDATE_NOT_REQUESTED) {
    int done = 0;
    while (done < times && ::SSL_key_update(ssl_.get(), kind) == 1 && ::SSL_do_handshake(ssl_.get()) == 1)
      ++done;
    return done;
  }
  // What comes next; empty: the end.
  std::string read() {
    char bytes[256];
    const int size = ::SSL_read(ssl_.get(), bytes, sizeof bytes);
    return {bytes, static_cast<std::size_t>(size > 0 ? size : 0)};
  }
  bool write(std::string_view text) {
    return ::SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) ==
           static_cast<int>(text.size());
  }
  SslSession session() { return SslSession(::SSL_get1_session(ssl_.get())); }
  std::string server_common_name() const {
    char name[256] = "";
    if (const X509* shown = ::SSL_get0_peer_certificate(ssl_.get()))
      ::X509_NAME_get_text_by_NID(::X509_get_subject_name(shown), NID_commonName, name, sizeof name);
    return name;
  }

 private:
  SslContext context_;
  int socket_;
  Ssl ssl_;
  bool connected_ = false;
};

// A server that asks nobody for a certificate. Each connection has its turn on a thread of its own: the
// handshake, five bytes ("hello"), the end.
class OpensslServer {
 public:
  struct Settings {
    int version = TLS1_3_VERSION;
    KeyPair identity = {};
    bool says_goodbye = true;  // close_notify
    bool resumes = true;       // false: whoever asks for that is refused
  };
  explicit OpensslServer(const Settings& settings)
      : settings_(settings),
        context_(::SSL_CTX_new(::TLS_server_method())),
        socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    std::signal(SIGPIPE, SIG_IGN);
    ::SSL_CTX_set_min_proto_version(context_.get(), settings.version);
    ::SSL_CTX_set_max_proto_version(context_.get(), settings.version);
    set_identity(context_.get(), settings.identity);
    ::SSL_CTX_set_alpn_select_cb(context_.get(), note_offer, this);
    if (!settings.resumes) ::SSL_CTX_set_session_ticket_cb(context_.get(), nullptr, refuse, nullptr);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    ::inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
    ::bind(socket_, reinterpret_cast<sockaddr*>(&here), sizeof here);
    ::listen(socket_, 8);
    socklen_t size = sizeof here;
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&here), &size);
    address_ = {"127.0.0.1", ntohs(here.sin_port)};
    thread_ = std::thread([this] { serve(); });
  }
  ~OpensslServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  OpensslServer(const OpensslServer&) = delete;
  OpensslServer& operator=(const OpensslServer&) = delete;

  const Address& address() const { return address_; }
  int resumed() const { return resumed_; }  // connections
  // By ALPN, as TLS sends it: of the connection that came last.
  std::string offered() const {
    const std::lock_guard lock(mutex_);
    return offered_;
  }

 private:
  static int note_offer(SSL*, const unsigned char**, unsigned char*, const unsigned char* names,
                        unsigned size, void* argument) {
    auto& self = *static_cast<OpensslServer*>(argument);
    const std::lock_guard lock(self.mutex_);
    self.offered_.assign(reinterpret_cast<const char*>(names), size);
    return SSL_TLSEXT_ERR_NOACK;
  }
  static SSL_TICKET_RETURN refuse(SSL*, SSL_SESSION*, const unsigned char*, std::size_t,
                                  SSL_TICKET_STATUS status, void*) {
    return status == SSL_TICKET_EMPTY ? SSL_TICKET_RETURN_IGNORE_RENEW : SSL_TICKET_RETURN_ABORT;
  }
  void serve() {
    for (int taken = ::accept(socket_, nullptr, nullptr); taken >= 0;
         taken = ::accept(socket_, nullptr, nullptr)) {
      const timeval patience{10, 0};
      ::setsockopt(taken, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      const Ssl ssl(::SSL_new(context_.get()));
      ::SSL_set_fd(ssl.get(), taken);
      if (::SSL_accept(ssl.get()) == 1) {
        resumed_ += ::SSL_session_reused(ssl.get());
        ::SSL_write(ssl.get(), "hello", 5);
        if (settings_.says_goodbye) ::SSL_shutdown(ssl.get());
      }
      ::close(taken);
    }
  }

  const Settings settings_;
  SslContext context_;
  int socket_;
  Address address_;
  std::atomic<int> resumed_ = 0;
  mutable std::mutex mutex_;
  std::string offered_;
  std::thread thread_;
};

}  // namespace tidegate::net::test
