// SPDX-License-Identifier: Apache-2.0
#include "proxy/settings.h"

#include <type_traits>

namespace tidegate::proxy {
namespace {

using session::ClientLimits;
using session::ServerLimits;

constexpr double kKi = 1024, kMi = kKi * kKi, kHour = 3600, kDay = 24 * kHour;
constexpr double kMost = 1e6;  // of counts that memory or descriptors bound first

template <auto... Path>
double get(const Settings& settings) {
  const auto& field = (settings.*....*Path);
  if constexpr (std::is_same_v<decltype(field), const Duration&>) {
    return std::chrono::duration<double>(field).count();
  } else {
    return static_cast<double>(field);
  }
}

template <auto... Path>
void set(Settings& settings, double value) {
  auto& field = (settings.*....*Path);
  if constexpr (std::is_same_v<decltype(field), Duration&>) {
    field = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
  } else {
    field = static_cast<std::remove_reference_t<decltype(field)>>(value);
  }
}

// Adds the settings of one part of Settings, which `Part` leads to.
template <auto... Part>
struct Section {
  std::vector<Setting>& out;
  std::string prefix;

  template <auto... Path>
  void add(const char* name, Unit unit, double least, double most, std::string_view meaning) {
    out.push_back(
        {prefix + name, unit, least, most, meaning, &get<Part..., Path...>, &set<Part..., Path...>});
  }
  template <auto... Path>
  void bytes(const char* name, double least, double most, std::string_view meaning) {
    add<Path...>(name, Unit::kBytes, least, most, meaning);
  }
  template <auto... Path>
  void count(const char* name, double least, double most, std::string_view meaning) {
    add<Path...>(name, Unit::kCount, least, most, meaning);
  }
  template <auto... Path>
  void time(const char* name, double least, double most, std::string_view meaning) {
    add<Path...>(name, Unit::kDuration, least, most, meaning);
  }
  template <auto... Path>
  void rate(const std::string& name, std::string_view meaning) {
    add<Path..., &http::Rate::burst>((name + ".burst").c_str(), Unit::kCount, 1, kMost, meaning);
    add<Path..., &http::Rate::per_second>((name + ".perSecond").c_str(), Unit::kPerSecond, 0, kMost,
                                          "of these over time");
  }
};

template <auto... Part>
void add_messages(std::vector<Setting>& out, const std::string& prefix) {
  using http::Limits;
  Section<Part...> s{out, prefix};
  s.template bytes<&Limits::start_line_bytes>("startLineBytes", 256, kMi, "first line of a head");
  s.template bytes<&Limits::header_bytes>("headerBytes", kKi, 16 * kMi,
                                          "fields of a head, 32 bytes added for each");
  s.template count<&Limits::header_count>("headerCount", 8, 10'000, "fields of a head, cookie crumbs each");
  s.template bytes<&Limits::chunk_extension_bytes>("chunkExtensionBytes", 0, kMi,
                                                   "chunk extensions of a body");
  s.template bytes<&Limits::trailer_bytes>("trailerBytes", 0, kMi, "trailers of a body");
}

template <auto... Part>
void add_http2(std::vector<Setting>& out, const std::string& prefix) {
  using http::H2Limits;
  constexpr double kWindow = 2147483647;  // RFC 9113 section 6.9.1
  Section<Part...> s{out, prefix + "http2."};
  s.template count<&H2Limits::concurrent_streams>("concurrentStreams", 1, 100'000, "streams of a connection");
  s.template bytes<&H2Limits::stream_window>("streamWindow", 1, kWindow, "bytes that a paused stream holds");
  s.template bytes<&H2Limits::connection_window>("connectionWindow", 65'535, kWindow,
                                                 "bytes that paused streams hold together");
  s.template count<&H2Limits::flood_factor>(
      "floodFactor", 1, 1000, "a head so many times too large ends the connection, not the stream");
  s.template count<&H2Limits::continuations>("continuations", 1, 10'000, "CONTINUATION frames of a head");
  s.template count<&H2Limits::interims>("interims", 1, 10'000, "1xx heads of a response");
  s.template rate<&H2Limits::resets>("resets", "RST_STREAM frames of the peer at once");
  s.template rate<&H2Limits::own_resets>("ownResets", "RST_STREAM frames that its errors cause at once");
  s.template rate<&H2Limits::pings>("pings", "PING frames at once");
  s.template rate<&H2Limits::settings>("settings", "SETTINGS frames at once");
  s.template rate<&H2Limits::empty_frames>("emptyFrames", "DATA frames without data at once");
  s.template rate<&H2Limits::priorities>("priorities", "PRIORITY frames at once");
  s.template rate<&H2Limits::window_updates>("windowUpdates", "unearned WINDOW_UPDATE frames at once");
}

void add_clients(std::vector<Setting>& out) {
  Section<&Settings::clients> s{out, "clients."};
  s.count<&ServerLimits::max_connections>("connections", 1, kMost, "connections of a listener, a worker");
  s.time<&ServerLimits::tls_timeout>("tlsTimeout", 0.1, kHour, "a TLS handshake");
  s.time<&ServerLimits::header_timeout>("headerTimeout", 0.1, kHour, "a request head, to its last byte");
  s.time<&ServerLimits::body_idle_timeout>("bodyIdleTimeout", 0.1, kDay, "silence within a request body");
  s.time<&ServerLimits::write_idle_timeout>("writeIdleTimeout", 0.1, kDay, "a reader that takes nothing");
  s.time<&ServerLimits::keep_alive_timeout>("keepAliveTimeout", 0.1, kDay, "an idle connection");
  s.time<&ServerLimits::tunnel_idle_timeout>("tunnelIdleTimeout", 1, 30 * kDay,
                                             "silence in a WebSocket, or on layer 4");
  s.time<&ServerLimits::linger_timeout>("lingerTimeout", 0, 60, "for the last response to be taken");
  s.bytes<&ServerLimits::max_drain_bytes>("drainBytes", 0, 1024 * kMi, "a request body that nobody wants");
  add_messages<&Settings::clients, &ServerLimits::http>(out, "clients.");
  add_http2<&Settings::clients, &ServerLimits::h2>(out, "clients.");
}

void add_backends(std::vector<Setting>& out) {
  Section<&Settings::backends> s{out, "backends."};
  s.count<&ClientLimits::max_connections>("connections", 1, kMost, "connections to an endpoint, a worker");
  s.count<&ClientLimits::max_idle>("idleConnections", 0, kMost, "of these idle");
  s.count<&ClientLimits::max_pending>("pendingRequests", 0, kMost, "requests that wait for one of these");
  s.time<&ClientLimits::connect_timeout>("connectTimeout", 0.01, kHour, "connecting, with the TLS handshake");
  s.time<&ClientLimits::idle_timeout>("idleTimeout", 0.1, kDay, "an idle connection");
  s.time<&ClientLimits::ping_after>("pingAfter", 0.1, kDay,
                                    "silence of an HTTP/2 backend that owes responses, until a ping");
  s.time<&ClientLimits::ping_timeout>("pingTimeout", 0.1, kHour, "until the answer to a ping");
  s.time<&ClientLimits::ping_again>("pingAgain", 0.1, kDay, "between further pings of the same silence");
  add_messages<&Settings::backends, &ClientLimits::http>(out, "backends.");
  add_http2<&Settings::backends, &ClientLimits::h2>(out, "backends.");
}

void add_balance(std::vector<Setting>& out) {
  Section<&Settings::balance> s{out, "balance."};
  s.count<&BalanceSettings::eject_after>("ejectAfter", 1, 1'000'000, "failures in a row until an ejection");
  s.time<&BalanceSettings::ejection>("ejection", 0.1, kDay, "the first ejection of an endpoint");
  s.time<&BalanceSettings::max_ejection>("maxEjection", 0.1, kDay, "each ejection of an endpoint");
  s.add<&BalanceSettings::max_ejected_percent>("maxEjectedPercent", Unit::kPercent, 0, 100,
                                               "endpoints of a backend ejected at once, one at least");
  s.time<&BalanceSettings::slow_start>("slowStart", 0, kHour, "until a new endpoint has its full share");
}

std::vector<Setting> make_settings() {
  std::vector<Setting> out;
  add_clients(out);
  add_backends(out);
  add_balance(out);
  Section<&Settings::retry> retry{out, "retry."};
  retry.add<&RetrySettings::budget_percent>("budgetPercent", Unit::kPercent, 0, 100,
                                            "retries of a backend's requests");
  retry.add<&RetrySettings::min_per_second>("minPerSecond", Unit::kPerSecond, 0, 1'000'000,
                                            "retries to a backend whatever its traffic");
  Section<> whole{out, ""};
  whole.time<&Settings::tunnel_lifetime>("tunnelLifetime", 1, 365 * kDay,
                                         "a WebSocket, or a connection of layer 4");
  whole.time<&Settings::drain_timeout>("drainTimeout", 0, kHour, "requests under way at the end");
  return out;
}

}  // namespace

const std::vector<Setting>& all_settings() {
  static const std::vector<Setting> kAll = make_settings();
  return kAll;
}

}  // namespace tidegate::proxy
