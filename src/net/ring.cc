// SPDX-License-Identifier: Apache-2.0
#include "net/ring.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <utility>

#include "base/assert.h"

namespace tidegate::net {
namespace {

constexpr unsigned kSubmissions = 1024;  // gathered at most; more are submitted in between
constexpr unsigned kCompletions = 8192;  // what does not fit waits in the kernel
constexpr int kRounds = 4;               // of give and take before the loop's other work has its turn

}  // namespace

asio::execution_context::id Ring::id;

Ring::Ring(asio::execution_context& context)
    : service(context), io_(static_cast<asio::io_context&>(context)), signal_(io_.get_executor()) {}

Ring::User::User(Ring& ring) : ring(ring) { ring.users_.insert(this); }
Ring::User::~User() { ring.users_.erase(this); }

void Ring::shutdown() {
  ended_ = true;
  boost::system::error_code ignored;
  signal_.close(ignored);
  if (open_) ::io_uring_queue_exit(&ring_);
  while (!users_.empty()) (*users_.extract(users_.begin()).value()).ring_gone();
}

Ring* Ring::of(asio::io_context& io) {
  if (!asio::has_service<Ring>(io)) return nullptr;
  Ring& ring = asio::use_service<Ring>(io);
  return ring.open() ? &ring : nullptr;
}

bool Ring::open() {
  if (std::exchange(tried_, true)) return open_;
  io_uring_params params{};
  // The kernel works on completions when it is asked for them, not in the midst of other work, and shows by a
  // flag that there are some.
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                 IORING_SETUP_CQSIZE;
  params.cq_entries = kCompletions;
  if (::io_uring_queue_init_params(kSubmissions, &ring_, &params) < 0) return false;
  const int signal = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (signal < 0 || ::io_uring_register_eventfd(&ring_, signal) < 0) {
    if (signal >= 0) ::close(signal);
    ::io_uring_queue_exit(&ring_);
    return false;
  }
  signal_.assign(signal);
  wait_for_signal();
  return open_ = true;
}

io_uring_sqe* Ring::next() {
  io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
  if (entry == nullptr) {
    ::io_uring_submit(&ring_);
    entry = ::io_uring_get_sqe(&ring_);
    TIDEGATE_ASSERT(entry != nullptr);
  }
  turn_soon();
  return entry;
}

void Ring::receive(int socket, std::span<char> into, Operation& operation) {
  io_uring_sqe* entry = next();
  ::io_uring_prep_recv(entry, socket, into.data(), into.size(), 0);
  ::io_uring_sqe_set_data(entry, &operation);
  entry->ioprio |= IORING_RECVSEND_POLL_FIRST;  // most often nothing has come yet
}

void Ring::send(int socket, std::string_view bytes, Operation& operation) {
  io_uring_sqe* entry = next();
  ::io_uring_prep_send(entry, socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  ::io_uring_sqe_set_data(entry, &operation);
}

void Ring::cancel(Operation& operation) {
  if (ended_) return;
  io_uring_sqe* entry = next();
  ::io_uring_prep_cancel(entry, &operation, 0);
  ::io_uring_sqe_set_data(entry, nullptr);
}

void Ring::close(int socket) {
  if (ended_) {
    ::shutdown(socket, SHUT_RDWR);  // the ring may still hold it
    ::close(socket);
    return;
  }
  io_uring_sqe* entry = next();
  ::io_uring_prep_close(entry, socket);
  ::io_uring_sqe_set_data(entry, nullptr);
}

void Ring::run_ended() {
  if (open_) ::io_uring_submit_and_get_events(&ring_);  // what was closed is closed
  ended_ = true;
}

void Ring::turn_soon() {
  if (std::exchange(turning_, true)) return;
  asio::post(io_, [this] { turn(); });
}

// While it goes on the kernel need not signal.
void Ring::turn() {
  turning_ = true;
  ::io_uring_cq_eventfd_toggle(&ring_, false);
  bool more = true;
  for (int round = 0; more && round < kRounds; ++round) more = exchange();
  turning_ = false;
  if (more) return turn_soon();
  ::io_uring_cq_eventfd_toggle(&ring_, true);
  // What was done just before would have signalled to nobody.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0) turn_soon();
}

// Hands over what is asked for and takes what is done. False: there was nothing of either.
bool Ring::exchange() {
  ::io_uring_submit_and_get_events(&ring_);
  const unsigned ready = ::io_uring_cq_ready(&ring_);
  for (unsigned i = 0; i < ready; ++i) {
    io_uring_cqe* entry = nullptr;
    if (::io_uring_peek_cqe(&ring_, &entry) != 0) break;
    auto* operation = static_cast<Operation*>(::io_uring_cqe_get_data(entry));
    const int result = entry->res;
    ::io_uring_cqe_seen(&ring_, entry);
    if (operation != nullptr) operation->done(result);
  }
  return ready != 0 || ::io_uring_sq_ready(&ring_) != 0;
}

void Ring::wait_for_signal() {
  signal_.async_read_some(asio::buffer(&signals_, sizeof signals_), [this](auto error, std::size_t) {
    if (error) return;
    turn();
    wait_for_signal();
  });
}

}  // namespace tidegate::net
