// SPDX-License-Identifier: Apache-2.0
#include "http/headers.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "http/chars.h"

namespace tidegate::http {
namespace {

constexpr std::size_t kFirstBlock = 1024;  // holds the fields of a usual browser request

}  // namespace

Headers::Headers(std::initializer_list<Field> fields) {
  for (const Field& field : fields) add(field.name, field.value);
}

Headers::Headers(Headers&& other) noexcept
    : fields_(std::move(other.fields_)),
      blocks_(std::move(other.blocks_)),
      free_(std::exchange(other.free_, nullptr)),
      end_(std::exchange(other.end_, nullptr)) {}

Headers& Headers::operator=(Headers&& other) noexcept {
  fields_.swap(other.fields_);
  blocks_.swap(other.blocks_);
  std::swap(free_, other.free_);
  std::swap(end_, other.end_);
  other.clear();  // its memory is ours of before
  return *this;
}

Headers::Headers(const Headers& other) {
  std::size_t bytes = 0;
  for (const Field& field : other) bytes += field.name.size() + field.value.size();
  if (bytes > 0) add_block(bytes);
  fields_.reserve(other.size());
  for (const Field& field : other) fields_.push_back({store(field.name), store(field.value), field.checked});
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

void Headers::add(std::string_view name, std::string_view value) {
  char* place = allocate(name.size() + value.size());
  if (!name.empty()) std::memcpy(place, name.data(), name.size());
  if (!value.empty()) std::memcpy(place + name.size(), value.data(), value.size());
  add_stored({{place, name.size()}, {place + name.size(), value.size()}});
}

void Headers::set(std::string_view name, std::string_view value) {
  // Stored first: either argument may view into a field that is about to go.
  const std::string_view stored_name = store(name);
  const std::string_view stored_value = store(value);
  remove(stored_name);
  add_stored({stored_name, stored_value});
}

void Headers::remove(std::string_view name) {
  remove_if([name](const Field& field) { return iequals(field.name, name); });
}

void Headers::clear() {
  fields_.clear();
  if (blocks_.empty()) return;
  // The last block is the largest; a later message of the same size fits into it alone.
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  free_ = blocks_.back().bytes.get();
  end_ = free_ + blocks_.back().size;
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const Field& field : fields_) {
    if (iequals(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(begin(), end(), [name](const Field& field) { return iequals(field.name, name); }));
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (const Field& field : fields_) {
    if (iequals(field.name, name) && list_has_token(field.value, token)) return true;
  }
  return false;
}

}  // namespace tidegate::http
