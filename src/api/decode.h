// SPDX-License-Identifier: Apache-2.0
// What the decoders of this folder share. Total: elements of another type than expected are left out. Thread:
// none; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"

namespace tidegate::api {

Labels decode_labels(const Json& value, std::string_view path);                     // an object of strings
std::vector<std::string> decode_strings(const Json& value, std::string_view path);  // an array of strings
// An integer held within 32 bits, as the fields are declared.
std::int32_t int32_at(const Json& value, std::string_view path, std::int32_t fallback = 0);
// Kubernetes' IntOrString as text: 80 and "80" are the same; empty where the path is missing.
std::string int_or_string_at(const Json& value, std::string_view path);

// Of statuses. Milliseconds matter for one-second intervals, so times that are counted from keep them.
std::optional<TimePoint> time_at(const Json& value, std::string_view path);
// What says nothing is left out.
void put(Json& out, const char* key, const std::optional<TimePoint>& time);
void put(Json& out, const char* key, const std::string& text);
void put(Json& out, const char* key, std::int64_t number);

}  // namespace tidegate::api
