// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "net/stream.h"

namespace tidegate::net {
namespace {

Error malformed(std::string_view text) {
  return {ErrorCode::kInvalid,
          "\"" + std::string(text) + "\" is not an address: expected IP:PORT or [IPv6]:PORT"};
}

}  // namespace

std::string to_string(const Address& address) {
  const bool v6 = address.ip.find(':') != std::string::npos;
  return (v6 ? "[" + address.ip + "]" : address.ip) + ":" + std::to_string(address.port);
}

Result<Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return malformed(text);
  std::string_view ip = text.substr(0, colon);
  const bool bracketed = ip.size() > 2 && ip.front() == '[' && ip.back() == ']';
  if (bracketed) ip = ip.substr(1, ip.size() - 2);
  if (bracketed != (ip.find(':') != std::string_view::npos)) return malformed(text);
  const auto port = text::parse_int(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return malformed(text);
  if (ip.find('%') != std::string_view::npos) return malformed(text);  // a zone: a name of this machine's
  boost::system::error_code error;
  const auto parsed = asio::ip::make_address(std::string(ip), error);
  if (error) return malformed(text);
  return Address{parsed.to_string(), static_cast<std::uint16_t>(*port)};
}

}  // namespace tidegate::net
