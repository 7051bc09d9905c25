// SPDX-License-Identifier: Apache-2.0
#include "net/resolve.h"

#include <list>

#include "net/errors.h"

namespace tidegate::net {
namespace {

using TcpResolver = asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type>;
using Found = TcpResolver::results_type;

struct Query {
  std::string host;
  std::uint16_t port = 0;
  Resolver::Done done;  // null once it is over, or given up

  void finish(Result<std::vector<Address>> result) {
    if (const auto told = std::exchange(done, nullptr)) told(std::move(result));
  }
};

Error failure(const std::string& host, const boost::system::error_code& error) {
  if (error == asio::error::host_not_found || error == asio::error::no_data)
    return {ErrorCode::kUnavailable, "no host is named " + host};
  if (error == asio::error::host_not_found_try_again)
    return {ErrorCode::kUnavailable, "no name server answers for " + host};
  return {ErrorCode::kUnavailable, to_error("look up " + host, error).detail};
}

Result<std::vector<Address>> addresses_of(const Query& query, const boost::system::error_code& error,
                                          const Found& found) {
  if (error) return failure(query.host, error);
  std::vector<Address> addresses;
  for (const auto& entry : found) {
    if (addresses.size() < kMaxAddresses)
      addresses.push_back({entry.endpoint().address().to_string(), query.port});
  }
  if (addresses.empty()) return failure(query.host, asio::error::no_data);
  return addresses;
}

// Alive as long as a lookup is under way, whatever became of its Resolver.
struct Line : std::enable_shared_from_this<Line> {
  explicit Line(asio::io_context& io) : resolver(io.get_executor()) {}

  void next() {
    if (running || waiting.empty()) return;
    running = std::move(waiting.front());
    waiting.pop_front();
    auto answered = [self = shared_from_this()](const boost::system::error_code& error, const Found& found) {
      const auto query = std::exchange(self->running, nullptr);
      self->next();
      query->finish(addresses_of(*query, error, found));
    };
    resolver.async_resolve(running->host, std::to_string(running->port), TcpResolver::numeric_service,
                           std::move(answered));
  }
  void give_up(const std::shared_ptr<Query>& query) {
    query->done = nullptr;
    waiting.remove(query);
  }
  void give_up_all() {
    ended = true;
    if (running) running->done = nullptr;
    waiting.clear();
    resolver.cancel();
  }

  TcpResolver resolver;
  std::list<std::shared_ptr<Query>> waiting;
  std::shared_ptr<Query> running;
  bool ended = false;
};

class LineLookup final : public Resolver::Lookup {
 public:
  LineLookup(std::shared_ptr<Line> line, std::shared_ptr<Query> query)
      : line_(std::move(line)), query_(std::move(query)) {}
  ~LineLookup() override { line_->give_up(query_); }

 private:
  std::shared_ptr<Line> line_;
  std::shared_ptr<Query> query_;
};

class SystemResolver final : public Resolver {
 public:
  explicit SystemResolver(asio::io_context& io) : line_(std::make_shared<Line>(io)) {}
  ~SystemResolver() override { line_->give_up_all(); }

  std::unique_ptr<Lookup> lookup(const std::string& host, std::uint16_t port, Done done) override {
    const auto query = std::make_shared<Query>(Query{host, port, std::move(done)});
    boost::system::error_code not_numeric;
    const auto ip = asio::ip::make_address(host, not_numeric);
    if (!not_numeric) {
      finish_soon(query, std::vector{Address{ip.to_string(), port}});
    } else if (line_->waiting.size() >= kMaxLookups) {
      finish_soon(query, Error{ErrorCode::kLimit, "too many names are looked up to ask for " + host});
    } else {
      line_->waiting.push_back(query);
      line_->next();
    }
    return std::make_unique<LineLookup>(line_, query);
  }

 private:
  void finish_soon(const std::shared_ptr<Query>& query, Result<std::vector<Address>> result) {
    asio::post(line_->resolver.get_executor(), [line = line_, query, result = std::move(result)] {
      if (!line->ended) query->finish(result);
    });
  }
  std::shared_ptr<Line> line_;
};

}  // namespace

std::unique_ptr<Resolver> open_resolver(asio::io_context& io) { return std::make_unique<SystemResolver>(io); }

}  // namespace tidegate::net
