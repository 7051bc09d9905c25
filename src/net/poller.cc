// SPDX-License-Identifier: Apache-2.0
#include "net/poller.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace tidegate::net {

namespace {

// After so many events without a gap others are on their way, and where few come at once, as a busy network
// card does, a pause lets more of them come together: larger batches, and fewer calls, sleeps and wake-ups to
// pay for. The kernel makes it up to twice as long. Only among so many sockets, where each waits longer than
// that for its turn anyway; a few that wait for us and for each other would just be slower.
constexpr std::size_t kBusyEvents = 16;
constexpr std::size_t kFewEvents = 8;
constexpr std::size_t kManySockets = 64;
constexpr auto kPause = std::chrono::microseconds(50);

// The next events of few sockets most often come so soon that we wait for them here: to sleep in Asio, for
// all that there is to wait for, is three calls. That it waits meanwhile is bounded by kBatch: a wait counts
// as kFewEvents, so that it is less than two milliseconds.
constexpr std::chrono::nanoseconds kRest = std::chrono::microseconds(100);

// At most so many, at once or within `rest`; before Linux 5.11, or where that call is forbidden, only
// what is there already.
int wait_for_events(int epoll, epoll_event* events, std::size_t size, std::chrono::nanoseconds rest) {
  if (rest.count() > 0) {
    const timespec time{0, rest.count()};
    const int count = ::epoll_pwait2(epoll, events, static_cast<int>(size), &time, nullptr);
    if (count >= 0 || errno == EINTR) return count;
  }
  return ::epoll_wait(epoll, events, static_cast<int>(size), 0);
}

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
  const auto dropped = std::exchange(posted_, {});
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
  post([user = user.shared_from_this()] {
    user->ready(0);
    user->tell();
  });
}

void Poller::post(Callback<void()>&& callback) {
  posted_.push_back(std::move(callback));
  turn_soon();
}

SteadyTime Poller::now() {
  if (!in_round_) return system_clock().steady_now();
  if (!now_) now_ = system_clock().steady_now();
  return *now_;
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

// As long as events come, as asking for more is cheaper than to sleep and be woken. Asio's own sockets and
// timers wait for no more than a batch of events.
void Poller::turn() {
  turning_ = true;
  bool more = true;
  std::size_t since_pause = 0;
  for (std::size_t taken = 0; more && taken < kBatch;) {
    const std::size_t events = round(taken > 0 && posted_.empty());
    taken += std::max(events, kFewEvents);
    since_pause += events;
    more = events > 0 || !posted_.empty();
    const bool busy = since_pause >= kBusyEvents && users_.size() >= kManySockets;
    if (busy && more && events < kFewEvents && posted_.empty()) {
      std::this_thread::sleep_for(kPause);
      since_pause = 0;
    }
  }
  turning_ = false;
  if (more) return turn_soon();
  if (!users_.empty()) wait();
}

std::size_t Poller::round(bool rest) {
  const int count = wait_for_events(epoll_.native_handle(), events_.data(), kBatch,
                                    rest ? kRest : std::chrono::nanoseconds(0));
  const std::size_t events = count < 0 ? 0 : static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < events; ++i) static_cast<User*>(events_[i].data.ptr)->ready(events_[i].events);
  in_round_ = true;
  // From the back, as forget() looks at what is still to come.
  for (undelivered_ = events; undelivered_ > 0;) {
    if (undelivered_ % kEventsPerReading == 0) now_.reset();
    if (void* user = events_[--undelivered_].data.ptr) static_cast<User*>(user)->tell();
  }
  run_posted();
  in_round_ = false;
  now_.reset();
  return events;
}

// What is posted meanwhile comes with the next round.
void Poller::run_posted() {
  running_.swap(posted_);
  for (const auto& callback : running_) callback();
  running_.clear();
}

}  // namespace tidegate::net
