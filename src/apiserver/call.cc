// SPDX-License-Identifier: Apache-2.0
#include "apiserver/call.h"

#include <nlohmann/json.hpp>

#include "apiserver/schema/protobuf.h"
#include "base/text.h"
#include "base/yaml.h"

namespace tidegate::apiserver {

std::string Api::Call::content_type() const {
  const auto header = request.head.headers.get("Content-Type").value_or("");
  return text::lower(text::trim(header.substr(0, header.find(';'))));
}

schema::IncludeObject Api::Call::include() const {
  const auto asked = query.get("includeObject", "Metadata");
  if (asked == "Object") return schema::IncludeObject::kObject;
  return asked == "None" ? schema::IncludeObject::kNone : schema::IncludeObject::kMetadata;
}

Outcome<Json> Api::Call::body() const {
  const std::string& bytes = request.body;
  if (schema::is_protobuf(bytes)) {
    auto decoded = schema::decode_protobuf(bytes);
    if (decoded) return std::move(*decoded);
    if (decoded.error().code == ErrorCode::kNotFound)
      return unsupported_media_type(decoded.error().detail + "; send application/json");
    return bad_request("protobuf: " + decoded.error().detail);
  }
  auto parsed = json::parse(bytes);
  if (parsed) return std::move(*parsed);
  if (content_type().find("yaml") == std::string::npos)
    return from_error(context("the body is not valid JSON", parsed.error()));
  auto documents = yaml::parse_all(bytes);
  if (!documents) return from_error(context("the body is not valid YAML", documents.error()));
  if (documents->size() != 1)
    return bad_request("the body holds " + std::to_string(documents->size()) +
                       " YAML documents, expected one");
  return std::move(documents->front().value);
}

void Api::Call::refuse(const ApiStatus& status) const { answer(status.code, to_json(status)); }

void Api::Call::answer(int status, const Json& document, std::string_view content_type) const {
  session::Responder(responder).send({status, std::string(content_type), json::dump(document) + "\n"});
}

}  // namespace tidegate::apiserver
