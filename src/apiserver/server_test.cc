// SPDX-License-Identifier: Apache-2.0
// The server as a process sees it: what keeps it from starting is said in one line, and nobody gets in
// without a certificate.
#include "apiserver/server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "session/loopback.h"
#include "tests/support/temp_dir.h"

namespace tidegate::apiserver {
namespace {

class ServerTest : public session::LoopbackTest {
 protected:
  Result<std::unique_ptr<Server>> open(const std::string& data_dir, std::uint16_t port = 0) {
    Server::Options options;
    options.address = {"127.0.0.1", port};
    options.data_dir = data_dir;
    return Server::open(loop_, options);
  }
  static void expect_one_line(const Error& error, const std::string& says) {
    EXPECT_NE(error.detail.find(says), std::string::npos) << error.detail;
    EXPECT_EQ(error.detail.find('\n'), std::string::npos) << error.detail;
  }
  test::TempDir dir_;
  const std::string data_ = dir_.path() + "/data";
};

TEST_F(ServerTest, OneProcessHoldsADataDir) {
  auto first = open(data_);
  ASSERT_TRUE(first) << first.error().detail;
  auto second = open(data_);
  ASSERT_FALSE(second);
  expect_one_line(second.error(), data_ + ": in use by another process");
  first->reset();
  EXPECT_TRUE(open(data_)) << "free again";
}

TEST_F(ServerTest, NamesAPortInUse) {
  auto first = open(data_);
  ASSERT_TRUE(first);
  const auto second = open(dir_.path() + "/other", (*first)->address().port);
  ASSERT_FALSE(second);
  expect_one_line(second.error(), std::to_string((*first)->address().port));
}

TEST_F(ServerTest, NamesADataDirThatCannotBe) {
  std::ofstream(data_) << "a file";
  const auto server = open(data_ + "/below");
  ASSERT_FALSE(server);
  expect_one_line(server.error(), data_ + "/below");
}

TEST_F(ServerTest, NamesADamagedDatabase) {
  ASSERT_TRUE(open(data_));
  std::ofstream(data_ + "/state.db", std::ios::trunc) << std::string(10'000, 'x');
  const auto server = open(data_);
  ASSERT_FALSE(server);
  expect_one_line(server.error(), data_ + "/state.db");
}

TEST_F(ServerTest, TheDataDirIsForItsOwnerOnly) {
  ASSERT_TRUE(open(data_));
  struct stat status {};
  ASSERT_EQ(::stat(data_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(ServerTest, AnswersNobodyWithoutACertificate) {
  auto server = open(data_);
  ASSERT_TRUE(server);
  net::ClientTlsOptions options;
  std::ifstream authority(data_ + "/pki/ca.crt");
  options.ca_pem.assign(std::istreambuf_iterator<char>(authority), {});
  auto tls = net::make_client_tls(options);
  ASSERT_TRUE(tls);
  const auto peer = connect((*server)->address(), *tls, "localhost");
  if (!peer) return;  // refused in the handshake
  peer->send("GET /api/v1/namespaces HTTP/1.1\r\nHost: localhost\r\n\r\n");
  run_until([&] { return peer->ended(); });  // TLS 1.3 tells a client after its own end of the handshake
  EXPECT_EQ(peer->received(), "");
}

}  // namespace
}  // namespace tidegate::apiserver
