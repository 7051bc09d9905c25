// SPDX-License-Identifier: Apache-2.0
// Bounds of this folder, each with its reason. Thread: none; constants.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace tidegate::metrics::providers {

inline constexpr std::size_t kMaxAnswerBytes =
    1024 * 1024;                                    // some numbers and their labels; a range of series fits
inline constexpr std::size_t kMaxValues = 1000;     // conditions read a few of them by index
inline constexpr std::size_t kMaxShownBytes = 200;  // of an answer, in an error: one line that people read
inline constexpr std::size_t kMaxWarnings = 5;      // of one answer
inline constexpr std::size_t kMaxComplaints = 20;   // about one spec; nobody reads more

inline constexpr Duration kLeastTimeout = std::chrono::seconds(1);
inline constexpr Duration kMostTimeout = std::chrono::minutes(2);  // a measurement that is later is of no use

inline constexpr std::size_t kMaxInFlight = 32;   // sockets, and answers in memory
inline constexpr std::size_t kMaxWaiting = 2048;  // requests behind those: 500 rollouts of four metrics each
inline constexpr std::size_t kMaxTlsSettings = 16;  // kept: one a CA; reading the system's takes milliseconds

}  // namespace tidegate::metrics::providers
