// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/wire.h"

namespace tidegate::apiserver::schema {

void WireWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_ += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out_ += static_cast<char>(value);
}

void WireWriter::bytes(int field, std::string_view value) {
  varint(static_cast<std::uint64_t>(field) << 3U | 2U);
  varint(value.size());
  out_ += value;
}

void WireWriter::boolean(int field, bool value) {
  varint(static_cast<std::uint64_t>(field) << 3U);
  varint(value ? 1 : 0);
}

std::optional<WireField> WireReader::fail() {
  ok_ = false;
  bytes_ = {};
  return std::nullopt;
}

std::optional<std::uint64_t> WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> WireReader::fixed(std::size_t width) {
  if (bytes_.size() < width) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes_[i]);
  bytes_.remove_prefix(width);
  return value;
}

std::optional<WireField> WireReader::next() {
  if (bytes_.empty()) return std::nullopt;
  const auto key = varint();
  if (!key || *key >> 3U == 0 || *key >> 3U > 0x1FFFFFFF) return fail();
  WireField field{.number = static_cast<int>(*key >> 3U)};
  std::optional<std::uint64_t> value;
  switch (*key & 7U) {
    case 0:
      value = varint();
      break;
    case 1:
      value = fixed(8);
      break;
    case 5:
      value = fixed(4);
      break;
    case 2:
      value = varint();
      if (!value || *value > bytes_.size()) return fail();
      field.is_bytes = true;
      field.bytes = bytes_.substr(0, static_cast<std::size_t>(*value));
      bytes_.remove_prefix(field.bytes.size());
      return field;
    default:
      return fail();  // groups and unknown wire types
  }
  if (!value) return fail();
  field.integer = *value;
  return field;
}

}  // namespace tidegate::apiserver::schema
