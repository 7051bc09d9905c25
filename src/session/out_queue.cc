// SPDX-License-Identifier: Apache-2.0
#include "session/out_queue.h"

#include <algorithm>

namespace tidegate::session {
namespace {

constexpr std::size_t kWorthNoCopy = 8 * 1024;    // below, copying costs less than a system call of its own
constexpr std::size_t kSlice = 64 * 1024;         // progress, and so life, is seen at least this often
constexpr std::size_t kKeptCapacity = 64 * 1024;  // a larger buffer is given back once it is empty

void give_back(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptCapacity) buffer.shrink_to_fit();
}

}  // namespace

void OutQueue::put(std::string_view data) {
  if (stopped_) return;
  if (data.size() >= kWorthNoCopy && !writing_) {
    const std::string_view parts[] = {next_, data};
    const std::size_t sent = stream_.try_write(parts);
    taken_ += sent;
    const std::size_t of_next = std::min(sent, next_.size());
    next_.erase(0, of_next);
    data.remove_prefix(sent - of_next);
  }
  next_.append(data);
}

void OutQueue::flush() {
  if (writing_ || stopped_ || next_.empty()) return;
  const std::string_view parts[] = {next_};
  const std::size_t sent = stream_.try_write(parts);
  taken_ += sent;
  if (sent == next_.size()) return give_back(next_);
  in_flight_.swap(next_);
  in_flight_sent_ = sent;
  write_slice();
}

void OutQueue::flush_soon() {
  if (posted_ || stopped_ || writing_) return;
  posted_ = true;
  stream_.post([this, keep = owner_.keep_alive()] {
    posted_ = false;
    flush();
    if (!stopped_) owner_.on_sent();
  });
}

void OutQueue::write_slice() {
  const std::string_view slice = std::string_view(in_flight_).substr(in_flight_sent_, kSlice);
  const std::string_view parts[] = {slice};
  writing_ = true;
  taken_ += slice.size();
  stream_.write(parts, [this, keep = owner_.keep_alive(), size = slice.size()](const Result<void>& result) {
    written(size, result);
  });
}

void OutQueue::written(std::size_t size, const Result<void>& result) {
  if (stopped_) return;
  writing_ = false;
  if (!result) {
    stopped_ = true;
    return owner_.on_send_failed();
  }
  in_flight_sent_ += size;
  if (in_flight_sent_ < in_flight_.size()) {
    write_slice();
  } else {
    give_back(in_flight_);
    in_flight_sent_ = 0;
    flush();
  }
  owner_.on_sent();
}

}  // namespace tidegate::session
