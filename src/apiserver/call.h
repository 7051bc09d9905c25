// SPDX-License-Identifier: Apache-2.0
// One request to the API, decoded: what it is about, what it accepts, its body as a document. Private to
// apiserver/. Thread: control.
#pragma once

#include <string>

#include "apiserver/api.h"
#include "apiserver/request_path.h"
#include "apiserver/schema/table.h"

namespace tidegate::apiserver {

struct Api::Call {
  session::Request request;
  session::Responder responder;
  std::string path;
  Query query;
  ResourcePath about;            // for resources
  schema::ResourceTypePtr type;  // for resources
  const schema::Version* version = nullptr;

  const std::string& method() const { return request.head.method; }
  std::string accept() const { return std::string(request.head.headers.get("Accept").value_or("")); }
  std::string content_type() const;  // without parameters, lower case
  bool wants_table() const { return accept().find("as=Table") != std::string::npos; }
  schema::IncludeObject include() const;

  // JSON, YAML (for apply) or the few protobuf kinds.
  Outcome<Json> body() const;

  void refuse(const ApiStatus& status) const;
  void answer(int status, const Json& document, std::string_view content_type = "application/json") const;
};

}  // namespace tidegate::apiserver
