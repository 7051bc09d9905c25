// SPDX-License-Identifier: Apache-2.0
// url(), ip() and cidr() of Kubernetes. Addresses are taken in their canonical text only, as Kubernetes does:
// no leading zeros, no zones, no IPv4 in IPv6.
#include <arpa/inet.h>

#include "apiserver/cel/functions.h"
#include "base/text.h"

namespace tidegate::apiserver::cel {
namespace {

std::optional<Ip> parse_ip(const std::string& text) {
  unsigned char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1 && text.find('\0') == std::string::npos)
    return Ip{false, std::string(reinterpret_cast<char*>(bytes), 4)};
  if (inet_pton(AF_INET6, text.c_str(), bytes) != 1 ||
      text.find_first_of(std::string_view(".\0", 2)) != std::string::npos)
    return std::nullopt;
  return Ip{true, std::string(reinterpret_cast<char*>(bytes), 16)};
}

std::string to_text(const Ip& ip) {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(ip.v6 ? AF_INET6 : AF_INET, ip.bytes.data(), buffer, sizeof buffer);
  return buffer;
}

Ip masked(Ip ip, int prefix) {
  for (std::size_t i = 0; i < ip.bytes.size(); ++i) {
    const int bits = std::min(8, std::max(0, prefix - static_cast<int>(i) * 8));
    ip.bytes[i] = static_cast<char>(static_cast<unsigned char>(ip.bytes[i]) & (0xFF00U >> bits));
  }
  return ip;
}

std::optional<Cidr> parse_cidr(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string digits = text.substr(slash + 1);
  const auto ip = parse_ip(text.substr(0, slash));
  const auto prefix = text::parse_int(digits);
  if (!ip || !prefix || *prefix < 0 || *prefix > (ip->v6 ? 128 : 32) || std::to_string(*prefix) != digits)
    return std::nullopt;
  return Cidr{*ip, static_cast<int>(*prefix)};
}

bool contains(const Cidr& range, const Ip& ip) {
  return range.ip.v6 == ip.v6 && masked(range.ip, range.prefix).bytes == masked(ip, range.prefix).bytes;
}
bool contains(const Cidr& range, const Cidr& other) {
  return other.prefix >= range.prefix && contains(range, other.ip);
}

const Ip& ip_of(Arguments given) { return given[0].as<Ip>(); }
const Cidr& cidr_of(Arguments given) { return given[0].as<Cidr>(); }
const std::string& text_of(Arguments given, std::size_t i) { return given[i].as<std::string>(); }
unsigned byte_at(const Ip& ip, std::size_t i) { return static_cast<unsigned char>(ip.bytes[i]); }

bool is_unspecified(const Ip& ip) { return ip.bytes.find_first_not_of('\0') == std::string::npos; }
bool is_loopback(const Ip& ip) {
  return ip.v6 ? masked(ip, 127).bytes == std::string(16, '\0') && byte_at(ip, 15) == 1
               : byte_at(ip, 0) == 127;
}
bool is_multicast(const Ip& ip) { return ip.v6 ? byte_at(ip, 0) == 0xFF : byte_at(ip, 0) >> 4 == 0xE; }
bool is_link_local(const Ip& ip) {
  return ip.v6 ? byte_at(ip, 0) == 0xFE && byte_at(ip, 1) >> 6 == 2
               : byte_at(ip, 0) == 169 && byte_at(ip, 1) == 254;
}
bool is_link_local_multicast(const Ip& ip) {
  if (ip.v6) return byte_at(ip, 0) == 0xFF && (byte_at(ip, 1) & 0xFU) == 2;
  return byte_at(ip, 0) == 224 && byte_at(ip, 1) == 0 && byte_at(ip, 2) == 0;
}
bool is_global_unicast(const Ip& ip) {
  const bool broadcast = !ip.v6 && ip.bytes == "\xFF\xFF\xFF\xFF";
  return !broadcast && !is_unspecified(ip) && !is_loopback(ip) && !is_multicast(ip) && !is_link_local(ip);
}

template <bool (*predicate)(const Ip&)>
Value asked(Arguments given, Budget&) {
  return predicate(ip_of(given));
}

Value make_ip(Arguments given, Budget&) {
  const auto ip = parse_ip(text_of(given, 0));
  return ip ? Value(*ip)
            : Value::failure("IP Address \"" + text_of(given, 0).substr(0, 64) + "\" parse error");
}
Value make_cidr(Arguments given, Budget&) {
  const auto cidr = parse_cidr(text_of(given, 0));
  return cidr ? Value(*cidr)
              : Value::failure("network address parse error: \"" + text_of(given, 0).substr(0, 64) + "\"");
}
Value contains_ip(Arguments given, Budget&) { return contains(cidr_of(given), given[1].as<Ip>()); }
Value contains_ip_text(Arguments given, Budget&) {
  const auto ip = parse_ip(text_of(given, 1));
  return ip ? Value(contains(cidr_of(given), *ip)) : Value::failure("IP Address parse error");
}
Value contains_cidr(Arguments given, Budget&) { return contains(cidr_of(given), given[1].as<Cidr>()); }
Value contains_cidr_text(Arguments given, Budget&) {
  const auto cidr = parse_cidr(text_of(given, 1));
  return cidr ? Value(contains(cidr_of(given), *cidr)) : Value::failure("network address parse error");
}

// An absolute URL, or an absolute path.
std::optional<Url> parse_url(std::string text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) return std::nullopt;
  }
  Url url;
  text = text.substr(0, text.find('#'));
  if (const auto query = text.find('?'); query != std::string::npos) {
    url.query = text.substr(query + 1);
    text.resize(query);
  }
  if (!text.starts_with('/')) {
    const auto colon = text.find(':');
    url.scheme = text::lower(text.substr(0, colon));
    const bool letters =
        url.scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == std::string::npos;
    const bool led = !url.scheme.empty() && url.scheme[0] >= 'a' && url.scheme[0] <= 'z';
    if (colon == std::string::npos || !letters || !led) return std::nullopt;
    text.erase(0, colon + 1);
  }
  if (!url.scheme.empty() && text.starts_with("//")) {
    const auto end = std::min(text.find('/', 2), text.size());
    url.host = text.substr(2, end - 2);
    url.host.erase(0, url.host.rfind('@') + 1);  // credentials
    text.erase(0, end);
  }
  url.path = std::move(text);
  return url;
}

// "[::1]:80" to "::1" and "80".
std::pair<std::string, std::string> host_and_port(const std::string& host) {
  const auto bracket = host.find(']');
  const auto colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
  std::string name = host.substr(0, colon);
  if (name.size() > 1 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
  return {name, colon == std::string::npos ? "" : host.substr(colon + 1)};
}

Value make_url(Arguments given, Budget& budget) {
  budget.spend_bytes(text_of(given, 0).size());
  auto url = parse_url(text_of(given, 0));
  return url ? Value(std::move(*url))
             : Value::failure("URL parse error during conversion from string: \"" +
                              text_of(given, 0).substr(0, 64) + "\"");
}
Value url_query(Arguments given, Budget& budget) {
  Entries entries;
  const auto& query = given[0].as<Url>().query;
  if (query.empty()) return Value::map({});
  for (const auto part : text::split(query, '&')) {
    if (!budget.spend_bytes(part.size() + entries.size())) break;
    const auto equals = part.find('=');
    const std::string key(part.substr(0, equals));
    Value value = std::string(equals == std::string_view::npos ? "" : part.substr(equals + 1));
    auto found = entries.begin();
    while (found != entries.end() && found->first.as<std::string>() != key) ++found;
    if (found == entries.end()) {
      entries.emplace_back(key, Value::list({std::move(value)}));
    } else {
      List values = elements(found->second, budget);
      values.push_back(std::move(value));
      found->second = Value::list(std::move(values));
    }
  }
  return Value::map(std::move(entries));
}

constexpr Row kRows[] = {
    {"isIP", "g", "s>b",
     [](Arguments given, Budget&) -> Value { return parse_ip(text_of(given, 0)).has_value(); }},
    {"ip", "g", "s>P", make_ip},
    {"ip.isCanonical", "g", "s>b",
     [](Arguments given, Budget&) -> Value {
       const auto ip = parse_ip(text_of(given, 0));
       return ip ? Value(to_text(*ip) == text_of(given, 0)) : Value::failure("IP Address parse error");
     }},
    {"family", "m", "P>i",
     [](Arguments given, Budget&) -> Value { return std::int64_t{ip_of(given).v6 ? 6 : 4}; }},
    {"isUnspecified", "m", "P>b", asked<is_unspecified>},
    {"isLoopback", "m", "P>b", asked<is_loopback>},
    {"isLinkLocalMulticast", "m", "P>b", asked<is_link_local_multicast>},
    {"isLinkLocalUnicast", "m", "P>b", asked<is_link_local>},
    {"isGlobalUnicast", "m", "P>b", asked<is_global_unicast>},
    {"string", "g", "P>s", [](Arguments given, Budget&) -> Value { return to_text(ip_of(given)); }},
    {"isCIDR", "g", "s>b",
     [](Arguments given, Budget&) -> Value { return parse_cidr(text_of(given, 0)).has_value(); }},
    {"cidr", "g", "s>C", make_cidr},
    {"containsIP", "m", "CP>b", contains_ip},
    {"containsIP", "m", "Cs>b", contains_ip_text},
    {"containsCIDR", "m", "CC>b", contains_cidr},
    {"containsCIDR", "m", "Cs>b", contains_cidr_text},
    {"ip", "m", "C>P", [](Arguments given, Budget&) -> Value { return cidr_of(given).ip; }},
    {"prefixLength", "m", "C>i",
     [](Arguments given, Budget&) -> Value { return std::int64_t{cidr_of(given).prefix}; }},
    {"masked", "m", "C>C",
     [](Arguments given, Budget&) -> Value {
       return Cidr{masked(cidr_of(given).ip, cidr_of(given).prefix), cidr_of(given).prefix};
     }},
    {"string", "g", "C>s",
     [](Arguments given, Budget&) -> Value {
       return to_text(cidr_of(given).ip) + "/" + std::to_string(cidr_of(given).prefix);
     }},
    {"isURL", "g", "s>b",
     [](Arguments given, Budget& budget) -> Value { return !make_url(given, budget).failed(); }},
    {"url", "g", "s>U", make_url},
    {"getScheme", "m", "U>s", [](Arguments given, Budget&) -> Value { return given[0].as<Url>().scheme; }},
    {"getHost", "m", "U>s", [](Arguments given, Budget&) -> Value { return given[0].as<Url>().host; }},
    {"getHostname", "m", "U>s",
     [](Arguments given, Budget&) -> Value { return host_and_port(given[0].as<Url>().host).first; }},
    {"getPort", "m", "U>s",
     [](Arguments given, Budget&) -> Value { return host_and_port(given[0].as<Url>().host).second; }},
    {"getEscapedPath", "m", "U>s", [](Arguments given, Budget&) -> Value { return given[0].as<Url>().path; }},
    {"getQuery", "m", "U>msls", url_query},
};

}  // namespace

std::span<const Row> network_rows() { return kRows; }

}  // namespace tidegate::apiserver::cel
