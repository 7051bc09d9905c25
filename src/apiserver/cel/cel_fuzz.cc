// SPDX-License-Identifier: Apache-2.0
// Whatever stands in a rule is refused with a place and a reason, or evaluates within its budget, to the same
// value each time.
#include <nlohmann/json.hpp>

#include "apiserver/cel/program.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate;
  using namespace tidegate::apiserver::cel;
  static const Json kSchema = Json::parse(R"({"type":"object","properties":{
    "a":{"type":"integer"},"s":{"type":"string"},"d":{"type":"number"},"free":{"x-kubernetes-int-or-string":true},
    "l":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"}}}},
    "m":{"type":"object","additionalProperties":{"type":"string"}}}})");
  static const Json kObject = Json::parse(
      R"({"a":3,"s":"text \u00e9","d":0.5,"free":"x","l":[{"name":"one"},{}],"m":{"k":"v","":"w"}})");
  constexpr std::int64_t kSteps = 20'000;

  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const Type type = *declared_type(kSchema, true);
  const auto program = Program::compile(source, {{"self", type}, {"oldSelf", type}}, kBool);
  if (!program) {
    TIDEGATE_ASSERT(!program.error().detail.empty());
    return 0;
  }
  const Value self = from_json(kObject, &kSchema);
  Budget first(kSteps), second(kSteps);
  const Value once = program->run({self, self}, first), again = program->run({self, self}, second);
  TIDEGATE_ASSERT(once.kind() == again.kind() && first.left() == second.left());
  return 0;
}
