// SPDX-License-Identifier: Apache-2.0
// The schemas in crds/: `kubectl explain` teaches every field, and what a rule refuses says what is expected.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/yaml.h"

namespace tidegate::architecture {
namespace {

void check(const Json& schema, const std::string& path, std::string& findings) {
  for (const auto& [name, property] : json::object_at(schema, "properties").items()) {
    if (json::string_at(property, "description").empty())
      findings += "\n  " + path + "." + name + " has no description";
    check(property, path + "." + name, findings);
  }
  if (schema.contains("items")) check(schema["items"], path + "[]", findings);
  if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object())
    check(schema["additionalProperties"], path + ".*", findings);
  for (const auto& rule : json::array_at(schema, "x-kubernetes-validations")) {
    if (json::string_at(rule, "message").find("expected") == std::string::npos)
      findings += "\n  a rule on " + path + " does not say what is expected";
  }
}

TEST(Crds, TeachEveryField) {
  namespace fs = std::filesystem;
  std::size_t read = 0;
  for (const auto& entry : fs::directory_iterator(TIDEGATE_TREE "/crds")) {
    if (entry.path().extension() != ".yaml") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto documents = yaml::parse_all(text.str());
    ASSERT_TRUE(documents) << entry.path() << ": " << documents.error().detail;
    for (const auto& document : *documents) {
      std::string findings;
      for (const auto& version : json::array_at(document.value, "spec.versions"))
        check(json::object_at(version, "schema.openAPIV3Schema"), "", findings);
      EXPECT_EQ(findings, "") << entry.path().filename();
      ++read;
    }
  }
  EXPECT_GE(read, 4u);
}

}  // namespace
}  // namespace tidegate::architecture
