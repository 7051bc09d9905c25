// SPDX-License-Identifier: Apache-2.0
// The protobuf messages of Kubernetes' API that are decoded here, as tables: field numbers of the published
// .proto files and JSON names. Constants. Thread: any.
#pragma once

#include <span>
#include <string_view>

namespace tidegate::apiserver::schema {

enum class WireType {
  kText,    // left out where empty, since Go's encoder writes empty strings that were never set
  kBase64,  // bytes
  kNumber,  // left out where zero, for the same reason
  kOptionalNumber,
  kBoolean,
  kMessage,
  kTime,
  kTextMap,
  kBase64Map,
  kIntOrString,
  kIgnored,  // what the server writes itself: status, managedFields
};

struct WireMessage;
struct WireRule {
  int number;
  const char* name;
  WireType type;
  bool repeated = false;
  const WireMessage* message = nullptr;
};
struct WireMessage {
  const char* name;
  std::span<const WireRule> rules;
};

// nullptr where bodies of that kind are not decoded.
const WireMessage* wire_message(std::string_view kind);

}  // namespace tidegate::apiserver::schema
