// SPDX-License-Identifier: Apache-2.0
// Bounds of the network layer, each with its reason.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::net {

inline constexpr std::size_t kClientHelloBytes =
    16 * 1024;  // records included; one with post-quantum key shares and a ticket takes 3 KiB
inline constexpr std::size_t kDatagramBytes = 65'535;  // of UDP over IPv4 and IPv6
inline constexpr int kDatagramsInTurn =
    64;  // that one socket hands over before the others of its loop have their turn

inline constexpr int kTlsChatter =
    32;  // steps of TLS itself that a peer may cause between two bytes of data; new keys are for some GiB
inline constexpr std::size_t kClientChainBytes =
    32 * 1024;  // of a client's certificates; one with some hundred names and two intermediates takes 16 KiB
inline constexpr int kClientChainDepth = 8;  // intermediates between a client and its authority; few have two
inline constexpr std::size_t kAuthorityNameBytes =
    16 * 1024;  // that clients are told, to choose by; of more none, and they send what they have
inline constexpr Duration kTlsSessionLifetime =
    std::chrono::hours(2);  // of a session that clients may resume; who steals a key reads no more than two
                            // such spans

}  // namespace tidegate::net
