// SPDX-License-Identifier: Apache-2.0
#include "apiserver/schema/protobuf.h"

#include <gtest/gtest.h>

#include "apiserver/schema/wire.h"

namespace tidegate::apiserver::schema {
namespace {

std::string message(std::initializer_list<std::pair<int, std::string>> fields) {
  WireWriter out;
  for (const auto& [number, bytes] : fields) out.bytes(number, bytes);
  return out.text();
}

std::string body(const std::string& api_version, const std::string& kind, const std::string& object) {
  return std::string("k8s\0", 4) +
         message({{1, message({{1, api_version}, {2, kind}})}, {2, object}, {3, ""}, {4, ""}});
}

std::string number(int field, int value) { return {static_cast<char>(field << 3), static_cast<char>(value)}; }

std::string decoded(const std::string& bytes) {
  const auto object = decode_protobuf(bytes);
  return object ? json::dump(*object) : "error: " + object.error().detail;
}

TEST(Protobuf, IsKnownByItsMagic) {
  EXPECT_TRUE(is_protobuf(body("v1", "Namespace", "")));
  EXPECT_FALSE(is_protobuf("{}"));
  EXPECT_FALSE(is_protobuf("k8s"));
}

TEST(Protobuf, NamespaceWithWhatGoWritesForUnsetFields) {
  const std::string meta =
      message({{1, "shop"}, {2, ""}, {3, ""}, {8, ""}, {11, message({{1, "team"}, {2, "a"}})}});
  EXPECT_EQ(
      decoded(body("v1", "Namespace", message({{1, meta}, {2, ""}, {3, message({{1, ""}})}}))),
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"labels":{"team":"a"},"name":"shop"},"spec":{}})");
}

TEST(Protobuf, SecretBytesBecomeBase64) {
  const std::string entry = message({{1, "k"}, {2, std::string("\0x", 2)}});
  EXPECT_EQ(decoded(body("v1", "Secret", message({{2, entry}, {3, "Opaque"}}))),
            R"({"apiVersion":"v1","data":{"k":"AHg="},"kind":"Secret","type":"Opaque"})");
}

TEST(Protobuf, ServicePortsKeepNumbersAndNames) {
  const std::string by_number =
      message({{1, "a"}}) + number(3, 80) + message({{4, number(1, 0) + number(2, 90)}});
  const std::string by_name = number(3, 81) + message({{4, number(1, 1) + message({{3, "web"}})}});
  EXPECT_EQ(decoded(body("v1", "Service", message({{2, message({{1, by_number}, {1, by_name}})}}))),
            R"({"apiVersion":"v1","kind":"Service","spec":{"ports":[{"name":"a","port":80,"targetPort":90},)"
            R"({"port":81,"targetPort":"web"}]}})");
}

TEST(Protobuf, DeploymentKeepsZeroReplicas) {
  EXPECT_EQ(decoded(body("apps/v1", "Deployment", message({{2, number(1, 0)}}))),
            R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":0}})");
}

TEST(Protobuf, UnknownKindsAreForTheCallerToRefuse) {
  const auto object = decode_protobuf(body("v1", "Pod", ""));
  ASSERT_FALSE(object.has_value());
  EXPECT_EQ(object.error().code, ErrorCode::kNotFound);
}

TEST(Protobuf, UnknownFieldsAreNeverDropped) {
  EXPECT_EQ(decoded(body("v1", "ConfigMap", message({{9, "x"}}))),
            "error: protobuf body: field 9 of ConfigMap is not read in protobuf; send the object as JSON");
}

TEST(Protobuf, EveryCutIsAnErrorOrAWholeMessage) {
  const std::string whole = body("v1", "Namespace", message({{1, message({{1, "shop"}})}}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto object = decode_protobuf(whole.substr(0, size));
    const std::string name = object ? json::string_at(*object, "metadata.name") : "";
    EXPECT_TRUE(name.empty() || name == "shop") << name;
  }
  EXPECT_TRUE(decode_protobuf(whole).has_value());
}

}  // namespace
}  // namespace tidegate::apiserver::schema
