// SPDX-License-Identifier: Apache-2.0
// Heads and trailers as the field list of an HTTP/2 header block (RFC 9113 section 8.3): pseudo-header fields
// first, names in lower case, nothing that belongs to an HTTP/1 connection. Thread: none. Private to
// h2_session.
#pragma once

#include <string_view>

#include "http/message.h"

namespace tidegate::http {

// Each call replaces the list; its views hold as long as what they were made from, and the list, stay.
class H2Fields {
 public:
  // `scheme`: of the connection that this goes over.
  const std::vector<Field>& of(const RequestHead& head, std::string_view scheme, bool end);
  const std::vector<Field>& of(const ResponseHead& head, bool end);
  const std::vector<Field>& of(const Headers& trailers);

 private:
  void clear();
  void add(std::string_view name, std::string_view value);
  void add_all(const Headers& headers, bool tunnel = false);
  void add_number(std::string_view name, std::uint64_t number);
  std::string_view clean(std::string_view value);

  std::vector<Field> fields_;
  Headers kept_;  // bytes that had to be changed
};

}  // namespace tidegate::http
