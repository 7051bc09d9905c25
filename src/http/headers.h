// SPDX-License-Identifier: Apache-2.0
// An ordered list of header fields (RFC 9110 section 5) that owns its bytes in an arena, so that a reused
// instance allocates nothing. Names compare case-insensitively and keep the case they came in. Thread: none;
// a plain value. Not: a parser (h1_decoder.h), nor a policy on which fields may be forwarded (proxy/).
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::http {

struct Field {
  std::string_view name;
  std::string_view value;
};

class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Field> fields);
  Headers(Headers&&) noexcept = default;  // views stay valid: arena blocks do not move
  Headers& operator=(Headers&&) noexcept = default;
  Headers(const Headers& other);
  Headers& operator=(const Headers& other);

  // Both copy name and value. Values are what RFC 9110 section 5.5 allows; the caller has checked that.
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all fields of that name
  void remove(std::string_view name);
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
  std::string_view store(std::string_view bytes);
  // Adds a field whose name and value store() returned: no copy.
  void add_stored(std::string_view name, std::string_view value) { fields_.push_back({name, value}); }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
  };
  char* allocate(std::size_t size);

  std::vector<Field> fields_;
  std::vector<Block> blocks_;
};

}  // namespace tidegate::http
