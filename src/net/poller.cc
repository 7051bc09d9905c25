// SPDX-License-Identifier: Apache-2.0
#include "net/poller.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace tidegate::net {

namespace {

// So many events at once and more are on their way: asking for them is cheaper than to sleep and be woken.
constexpr int kBusy = 4;

}  // namespace

asio::execution_context::id Poller::id;

Poller::Poller(asio::execution_context& context)
    : service(context), io_(static_cast<asio::io_context&>(context)), epoll_(io_.get_executor()) {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  epoll_.assign(descriptor);
}

Poller* Poller::of(asio::io_context& io) {
  return asio::has_service<Poller>(io) ? &asio::use_service<Poller>(io) : nullptr;
}

void Poller::shutdown() {
  boost::system::error_code ignored;
  epoll_.close(ignored);
  while (!users_.empty()) {
    const auto user = (*users_.begin())->shared_from_this();
    users_.erase(user.get());
    user->loop_gone();
  }
  asked_.clear();
}

void Poller::add(int socket, User& user) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &user;
  ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event);
  users_.insert(&user);
  if (!turning_) wait();
}

void Poller::forget(User& user) {
  users_.erase(&user);
  for (std::size_t i = 0; i < undelivered_; ++i) {
    if (events_[i].data.ptr == &user) events_[i].data.ptr = nullptr;
  }
}

void Poller::soon(User& user) {
  asked_.push_back(user.shared_from_this());
  turn_soon();
}

void Poller::wait() {
  if (std::exchange(waiting_, true)) return;
  epoll_.async_wait(asio::posix::descriptor_base::wait_read, [this](auto error) {
    waiting_ = false;
    if (!error) turn();
  });
}

void Poller::turn_soon() {
  if (std::exchange(turning_, true)) return;
  asio::post(io_, [this] { turn(); });
}

void Poller::turn() {
  turning_ = true;
  const auto asked = std::exchange(asked_, {});
  const int count = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(kBatch), 0);
  // From the back, as forget() looks at what is still to come.
  for (undelivered_ = count < 0 ? 0 : static_cast<std::size_t>(count); undelivered_ > 0;) {
    const epoll_event event = events_[--undelivered_];
    if (event.data.ptr != nullptr)
      static_cast<User*>(event.data.ptr)->shared_from_this()->ready(event.events);
  }
  for (const auto& user : asked) user->ready(0);
  turning_ = false;
  if (count >= kBusy || !asked_.empty()) return turn_soon();
  if (!users_.empty()) wait();
}

}  // namespace tidegate::net
