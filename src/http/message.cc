// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <algorithm>

#include "http/chars.h"

namespace tidegate::http {

std::string_view RequestHead::path() const {
  const std::string_view text = target;
  return text.substr(0, text.find('?'));
}

std::string_view RequestHead::query() const {
  const std::string_view text = target;
  const std::size_t mark = text.find('?');
  return mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
}

std::string_view RequestHead::host() const {
  const std::string_view text = authority;
  const std::size_t colon = text.rfind(':');
  // A colon inside the brackets of an IPv6 literal is no port separator.
  if (colon == std::string_view::npos || text.find(']', colon) != std::string_view::npos) return text;
  return text.substr(0, colon);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 305:
      return "Use Proxy";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
  }
  return "";
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE";
}

bool response_has_no_body(std::string_view method, int status) {
  return method == "HEAD" || status / 100 == 1 || status == 204 || status == 304;
}

bool opens_websocket(const RequestHead& head) {
  return head.method == "GET" && head.headers.has_token("upgrade", "websocket");
}

namespace {

constexpr KnownFields kHopByHop = {KnownField::kConnection,       KnownField::kKeepAlive,
                                   KnownField::kProxyConnection,  KnownField::kTe,
                                   KnownField::kTransferEncoding, KnownField::kUpgrade};

void remove_named_by_connection(Headers& headers) {
  std::vector<std::string> named;
  for (const Field& field : headers) {
    if (field.known != KnownField::kConnection) continue;
    for (std::string_view list = field.value; !list.empty();) {
      const std::size_t comma = std::min(list.find(','), list.size());
      const std::string_view token = trim_whitespace(list.substr(0, comma));
      // These two are no names of fields, and by far the usual contents.
      if (!token.empty() && !iequals(token, "close") && !iequals(token, "keep-alive"))
        named.emplace_back(token);
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
  for (const std::string& name : named) headers.remove(name);
}

}  // namespace

void remove_hop_by_hop(Headers& headers) {
  if (!headers.has_any(kHopByHop)) return;
  remove_named_by_connection(headers);
  headers.remove(kHopByHop);
}

}  // namespace tidegate::http
