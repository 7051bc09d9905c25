// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/protobuf.h"

#include <nlohmann/json.hpp>

#include "apiserver/schema/protobuf_messages.h"
#include "apiserver/schema/wire.h"
#include "base/text.h"

namespace tidegate::apiserver::schema {
namespace {

constexpr std::string_view kMagic("k8s\0", 4);

Error malformed(const std::string& what) { return {ErrorCode::kInvalid, "protobuf body: " + what}; }

// Text and numbers of one field of a message that has no other nested ones; "" and 0 where absent.
struct Pair {
  std::string_view text[4];
  std::uint64_t number[4] = {};
  bool ok = true;
};
Pair read_pair(std::string_view bytes) {
  Pair out;
  WireReader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number >= 4) continue;
    out.text[field->number] = field->bytes;
    out.number[field->number] = field->integer;
  }
  out.ok = reader.ok();
  return out;
}

Result<Json> decode_message(std::string_view bytes, const WireMessage& message);

std::int64_t as_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

Json decode_int_or_string(const Pair& pair) {
  if (pair.number[1] == 1) return std::string(pair.text[3]);
  return static_cast<std::int32_t>(as_signed(pair.number[2]));
}

// null: a value that Go's encoder writes though it was never set.
Result<Json> decode_value(const WireField& field, const WireRule& rule) {
  switch (rule.type) {
    case WireType::kText:
      return field.bytes.empty() && !rule.repeated ? Json() : Json(std::string(field.bytes));
    case WireType::kBase64:
      return Json(text::base64_encode(field.bytes));
    case WireType::kNumber:
      return field.integer == 0 ? Json() : Json(as_signed(field.integer));
    case WireType::kOptionalNumber:
      return Json(as_signed(field.integer));
    case WireType::kBoolean:
      return Json(field.integer != 0);
    case WireType::kMessage:
      return decode_message(field.bytes, *rule.message);
    case WireType::kTime: {
      const Pair time = read_pair(field.bytes);
      if (!time.ok) return malformed(std::string(rule.name) + " is cut short");
      // Beyond the year 9999 there is no RFC 3339.
      if (time.number[1] == 0 || time.number[1] > 253402300799U) return Json();
      return Json(text::format_time(TimePoint(std::chrono::seconds(as_signed(time.number[1])))));
    }
    case WireType::kIntOrString: {
      const Pair pair = read_pair(field.bytes);
      if (!pair.ok) return malformed(std::string(rule.name) + " is cut short");
      return decode_int_or_string(pair);
    }
    case WireType::kTextMap:
    case WireType::kBase64Map:
    case WireType::kIgnored:
      return Json();
  }
  return Json();
}

bool wants_bytes(WireType type) {
  return type != WireType::kNumber && type != WireType::kOptionalNumber && type != WireType::kBoolean;
}

Result<void> add_field(Json& out, const WireField& field, const WireRule& rule) {
  if (rule.type == WireType::kIgnored) return {};
  if (field.is_bytes != wants_bytes(rule.type))
    return malformed(std::string(rule.name) + " has the wrong wire type");
  if (rule.type == WireType::kTextMap || rule.type == WireType::kBase64Map) {
    const Pair entry = read_pair(field.bytes);
    if (!entry.ok) return malformed(std::string(rule.name) + " is cut short");
    const bool plain = rule.type == WireType::kTextMap;
    out[rule.name][std::string(entry.text[1])] =
        plain ? std::string(entry.text[2]) : text::base64_encode(entry.text[2]);
    return {};
  }
  auto value = decode_value(field, rule);
  if (!value) return value.error();
  if (rule.repeated) {
    out[rule.name].push_back(std::move(*value));
  } else if (!value->is_null()) {
    out[rule.name] = std::move(*value);
  }
  return {};
}

Result<Json> decode_message(std::string_view bytes, const WireMessage& message) {
  Json out = Json::object();
  WireReader reader(bytes);
  while (const auto field = reader.next()) {
    const WireRule* rule = nullptr;
    for (const auto& candidate : message.rules) {
      if (candidate.number == field->number) rule = &candidate;
    }
    if (!rule) {
      return malformed("field " + std::to_string(field->number) + " of " + message.name +
                       " is not read in protobuf; send the object as JSON");
    }
    if (auto added = add_field(out, *field, *rule); !added) return added.error();
  }
  if (!reader.ok()) return malformed(std::string(message.name) + " is cut short");
  return out;
}

}  // namespace

bool is_protobuf(std::string_view body) { return body.starts_with(kMagic); }

Result<Json> decode_protobuf(std::string_view body) {
  if (!is_protobuf(body)) return malformed("does not begin with k8s and a zero byte");
  body.remove_prefix(kMagic.size());
  const Pair envelope = read_pair(body);
  const Pair type = read_pair(envelope.text[1]);
  if (!envelope.ok || !type.ok) return malformed("the envelope is cut short");
  const std::string kind(type.text[2]);
  const WireMessage* message = wire_message(kind);
  if (!message)
    return Error{ErrorCode::kNotFound, "protobuf body: kind \"" + kind + "\" is read as JSON only"};
  auto object = decode_message(envelope.text[2], *message);
  if (!object) return object.error();
  (*object)["apiVersion"] = std::string(type.text[1]);
  (*object)["kind"] = kind;
  return object;
}

}  // namespace tidegate::apiserver::schema
