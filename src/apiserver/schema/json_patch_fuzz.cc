// SPDX-License-Identifier: Apache-2.0
// Any two documents, one line each: every kind of patch gives a document or an error, and never more than it
// may.
#include <nlohmann/json.hpp>

#include "apiserver/schema/patch.h"
#include "apiserver/schema/resource_type.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidegate;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto object = json::parse(input.substr(0, line)), patch = json::parse(input.substr(line + 1));
  if (!object || !patch) return 0;
  static const Json schema = [] {
    for (const auto& type : apiserver::schema::builtin_types()) {
      if (type->kind == "Pod") return type->storage_version().schema;
    }
    return Json::object();
  }();
  (void)apiserver::schema::json_patch(*object, *patch);
  (void)apiserver::schema::json_merge_patch(*object, *patch);
  (void)apiserver::schema::strategic_merge_patch(*object, *patch, schema);
  apiserver::schema::ApplyOptions options{
      .manager = "a", .operation_time = "2026-01-01T00:00:00Z", .api_version = "v1"};
  (void)apiserver::schema::server_side_apply(&*object, *patch, schema, options);
  return 0;
}
