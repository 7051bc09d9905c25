// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/table.h"

#include <nlohmann/json.hpp>

#include "apiserver/schema/column_functions.h"
#include "base/json_path.h"

namespace tidegate::apiserver::schema {
namespace {

const PrinterColumn kName{.name = "Name",
                          .type = "string",
                          .format = "name",
                          .description = "Name of the object; unique in its namespace and kind."};
const PrinterColumn kAge{.name = "Age",
                         .type = "date",
                         .description = "Time since the object was created.",
                         .json_path = ".metadata.creationTimestamp"};

// Events place their name elsewhere; all other kinds begin with it.
bool begins_with_name(const Version& version) {
  for (const auto& column : version.columns) {
    if (column.name == "Name") return false;
  }
  return true;
}

Json definition_of(const PrinterColumn& column) {
  return {{"name", column.name},
          {"type", column.type},
          {"format", column.format},
          {"description", column.description},
          {"priority", column.priority}};
}

// A value as a cell of its column's type; null where it has another.
Json convert(const Json& value, const PrinterColumn& column, TimePoint now) {
  if (column.type == "string") return value.is_string() ? value : Json(json::dump(value));
  if (column.type == "date")
    return value.is_string() ? Json(age_of(value.get_ref<const std::string&>(), now)) : Json();
  if (column.type == "integer") return value.is_number() ? Json(value.get<std::int64_t>()) : Json();
  if (column.type == "number") return value.is_number() ? value : Json();
  if (column.type == "boolean") return value.is_boolean() ? value : Json();
  return {};
}

Json cell(const Json& object, const PrinterColumn& column, TimePoint now) {
  if (!column.function.empty()) return compute_cell(column.function, object, now);
  const auto found = json::select(object, column.json_path);
  if (!found || found->empty() || found->front().is_null()) return {};
  return convert(found->front(), column, now);
}

}  // namespace

Json table_columns(const Version& version) {
  Json columns = Json::array();
  if (begins_with_name(version)) columns.push_back(definition_of(kName));
  for (const auto& column : version.columns) columns.push_back(definition_of(column));
  if (version.columns.empty()) columns.push_back(definition_of(kAge));
  return columns;
}

Json table_row(const Json& object, const Version& version, IncludeObject include, TimePoint now) {
  Json cells = Json::array();
  if (begins_with_name(version)) cells.push_back(json::string_at(object, "metadata.name"));
  for (const auto& column : version.columns) cells.push_back(cell(object, column, now));
  if (version.columns.empty()) cells.push_back(cell(object, kAge, now));
  Json row = {{"cells", std::move(cells)}};
  switch (include) {
    case IncludeObject::kNone:
      break;
    case IncludeObject::kMetadata:
      row["object"] = {{"kind", "PartialObjectMetadata"},
                       {"apiVersion", "meta.k8s.io/v1"},
                       {"metadata", json::object_at(object, "metadata")}};
      break;
    case IncludeObject::kObject:
      row["object"] = object;
      break;
  }
  return row;
}

Json make_table(const std::vector<Json>& objects, const Version& version, IncludeObject include, bool columns,
                TimePoint now, const Json& list_metadata) {
  Json rows = Json::array();
  for (const Json& object : objects) rows.push_back(table_row(object, version, include, now));
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", list_metadata.is_object() ? list_metadata : Json::object()},
          {"columnDefinitions", columns ? table_columns(version) : Json::array()},
          {"rows", std::move(rows)}};
}

}  // namespace tidegate::apiserver::schema
