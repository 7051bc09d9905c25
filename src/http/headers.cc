// SPDX-License-Identifier: Apache-2.0
#include "http/headers.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "http/chars.h"

namespace tidegate::http {
namespace {

constexpr std::size_t kFirstBlock = 1024;  // holds the fields of a usual browser request
constexpr std::string_view kColon = ": ";
constexpr std::string_view kEnd = "\r\n";

char* put(std::string_view text, char* at) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

}  // namespace

Headers::Headers(std::initializer_list<Field> fields) {
  for (const Field& field : fields) add(field.name, field.value);
}

Headers::Headers(Headers&& other) noexcept
    : fields_(std::move(other.fields_)),
      known_(std::exchange(other.known_, {})),
      blocks_(std::move(other.blocks_)),
      free_(std::exchange(other.free_, nullptr)),
      end_(std::exchange(other.end_, nullptr)) {}

Headers& Headers::operator=(Headers&& other) noexcept {
  fields_.swap(other.fields_);
  std::swap(known_, other.known_);
  blocks_.swap(other.blocks_);
  std::swap(free_, other.free_);
  std::swap(end_, other.end_);
  other.clear();  // its memory is ours of before
  return *this;
}

Headers::Headers(const Headers& other) {
  std::size_t bytes = 0;
  for (const Field& field : other) bytes += field.line().size();
  if (bytes > 0) add_block(bytes);
  fields_.reserve(other.size());
  for (const Field& field : other) {
    const char* const line = store(field.line()).data();
    const std::size_t value = field.name.size() + kColon.size();
    keep({{line, field.name.size()}, {line + value, field.value.size()}, field.known, field.checked});
  }
}

Headers& Headers::operator=(const Headers& other) {
  if (this != &other) *this = Headers(other);
  return *this;
}

void Headers::add_block(std::size_t size) {
  Block& block = blocks_.emplace_back(Block{std::make_unique_for_overwrite<char[]>(size), size});
  free_ = block.bytes.get();
  end_ = free_ + size;
}

void Headers::add_block_for(std::size_t size) {
  add_block(std::max(size, blocks_.empty() ? kFirstBlock : blocks_.back().size * 2));
}

void Headers::add(FieldName name, std::string_view value) {
  char* const line = allocate(name.text.size() + kColon.size() + value.size() + kEnd.size());
  char* const stored_value = put(kColon, put(name.text, line));
  put(kEnd, put(value, stored_value));
  keep({{line, name.text.size()}, {stored_value, value.size()}, name.known});
}

void Headers::set(FieldName name, std::string_view value) {
  if (!may_have(name)) return add(name, value);
  // Stored first: either argument may view into a field that is about to go.
  add(name, value);
  const Field field = fields_.back();
  fields_.pop_back();
  remove(FieldName(field.name));
  keep(field);
}

void Headers::remove(FieldName name) {
  if (name.known != KnownField::kNone) return remove(KnownFields{name.known});
  std::erase_if(fields_, [name](const Field& field) { return name.is(field.name, field.known); });
}

void Headers::remove(KnownFields names) {
  if (!known_.intersects(names)) return;
  std::erase_if(fields_, [names](const Field& field) { return names.contains(field.known); });
  known_.remove(names);
}

void Headers::clear() {
  fields_.clear();
  known_ = {};
  if (blocks_.empty()) return;
  // The last block is the largest; a later message of the same size fits into it alone.
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  free_ = blocks_.back().bytes.get();
  end_ = free_ + blocks_.back().size;
}

std::optional<std::string_view> Headers::get(FieldName name) const {
  if (!may_have(name)) return std::nullopt;
  for (const Field& field : fields_) {
    if (name.is(field.name, field.known)) return field.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(FieldName name) const {
  return static_cast<std::size_t>(
      std::count_if(begin(), end(), [name](const Field& field) { return name.is(field.name, field.known); }));
}

bool Headers::has_token(FieldName name, std::string_view token) const {
  if (!may_have(name)) return false;
  for (const Field& field : fields_) {
    if (name.is(field.name, field.known) && list_has_token(field.value, token)) return true;
  }
  return false;
}

}  // namespace tidegate::http
