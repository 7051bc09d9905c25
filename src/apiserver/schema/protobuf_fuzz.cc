// SPDX-License-Identifier: Apache-2.0
// Any bytes behind the magic and a kind's name give an object of that kind or an error.
#include <nlohmann/json.hpp>

#include "apiserver/schema/protobuf.h"
#include "apiserver/schema/wire.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate::apiserver::schema;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)decode_protobuf(input);
  for (const char* kind : {"Namespace", "Secret", "Service", "Deployment", "DeleteOptions"}) {
    WireWriter type, envelope;
    type.bytes(1, "v1");
    type.bytes(2, kind);
    envelope.bytes(1, type.text());
    envelope.bytes(2, input);
    const auto object = decode_protobuf(std::string("k8s\0", 4) + envelope.text());
    if (object) TIDEGATE_ASSERT(tidegate::json::string_at(*object, "kind") == kind);
  }
  return 0;
}
