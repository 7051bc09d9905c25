// SPDX-License-Identifier: Apache-2.0
#include "http/headers.h"

#include <algorithm>
#include <cstring>

#include "http/chars.h"

namespace tidegate::http {
namespace {

constexpr std::size_t kFirstBlock = 1024;  // holds the fields of a usual browser request
constexpr std::size_t kUsualFields = 16;

}  // namespace

Headers::Headers(std::initializer_list<Field> fields) {
  for (const Field& field : fields) add(field.name, field.value);
}

Headers::Headers(const Headers& other) {
  std::size_t bytes = 0;
  for (const Field& field : other) bytes += field.name.size() + field.value.size();
  if (bytes > 0) blocks_.push_back({std::make_unique_for_overwrite<char[]>(bytes), bytes, 0});
  fields_.reserve(other.size());
  for (const Field& field : other) fields_.push_back({store(field.name), store(field.value)});
}

Headers& Headers::operator=(const Headers& other) {
  if (this != &other) *this = Headers(other);
  return *this;
}

char* Headers::allocate(std::size_t size) {
  if (blocks_.empty() || blocks_.back().size - blocks_.back().used < size) {
    const std::size_t next = std::max(size, blocks_.empty() ? kFirstBlock : blocks_.back().size * 2);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(next), next, 0});
  }
  Block& block = blocks_.back();
  char* place = block.bytes.get() + block.used;
  block.used += size;
  return place;
}

std::string_view Headers::store(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* place = allocate(bytes.size());
  std::memcpy(place, bytes.data(), bytes.size());
  return {place, bytes.size()};
}

void Headers::add(std::string_view name, std::string_view value) {
  if (fields_.capacity() == 0) fields_.reserve(kUsualFields);
  char* place = allocate(name.size() + value.size());
  if (!name.empty()) std::memcpy(place, name.data(), name.size());
  if (!value.empty()) std::memcpy(place + name.size(), value.data(), value.size());
  fields_.push_back({{place, name.size()}, {place + name.size(), value.size()}});
}

void Headers::set(std::string_view name, std::string_view value) {
  // Stored first: either argument may view into a field that is about to go.
  const std::string_view stored_name = store(name);
  const std::string_view stored_value = store(value);
  remove(stored_name);
  add_stored(stored_name, stored_value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const Field& field) { return iequals(field.name, name); });
}

void Headers::clear() {
  fields_.clear();
  if (blocks_.empty()) return;
  // The last block is the largest; a later message of the same size fits into it alone.
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  blocks_.back().used = 0;
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
