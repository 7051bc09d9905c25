// SPDX-License-Identifier: Apache-2.0
#include "http/h1_head.h"

#include <algorithm>
#include <array>

#include "http/chars.h"
#include "http/uri.h"

namespace tidegate::http {
namespace {

Refusal parse_version(std::string_view text, Version& version) {
  if (text == "HTTP/1.1") {
    version = Version::kHttp11;
  } else if (text == "HTTP/1.0") {
    version = Version::kHttp10;
  } else if (text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) && text[6] == '.' &&
             is_digit(text[7])) {
    return {DecodeError::kBadVersion, "version is neither 1.0 nor 1.1"};
  } else {
    return {DecodeError::kBadStartLine, "no HTTP version"};
  }
  return {};
}

// RFC 9112 section 3.2.2: split so that everyone above sees origin-form only.
Refusal split_absolute_form(std::string_view target, RequestHead& head) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos ||
      !(iequals(target.substr(0, colon), "http") || iequals(target.substr(0, colon), "https"))) {
    return {DecodeError::kBadStartLine, "request target has an unknown form"};
  }
  const std::string_view rest = target.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  head.authority.assign(rest.substr(0, end));
  if (!parse_authority(head.authority))
    return {DecodeError::kBadHost, "authority of the request target is malformed"};
  const std::string_view path = rest.substr(end);
  head.target.clear();
  if (path.empty() || path.front() == '?') head.target += '/';
  head.target += path;
  return {};
}

Refusal parse_target(std::string_view target, RequestHead& head) {
  if (!all(target, kTargetChar))
    return {DecodeError::kBadStartLine, "character not allowed in the request target"};
  if (target.front() == '/') {
    head.target.assign(target);
    return {};
  }
  if (head.method == "CONNECT") return {DecodeError::kUnsupportedMethod, "CONNECT"};
  if (target == "*") {
    if (head.method != "OPTIONS")
      return {DecodeError::kBadStartLine, "target * with another method than OPTIONS"};
    head.target = "*";
    return {};
  }
  return split_absolute_form(target, head);
}

}  // namespace

Refusal parse_request_line(std::string_view line, RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0 || last == first + 1) {
    return {DecodeError::kBadStartLine, "request line is not method, target, version"};
  }
  const std::string_view method = line.substr(0, first);
  if (!all(method, kTokenChar)) return {DecodeError::kBadStartLine, "method is no token"};
  // The version comes first: an HTTP/2 preface on this port is best told apart by it.
  if (const Refusal refusal = parse_version(line.substr(last + 1), head.version)) return refusal;
  head.method.assign(method);
  head.authority.clear();
  if (const Refusal refusal = parse_target(line.substr(first + 1, last - first - 1), head)) return refusal;
  if (method == "CONNECT") return {DecodeError::kUnsupportedMethod, "CONNECT"};
  return {};
}

Refusal parse_status_line(std::string_view line, ResponseHead& head) {
  if (line.size() < 12 || line[8] != ' ')
    return {DecodeError::kBadStartLine, "status line is not version, status, reason"};
  if (const Refusal refusal = parse_version(line.substr(0, 8), head.version)) return refusal;
  const std::string_view status = line.substr(9, 3);
  if (!std::all_of(status.begin(), status.end(), is_digit) || status.front() == '0' || status.front() > '5') {
    return {DecodeError::kBadStartLine, "status is not 100 to 599"};
  }
  head.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  // The space before an empty reason is often left out; nothing can be misread for it.
  const std::string_view rest = line.substr(12);
  if (!rest.empty() && rest.front() != ' ') return {DecodeError::kBadStartLine, "status is not three digits"};
  const std::string_view reason = rest.empty() ? rest : rest.substr(1);
  if (find_bad_value_byte(reason) != reason.size())
    return {DecodeError::kBadStartLine, "control character in the reason"};
  head.reason.assign(reason);
  return {};
}

Refusal parse_field_line(std::string_view line, Field& field) {
  if (line.front() == ' ' || line.front() == '\t') return {DecodeError::kBadHeader, "folded line"};
  std::size_t colon = 0;
  while (colon < line.size() && is(line[colon], kTokenChar)) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':')
    return {DecodeError::kBadHeader, "field name is no token"};
  field.name = line.substr(0, colon);
  field.value = trim_whitespace(line.substr(colon + 1));
  if (find_bad_value_byte(field.value) != field.value.size()) {
    return {DecodeError::kBadHeader, "control character in a field value"};
  }
  field.known = known_field(field.name);
  return {};
}

Refusal note_field(const Field& field, FramingFields& seen) {
  switch (field.known) {
    case KnownField::kHost:
      ++seen.hosts;
      seen.host = field.value;
      break;
    case KnownField::kExpect:
      seen.expects_continue |= iequals(field.value, "100-continue");
      break;
    case KnownField::kConnection:
      seen.close |= list_has_token(field.value, "close");
      seen.keep_alive |= list_has_token(field.value, "keep-alive");
      break;
    case KnownField::kContentLength: {
      const auto length = parse_decimal(field.value);
      if (++seen.lengths > 1) return {DecodeError::kBadFraming, "several Content-Length"};
      if (!length) return {DecodeError::kBadFraming, "Content-Length is no number"};
      seen.length = *length;
      break;
    }
    case KnownField::kTransferEncoding:
      if (++seen.codings > 1) return {DecodeError::kBadFraming, "several Transfer-Encoding"};
      if (!iequals(field.value, "chunked"))
        return {DecodeError::kUnsupportedCoding, "Transfer-Encoding is not chunked"};
      seen.chunked = true;
      break;
    case KnownField::kNone:
    case KnownField::kForwarded:
    case KnownField::kKeepAlive:
    case KnownField::kProxyConnection:
    case KnownField::kTe:
    case KnownField::kUpgrade:
    case KnownField::kXForwardedFor:
    case KnownField::kXForwardedHost:
    case KnownField::kXForwardedProto:
    case KnownField::kXRequestId:
      break;
  }
  return {};
}

namespace {

Refusal check_framing(const FramingFields& seen, Version version) {
  if (seen.chunked && seen.lengths > 0)
    return {DecodeError::kBadFraming, "Content-Length beside Transfer-Encoding"};
  if (seen.chunked && version == Version::kHttp10)
    return {DecodeError::kBadFraming, "Transfer-Encoding in HTTP/1.0"};
  return {};
}

}  // namespace

Refusal check_request(const FramingFields& seen, RequestHead& head) {
  if (seen.hosts > 1) return {DecodeError::kBadHost, "several Host"};
  if (seen.hosts == 0 && head.version != Version::kHttp10) return {DecodeError::kBadHost, "no Host"};
  if (seen.hosts == 1 && !parse_authority(seen.host)) return {DecodeError::kBadHost, "Host is no authority"};
  if (const Refusal refusal = check_framing(seen, head.version)) return refusal;
  // RFC 9112 section 3.2.2: the authority of an absolute-form target stands above Host.
  if (head.authority.empty()) head.authority.assign(seen.host);
  head.content_length = seen.chunked ? std::nullopt : std::optional<std::uint64_t>(seen.length);
  return {};
}

Refusal check_response(const FramingFields& seen, const ResponseHead& head) {
  return check_framing(seen, head.version);
}

bool allowed_in_trailers(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kForbidden = {"content-length",
                                                                  "transfer-encoding",
                                                                  "host",
                                                                  "connection",
                                                                  "keep-alive",
                                                                  "proxy-connection",
                                                                  "te",
                                                                  "trailer",
                                                                  "upgrade",
                                                                  "authorization",
                                                                  "proxy-authorization",
                                                                  "content-encoding"};
  return std::none_of(kForbidden.begin(), kForbidden.end(),
                      [name](std::string_view f) { return iequals(f, name); });
}

}  // namespace tidegate::http
