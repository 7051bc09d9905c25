// SPDX-License-Identifier: Apache-2.0
// What a connection reads into: small while it is idle or little comes, large while much does. Owns: the
// bytes. Thread: its connection's.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>

namespace tidegate::session {

class ReadBuffer {
 public:
  ReadBuffer(std::size_t small, std::size_t large) : small_(small), large_(large), size_(small) {}

  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  bool is_large() const { return size_ == large_; }
  // Takes the size; not while a read is under way. `kept`, a part of it, moves to the front and is returned.
  std::string_view resize(bool large, std::string_view kept) {
    large |= kept.size() >= small_;  // room is left
    if (large != is_large()) {
      size_ = large ? large_ : small_;
      auto bytes = std::make_unique_for_overwrite<char[]>(size_);
      std::copy(kept.begin(), kept.end(), bytes.get());
      bytes_ = std::move(bytes);
    } else if (kept.data() != data()) {
      std::copy(kept.begin(), kept.end(), bytes_.get());
    }
    return {data(), kept.size()};
  }

 private:
  const std::size_t small_, large_;
  std::size_t size_;
  std::unique_ptr<char[]> bytes_ = std::make_unique_for_overwrite<char[]>(size_);
};

}  // namespace tidegate::session
