// SPDX-License-Identifier: Apache-2.0
// An ordered list of header fields (RFC 9110 section 5) that owns its bytes in an arena, so that a reused
// instance allocates nothing. Names compare case-insensitively and keep the case they came in. Thread: none;
// a plain value. Not: a parser (h1_decoder.h), nor a policy on which fields may be forwarded (proxy/).
#pragma once

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate::http {

struct Field {
  std::string_view name;
  std::string_view value;
  bool checked = false;  // by the decoder: the name is a token, the value has no control characters
};

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Field> fields);
  Headers(Headers&& other) noexcept;  // views stay valid: arena blocks do not move
  Headers& operator=(Headers&& other) noexcept;
  Headers(const Headers& other);
  Headers& operator=(const Headers& other);

  // Both copy name and value. Values are what RFC 9110 section 5.5 allows; the caller has checked that.
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all fields of that name
  void remove(std::string_view name);
  template <typename Predicate>
  void remove_if(Predicate predicate) {
    std::erase_if(fields_, predicate);
  }
  void clear();  // keeps the memory

  std::optional<std::string_view> get(std::string_view name) const;  // the first one
  bool has(std::string_view name) const { return get(name).has_value(); }
  std::size_t count(std::string_view name) const;
  // True if the comma-separated list that all fields of this name form holds the token (case-insensitive):
  // Connection, TE, Upgrade.
  bool has_token(std::string_view name, std::string_view token) const;

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

  // Bytes that live as long as this object; for values built from parts.
  std::string_view store(std::string_view bytes) {
    char* place = allocate(bytes.size());
    if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
    return {place, bytes.size()};
  }
  // Adds a field whose name and value lie in what store() returned: no copy.
  void add_stored(const Field& field) {
    if (fields_.capacity() == 0) fields_.reserve(kUsualFields);
    fields_.push_back(field);
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  static constexpr std::size_t kUsualFields = 16;

  char* allocate(std::size_t size) {
    if (static_cast<std::size_t>(end_ - free_) < size) add_block_for(size);
    return std::exchange(free_, free_ + size);
  }
  void add_block(std::size_t size);
  void add_block_for(std::size_t size);

  std::vector<Field> fields_;
  std::vector<Block> blocks_;
  char* free_ = nullptr;  // of the last block: what is left of it
  char* end_ = nullptr;
};

}  // namespace tidegate::http
