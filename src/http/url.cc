// SPDX-License-Identifier: Apache-2.0
#include "http/url.h"

#include <algorithm>

#include "http/chars.h"
#include "http/uri.h"

namespace tidegate::http {

std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view kMark = "://";
  const auto mark = text.find(kMark);
  if (mark == std::string_view::npos) return std::nullopt;
  const auto scheme = text.substr(0, mark);
  Url url;
  url.tls = iequals(scheme, "https");
  if (!url.tls && !iequals(scheme, "http")) return std::nullopt;

  const auto rest = text.substr(mark + kMark.size());
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  url.authority = rest.substr(0, end);
  const auto parts = parse_authority(url.authority);
  if (!parts) return std::nullopt;
  url.host = parts->host;
  if (url.host.front() == '[') url.host = url.host.substr(1, url.host.size() - 2);
  url.port = parts->port.value_or(url.tls ? 443 : 80);

  const auto target = rest.substr(end);
  if (!all(target, kTargetChar) || !percent_decode(target)) return std::nullopt;
  if (target.empty() || target.front() == '?') url.target = "/";
  url.target += target;
  return url;
}

}  // namespace tidegate::http
