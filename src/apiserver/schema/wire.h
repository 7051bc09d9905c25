// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format, as far as Kubernetes bodies need it: a writer that appends fields, and a bounded
// reader that walks them. The reader takes outside bytes. Pure. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::apiserver::schema {

class WireWriter {
 public:
  void bytes(int field, std::string_view value);  // strings, bytes and embedded messages
  void boolean(int field, bool value);
  const std::string& text() const { return out_; }

 private:
  void varint(std::uint64_t value);
  std::string out_;
};

struct WireField {
  int number = 0;
  std::uint64_t integer = 0;  // varints and fixed-width fields
  std::string_view bytes;     // length-delimited fields; borrowed
  bool is_bytes = false;
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}
  // The next field; none at the end and where the bytes are malformed, then ok() is false.
  std::optional<WireField> next();
  bool ok() const { return ok_; }

 private:
  std::optional<std::uint64_t> varint();
  std::optional<std::uint64_t> fixed(std::size_t width);
  std::optional<WireField> fail();

  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace tidegate::apiserver::schema
