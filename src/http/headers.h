// SPDX-License-Identifier: Apache-2.0
// An ordered list of header fields (RFC 9110 section 5) that owns its bytes in an arena, so that a reused
// instance allocates nothing: each one as the line "name: value\r\n", so that a writer may take fields that
// stand behind each other at once. Names compare case-insensitively and keep the case they came in. Thread:
// none; a plain value. Not: a parser (h1_decoder.h), nor a policy on which fields may be forwarded (proxy/).
#pragma once

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "http/field_name.h"

namespace tidegate::http {

struct Field {
  std::string_view name;
  std::string_view value;
  KnownField known = KnownField::kNone;  // right in a field that Headers hold
  bool checked = false;  // by the decoder: the name is a token, the value has no control characters

  // Of a field that Headers hold: the whole line, with its end.
  std::string_view line() const { return {name.data(), name.size() + value.size() + 4}; }
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
  void add(FieldName name, std::string_view value);
  void set(FieldName name, std::string_view value);  // replaces all fields of that name
  // Copies a whole line "name: value\r\n" that its decoder has checked.
  void add_line(std::string_view line, std::size_t name_size, KnownField known) {
    const char* const stored = store(line).data();
    const std::size_t value = name_size + 2;
    keep({{stored, name_size}, {stored + value, line.size() - value - 2}, known, true});
  }
  void remove(FieldName name);
  void remove(KnownFields names);
  void clear();  // keeps the memory

  std::optional<std::string_view> get(FieldName name) const;  // the first one
  bool has(FieldName name) const { return get(name).has_value(); }
  bool has_any(KnownFields names) const { return known_.intersects(names); }
  std::size_t count(FieldName name) const;
  // True if the comma-separated list that all fields of this name form holds the token (case-insensitive):
  // Connection, TE, Upgrade.
  bool has_token(FieldName name, std::string_view token) const;

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
  void keep(const Field& field) {
    known_.add(field.known);
    if (fields_.capacity() == 0) fields_.reserve(kUsualFields);
    fields_.push_back(field);
  }
  // False where the names that the fields have say so already.
  bool may_have(FieldName name) const {
    return name.known == KnownField::kNone || known_.contains(name.known);
  }

  std::vector<Field> fields_;
  KnownFields known_;  // at least those that fields have
  std::vector<Block> blocks_;
  char* free_ = nullptr;  // of the last block: what is left of it
  char* end_ = nullptr;
};

}  // namespace tidegate::http
