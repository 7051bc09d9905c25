// SPDX-License-Identifier: Apache-2.0
#include "http/h1_encoder.h"

#include <charconv>
#include <utility>

#include "http/chars.h"

namespace tidegate::http {
namespace {

void append_number(std::uint64_t number, int base, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number, base).ptr;
  out.append(digits, end);
}

// Whoever made the text: a line break in it would start a field, or a message, of its own.
void append_clean(std::string_view text, std::string& out) {
  while (true) {
    const std::size_t bad = find_bad_value_byte(text);
    out.append(text.substr(0, bad));
    if (bad == text.size()) return;
    out += ' ';
    text.remove_prefix(bad + 1);
  }
}

void append_field(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ");
  append_clean(value, out);
  out.append("\r\n");
}

// Written by the encoder itself, from other parts of the message.
constexpr KnownFields kFraming = {KnownField::kHost, KnownField::kConnection, KnownField::kContentLength,
                                  KnownField::kTransferEncoding};
constexpr KnownFields kFramingAndUpgrade = {KnownField::kHost, KnownField::kConnection,
                                            KnownField::kContentLength, KnownField::kTransferEncoding,
                                            KnownField::kUpgrade};

bool has_token_name(const Field& field) {
  return field.known != KnownField::kNone || (!field.name.empty() && all(field.name, kTokenChar));
}

bool is_clean(const Field& field) {
  return field.checked || (has_token_name(field) && find_bad_value_byte(field.value) == field.value.size());
}

// Fields that lie behind each other go at once.
void append_fields(const Headers& headers, bool keep_upgrade, std::string& out) {
  const KnownFields left_out = keep_upgrade ? kFraming : kFramingAndUpgrade;
  std::string_view run;
  for (const Field& field : headers) {
    if (left_out.contains(field.known)) continue;
    if (!is_clean(field)) {
      out.append(std::exchange(run, {}));
      // A name that is no token can't be repaired into one that means the same.
      if (has_token_name(field)) append_field(field.name, field.value, out);
      continue;
    }
    const std::string_view line = field.line();
    if (run.data() + run.size() == line.data()) {
      run = {run.data(), run.size() + line.size()};
    } else {
      out.append(std::exchange(run, line));
    }
  }
  out.append(run);
}

void append_length(std::uint64_t length, std::string& out) {
  out += "Content-Length: ";
  append_number(length, 10, out);
  out += "\r\n";
}

void append_connection(EncodeOptions options, Version peer, std::string& out) {
  if (!options.upgrade.empty()) {
    out += "Connection: upgrade\r\n";
    append_field("Upgrade", options.upgrade, out);
  } else if (!options.keep_alive) {
    out += "Connection: close\r\n";
  } else if (peer == Version::kHttp10) {
    out += "Connection: keep-alive\r\n";
  }
}

// A request with such a method that declares no length leaves servers guessing (RFC 9110 section 8.6).
bool usually_has_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

void encode_head(const RequestHead& head, EncodeOptions options, std::string& out) {
  append_clean(head.method, out);
  out += ' ';
  append_clean(head.target.empty() ? std::string_view("/") : std::string_view(head.target), out);
  out += " HTTP/1.1\r\n";
  append_field("Host", head.authority, out);
  append_fields(head.headers, options.upgrade.empty(), out);
  if (!head.content_length) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (*head.content_length > 0 || usually_has_body(head.method)) {
    append_length(*head.content_length, out);
  }
  append_connection(options, Version::kHttp11, out);
  out += "\r\n";
}

void encode_head(const ResponseHead& head, std::string_view request_method, Version client_version,
                 EncodeOptions options, std::string& out) {
  out += "HTTP/1.1 ";
  append_number(static_cast<std::uint64_t>(head.status), 10, out);
  out += ' ';
  append_clean(head.reason.empty() ? reason_phrase(head.status) : std::string_view(head.reason), out);
  out += "\r\n";
  append_fields(head.headers, options.upgrade.empty(), out);
  const bool never_framed = head.status / 100 == 1 || head.status == 204;
  if (!never_framed && head.content_length) {
    append_length(*head.content_length, out);
  } else if (!response_has_no_body(request_method, head.status)) {
    // HTTP/1.0 knows no chunks: there the end of the connection ends the body.
    if (client_version == Version::kHttp10)
      options.keep_alive = false;
    else
      out += "Transfer-Encoding: chunked\r\n";
  }
  if (head.status / 100 != 1 || !options.upgrade.empty()) append_connection(options, client_version, out);
  out += "\r\n";
}

void encode_chunk_size(std::size_t size, std::string& out) {
  append_number(size, 16, out);
  out += "\r\n";
}

void encode_chunk(std::string_view data, std::string& out) {
  encode_chunk_size(data.size(), out);
  out.append(data).append("\r\n");
}

void encode_last_chunk(const Headers& trailers, std::string& out) {
  out += "0\r\n";
  append_fields(trailers, false, out);
  out += "\r\n";
}

}  // namespace tidegate::http
