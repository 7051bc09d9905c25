// SPDX-License-Identifier: Apache-2.0
#include "http/uri.h"

#include <algorithm>

#include "http/chars.h"

namespace tidegate::http {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

void append_encoded(unsigned char byte, std::string& out) {
  out += '%';
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

// The byte that text[at...] encodes as "%XX", or -1.
int encoded_byte(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Percent-encodings in their one normal spelling; false where one is invalid or would hide a separator.
bool append_segment(std::string_view segment, std::string& out) {
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const char c = segment[i];
    if (c != '%') {
      if (!is(c, kTargetChar) || c == '\\' || c == '?') return false;
      out += c;
      continue;
    }
    const int byte = encoded_byte(segment, i);
    if (byte <= 0 || byte == '/' || byte == '\\') return false;
    if (is(static_cast<char>(byte), kUnreservedChar)) {
      out += static_cast<char>(byte);
    } else {
      append_encoded(static_cast<unsigned char>(byte), out);
    }
    i += 2;
  }
  return true;
}

bool is_ipv6_literal(std::string_view inside) {
  // Shape only: whether it is an address is for those who connect. Zone identifiers are not taken in an
  // authority.
  return !inside.empty() && inside.find(':') != std::string_view::npos &&
         std::all_of(inside.begin(), inside.end(),
                     [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
}

}  // namespace

bool is_plain_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return false;
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (!is(path[i], kPlainPathChar) || (path[i] == '.' && path[i - 1] == '/')) return false;
  }
  return true;
}

std::optional<std::string> normalize_path(std::string_view path) {
  if (path.empty() || path.front() != '/') return std::nullopt;
  std::string out;
  out.reserve(path.size());
  std::size_t at = 1;
  while (true) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const bool last = slash == path.size();
    const std::size_t start = out.size();
    out += '/';
    if (!append_segment(path.substr(at, slash - at), out)) return std::nullopt;
    const std::string_view segment = std::string_view(out).substr(start + 1);
    if (segment == "." || segment == "..") {
      const bool parent = segment == "..";
      out.resize(start);
      if (parent) {
        const std::size_t previous = out.rfind('/');
        if (previous == std::string::npos) return std::nullopt;
        out.resize(previous);
      }
      if (last) out += '/';
    }
    if (last) return out;
    at = slash + 1;
  }
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int byte = encoded_byte(text, i);
    if (byte < 0) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is(c, kUnreservedChar)) {
      out += c;
    } else {
      append_encoded(static_cast<unsigned char>(c), out);
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  // What can't be decoded is kept as it is: matching on it is still well-defined.
  const auto decoded = [](std::string_view text) { return percent_decode(text).value_or(std::string(text)); };
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    pairs.emplace_back(decoded(pair.substr(0, equals)),
                       decoded(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return pairs;
}

std::optional<HostPort> parse_authority(std::string_view authority) {
  HostPort parts;
  std::string_view rest;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos || !is_ipv6_literal(authority.substr(1, close - 1)))
      return std::nullopt;
    parts.host = authority.substr(0, close + 1);
    rest = authority.substr(close + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    parts.host = authority.substr(0, colon);
    rest = authority.substr(colon);
    if (parts.host.empty() || !all(parts.host, kHostChar)) return std::nullopt;
  }
  if (rest.empty()) return parts;
  if (rest.front() != ':') return std::nullopt;
  const auto port = parse_decimal(rest.substr(1));
  if (!port || *port > 65535 || rest.size() > 6) return std::nullopt;
  parts.port = static_cast<std::uint16_t>(*port);
  return parts;
}

}  // namespace tidegate::http
