// SPDX-License-Identifier: Apache-2.0
#include "apiserver/pki.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/yaml.h"
#include "tests/support/temp_dir.h"

namespace tidegate::apiserver {
namespace {

using namespace std::chrono_literals;

class PkiTest : public testing::Test {
 protected:
  Pki open(TimePoint now) {
    auto pki = open_pki(path_, now);
    EXPECT_TRUE(pki) << pki.error().detail;
    return pki.value_or({});
  }
  test::TempDir dir_;
  const std::string path_ = dir_.path() + "/pki";
  const TimePoint now_ = system_clock().now();
};

TEST_F(PkiTest, KeysAreForTheirOwnerOnly) {
  open(now_);
  for (const char* key : {"ca.key", "server.key", "admin.key"}) {
    struct stat status {};
    ASSERT_EQ(::stat((path_ + "/" + key).c_str(), &status), 0) << key;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << key;
  }
}

TEST_F(PkiTest, IsKept) {
  const auto first = open(now_), second = open(now_ + 24h * 300);
  EXPECT_EQ(first.ca_pem, second.ca_pem);
  EXPECT_EQ(first.server.certificate_pem, second.server.certificate_pem);
  EXPECT_EQ(first.admin.private_key_pem, second.admin.private_key_pem);
}

TEST_F(PkiTest, RenewsPairsThatEndSoonButNotTheAuthority) {
  const auto first = open(now_), second = open(now_ + 24h * 340);
  EXPECT_EQ(first.ca_pem, second.ca_pem);
  EXPECT_NE(first.server.certificate_pem, second.server.certificate_pem);
  EXPECT_NE(first.admin.certificate_pem, second.admin.certificate_pem);
}

TEST_F(PkiTest, ALostAuthorityMakesAllAnew) {
  const auto first = open(now_);
  std::filesystem::remove(path_ + "/ca.key");
  const auto second = open(now_);
  EXPECT_NE(first.ca_pem, second.ca_pem);
  EXPECT_NE(first.server.certificate_pem, second.server.certificate_pem) << "signed by the lost one";
}

TEST_F(PkiTest, RefusesAFolderThatCannotBe) {
  std::ofstream(path_) << "a file";
  const auto pki = open_pki(path_ + "/below", now_);
  ASSERT_FALSE(pki);
  EXPECT_NE(pki.error().detail.find(path_), std::string::npos) << pki.error().detail;
}

TEST_F(PkiTest, TheKubeconfigNamesTheServer) {
  const auto text = make_kubeconfig(open(now_), "https://127.0.0.1:1234");
  const auto documents = yaml::parse_all(text);
  ASSERT_TRUE(documents);
  EXPECT_EQ(json::string_at(documents->front().value, "/clusters/0/cluster/server"),
            "https://127.0.0.1:1234");
}

}  // namespace
}  // namespace tidegate::apiserver
