// SPDX-License-Identifier: Apache-2.0
#include "apiserver/server.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "apiserver/api.h"
#include "apiserver/pki.h"
#include "session/http_server.h"

namespace tidegate::apiserver {
namespace {

// Held for as long as the server lives; the system lets go of it whatever becomes of the process.
class DirLock {
 public:
  explicit DirLock(const std::string& dir)
      : file_(::open((dir + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    locked_ = file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) == 0;
  }
  ~DirLock() {
    if (file_ >= 0) ::close(file_);
  }
  DirLock(const DirLock&) = delete;
  DirLock& operator=(const DirLock&) = delete;
  bool opened() const { return file_ >= 0; }
  bool locked() const { return locked_; }

 private:
  int file_;
  bool locked_ = false;
};

class OpenServer final : public Server {
 public:
  OpenServer(std::unique_ptr<DirLock> lock, std::unique_ptr<Storage> storage, Pki pki, Scheduler& scheduler)
      : lock_(std::move(lock)),
        storage_(std::move(storage)),
        pki_(std::move(pki)),
        api_(*storage_, scheduler) {}

  Result<void> start(net::EventLoop& loop, const net::Address& address) {
    if (auto prepared = api_.prepare(); !prepared) return prepared.error();
    net::ServerTlsOptions tls;
    tls.identity = pki_.server;
    tls.client_ca_pem = pki_.ca_pem;
    tls.require_client_certificate = true;
    auto context = net::make_server_tls(tls);
    if (!context) return tidegate::context("API server", context.error());
    session::HttpServer::Options options;
    options.address = address;
    options.tls = *context;
    auto http = session::HttpServer::open(loop.io(), loop.scheduler(), std::move(options),
                                          [this](session::Request request, session::Responder responder) {
                                            api_.handle(std::move(request), std::move(responder));
                                          });
    if (!http) return tidegate::context("API server", http.error());
    http_ = std::move(*http);
    return {};
  }

  net::Address address() const override { return http_->address(); }
  std::string kubeconfig() const override {
    return make_kubeconfig(pki_, "https://" + to_string(http_->address()));
  }
  void set_log_source(LogSource* logs) override { api_.set_log_source(logs); }
  void drain() override {
    api_.end_watches();
    http_->drain();
  }

 private:
  std::unique_ptr<DirLock> lock_;
  std::unique_ptr<Storage> storage_;
  Pki pki_;
  Api api_;
  std::unique_ptr<session::HttpServer> http_;  // last in, first out: its connections call the rest
};

}  // namespace

Result<std::unique_ptr<Server>> Server::open(net::EventLoop& loop, Options options) {
  std::error_code error;
  std::filesystem::create_directories(options.data_dir, error);
  if (error)
    return Error{ErrorCode::kIo, "data dir " + options.data_dir + ": cannot be made: " + error.message()};
  // Secrets stand in there.
  std::filesystem::permissions(options.data_dir, std::filesystem::perms::owner_all, error);
  auto lock = std::make_unique<DirLock>(options.data_dir);
  if (!lock->opened()) {
    return Error{ErrorCode::kIo,
                 "data dir " + options.data_dir + ": cannot be written: " + std::strerror(errno)};
  }
  if (!lock->locked()) {
    return Error{ErrorCode::kUnavailable, "data dir " + options.data_dir + ": in use by another process"};
  }
  auto pki = open_pki(options.data_dir + "/pki", loop.scheduler().clock().now());
  if (!pki) return pki.error();
  auto storage = Storage::open(options.data_dir + "/state.db");
  if (!storage) return storage.error();
  auto server =
      std::make_unique<OpenServer>(std::move(lock), std::move(*storage), std::move(*pki), loop.scheduler());
  if (auto started = server->start(loop, options.address); !started) return started.error();
  server->set_log_source(options.logs);
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace tidegate::apiserver
