// SPDX-License-Identifier: Apache-2.0
// Counters that one worker writes and the control thread reads while it does: relaxed atomics without
// read-modify-write, since each has one writer. Cells are made at their first use, so that idle routes cost a
// pointer a worker. Thread: writing, the worker that a cell belongs to; reading, any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "metrics/traffic.h"
#include "proxy/error.h"
#include "proxy/limits.h"
#include "session/limits.h"

namespace tidegate::proxy {

class Counter {
 public:
  void add(std::int64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::int64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Counts by status code; the first kCodesPerSeries codes apart, the rest together.
class CodeCounts {
 public:
  void add(int code);
  // visit(code, count) for each code seen; code 0 stands for all others.
  template <typename Visit>
  void each(Visit visit) const {
    for (const Entry& entry : entries_) {
      const int code = entry.code.load(std::memory_order_acquire);
      if (code != 0) visit(code, entry.count.get());
    }
    if (other_.get() != 0) visit(0, other_.get());
  }

 private:
  struct Entry {
    std::atomic<int> code{0};
    Counter count;
  };
  std::array<Entry, kCodesPerSeries> entries_;
  Counter other_;
};

struct alignas(64) BackendCell {
  CodeCounts codes;
  std::array<Counter, metrics::kDurationBounds.size() + 1> durations;
  Counter duration_milliseconds;
  std::array<Counter, kFailureReasons> failures;
  Counter failed;  // requests with a 5xx or without an answer; each once
  Counter active;

  void record(int code, FailureReason failure, Duration duration);
};

// Of a rule's backend on layer 4: TLS and TCP connections, UDP sessions.
struct alignas(64) TunnelCell {
  Counter opened, active;
  Counter bytes_in, bytes_out;  // from clients, to clients
  std::array<Counter, kFailureReasons> failures;
};

// Why a connection or a datagram got nowhere before a backend was chosen.
enum class Refusal : std::uint8_t { kNoRoute, kNoHello, kClientCertificate };
inline constexpr std::array<std::string_view, 3> kRefusalNames = {"no_route", "no_client_hello",
                                                                  "client_certificate"};

struct alignas(64) ListenerCell {
  CodeCounts codes;
  Counter connections;
  std::array<Counter, kRefusalNames.size()> refused;  // before any request
  void refuse(Refusal why) { refused[static_cast<std::size_t>(why)].add(); }
};

// Of a backend, whichever route sends to it.
struct alignas(64) BackendTotals {
  Counter ejections;
  Counter resent;                        // known unsent
  Counter retries, retries_over_budget;  // that rules ask for
};

// Beside those of connections with clients (session/limits.h).
enum class Limit : std::uint8_t {
  kConnections,
  kTlsTimeout,
  kTunnelLifetime,
  kBackendOverflow,
  kMirrorBody,
  kMirrors,
  kAccessLog,
  kUdpSessions
};
inline constexpr std::array<std::string_view, 8> kLimitNames = {
    "connections", "tls_timeout", "tunnel_lifetime", "backend_overflow",
    "mirror_body", "mirrors",     "access_log",      "udp_sessions"};

struct alignas(64) LimitCell {
  std::array<Counter, kLimitNames.size()> hits;
  std::array<Counter, session::kLimitNames.size()> client_hits;
  void hit(Limit limit) { hits[static_cast<std::size_t>(limit)].add(); }
  void hit(session::Limit limit) { client_hits[static_cast<std::size_t>(limit)].add(); }
};

// One cell a worker.
template <typename Cell>
class PerWorker {
 public:
  explicit PerWorker(std::size_t workers)
      : count_(workers), cells_(std::make_unique<std::atomic<Cell*>[]>(workers)) {}
  ~PerWorker() {
    for (std::size_t i = 0; i < count_; ++i) delete cells_[i].load(std::memory_order_acquire);
  }
  PerWorker(const PerWorker&) = delete;
  PerWorker& operator=(const PerWorker&) = delete;

  Cell& of(std::size_t worker) {  // that worker's thread only
    Cell* cell = cells_[worker].load(std::memory_order_relaxed);
    if (cell == nullptr) {
      cell = new Cell;
      cells_[worker].store(cell, std::memory_order_release);
    }
    return *cell;
  }
  template <typename Visit>
  void each(Visit visit) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (const Cell* cell = cells_[i].load(std::memory_order_acquire)) visit(*cell);
    }
  }

 private:
  std::size_t count_;
  std::unique_ptr<std::atomic<Cell*>[]> cells_;
};

}  // namespace tidegate::proxy
