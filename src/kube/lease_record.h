// SPDX-License-Identifier: Apache-2.0
// A coordination.k8s.io Lease as leader election reads and writes it, and who may take it when. Thread: none;
// pure.
#pragma once

#include <cstdint>
#include <string>

#include "api/object.h"

namespace tidegate::kube {

using namespace std::chrono_literals;

// client-go's defaults: a leader that can't renew for kRenewDeadline steps down well before the others take
// over.
inline constexpr Duration kLeaseDuration = 15s;
inline constexpr Duration kRenewDeadline = 10s;
inline constexpr Duration kLeaseRetry = 2s;

struct LeaseRecord {
  std::string resource_version;  // empty: there is none yet
  std::string holder;            // empty: nobody
  Duration duration = kLeaseDuration;
  std::string acquired, renewed;  // as written; compared, never trusted as times: clocks of machines differ
  std::int64_t transitions = 0;
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};
LeaseRecord decode_lease(const Json& lease);

// `lease` changed to be held by `identity` from `now`; other fields of the object stay.
Json take_lease(Json lease, const api::Key& key, const std::string& identity, TimePoint now);
Json give_lease(Json lease, TimePoint now);

// When the record was last seen to change, by our own clock.
struct LeaseSight {
  LeaseRecord record;
  SteadyTime seen{};

  void look(const LeaseRecord& now_read, SteadyTime now) {
    if (now_read == record && seen != SteadyTime{}) return;
    record = now_read;
    seen = now;
  }
  bool free_for(const std::string& identity, SteadyTime now) const {
    return record.holder.empty() || record.holder == identity || now - seen >= record.duration;
  }
};

}  // namespace tidegate::kube
