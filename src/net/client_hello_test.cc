// SPDX-License-Identifier: Apache-2.0
#include "net/client_hello.h"

#include <gtest/gtest.h>

#include "net/limits.h"

namespace tidegate::net {
namespace {

using State = ClientHello::State;

std::string number(std::size_t value, int bytes) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(value >> (8 * bytes) & 0xff);
  return out;
}
std::string vector(const std::string& content, int length_bytes) {
  return number(content.size(), length_bytes) + content;
}
std::string extension(std::size_t type, const std::string& content) {
  return number(type, 2) + vector(content, 2);
}
std::string host(const std::string& name) { return number(0, 1) + vector(name, 2); }
std::string server_name(const std::string& names) { return extension(0, vector(names, 2)); }

// RFC 8446 section 4.1.2.
std::string message(const std::string& extensions) {
  const std::string body = number(0x0303, 2) + std::string(32, 'r') + vector(std::string(32, 's'), 1) +
                           vector(number(0x1301, 2) + number(0x1302, 2), 2) + vector(number(0, 1), 1) +
                           vector(extensions, 2);
  return number(1, 1) + vector(body, 3);
}
std::string record(const std::string& fragment) {
  return number(22, 1) + number(0x0301, 2) + vector(fragment, 2);
}
std::string hello(const std::string& extensions) { return record(message(extensions)); }

const std::string kKeyShare = extension(51, std::string(1200, 'k'));

TEST(ClientHello, TellsTheServerNameWhereverItStands) {
  const std::string name = server_name(host("shop.example"));
  for (const auto& extensions : {name, kKeyShare + name, name + kKeyShare})
    EXPECT_EQ(parse_client_hello(hello(extensions)).server_name, "shop.example");
  EXPECT_EQ(parse_client_hello(hello(server_name(host("SHOP.Example")))).server_name, "shop.example");
}

TEST(ClientHello, MayNameNoServer) {
  const std::string without_extensions = [] {
    std::string body = message({}).substr(4);
    body.resize(body.size() - 2);
    return record(number(1, 1) + vector(body, 3));
  }();
  for (const auto& bytes : {hello({}), hello(kKeyShare), without_extensions}) {
    const auto parsed = parse_client_hello(bytes);
    EXPECT_EQ(parsed.state, State::kComplete) << parsed.fault;
    EXPECT_EQ(parsed.server_name, "");
  }
}

TEST(ClientHello, MayBeSpreadOverRecordsAndFollowedByMore) {
  const std::string whole = message(kKeyShare + server_name(host("shop.example")));
  std::string spread;
  for (std::size_t at = 0; at < whole.size(); at += 100) spread += record(whole.substr(at, 100));
  for (const auto& bytes : {spread, spread + "early data", record(whole + "another message")})
    EXPECT_EQ(parse_client_hello(bytes).server_name, "shop.example");
}

// What is asked for is exactly what tells more, so that a reader may sleep until it is there.
TEST(ClientHello, ByteByByteSaysTheSameAsAllAtOnce) {
  const std::string whole = message(kKeyShare + server_name(host("shop.example")));
  for (const auto& bytes : {record(whole), record(whole.substr(0, 3)) + record(whole.substr(3)),
                            record(whole.substr(0, 700)) + record(whole.substr(700))}) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto part = parse_client_hello(bytes.substr(0, length));
      ASSERT_EQ(part.state, State::kMore) << length << " " << part.fault;
      ASSERT_GT(part.needed, length);
      ASSERT_LE(part.needed, bytes.size());
    }
    EXPECT_EQ(parse_client_hello(bytes).state, State::kComplete);
  }
}

TEST(ClientHello, IsRefusedFromTheByteOnThatMakesItNone) {
  struct Row {
    const char* name;
    std::string bytes;
    const char* fault;
  };
  const std::string good = server_name(host("shop.example"));
  const std::string cut = message(good);
  const std::vector<Row> rows = {
      {"HTTP", "G", "no TLS handshake"},
      {"SSL 2", std::string("\x16\x02", 2), "no version of TLS"},
      {"an empty record", record(""), "size that is not allowed"},
      {"a record too long", number(22, 1) + number(0x0301, 2) + number(16385, 2), "size that is not allowed"},
      {"a ServerHello", record(number(2, 1)), "no ClientHello"},
      {"an endless hello", record(number(1, 1) + number(1 << 20, 3)), "too long"},
      {"a body that ends early", record(number(1, 1) + vector(cut.substr(4, 30), 3)), "malformed"},
      {"extensions that end early", hello(good.substr(0, good.size() - 1)), "extensions are malformed"},
      {"bytes behind the extensions", record(number(1, 1) + vector(cut.substr(4) + "x", 3)), "malformed"},
      {"two names", hello(server_name(host("a.example") + host("b.example"))), "two hosts"},
      {"the extension twice", hello(good + good), "twice"},
      {"no name in it", hello(server_name({})), "malformed"},
      {"an empty name", hello(server_name(host({}))), "no host name"},
      {"a name with a NUL", hello(server_name(host(std::string("a\0b", 3)))), "no host name"},
      {"a name of 256 letters", hello(server_name(host(std::string(256, 'a')))), "no host name"},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_client_hello(row.bytes);
    EXPECT_EQ(parsed.state, State::kInvalid) << row.name;
    EXPECT_NE(parsed.fault.find(row.fault), std::string_view::npos) << row.name << ": " << parsed.fault;
  }
}

TEST(ClientHello, TakesNoMoreThanItsBound) {
  const std::string name = server_name(host("shop.example"));
  const std::string fits = message(extension(51, std::string(kClientHelloBytes - 200, 'k')) + name);
  EXPECT_EQ(parse_client_hello(record(fits)).state, State::kComplete);
  std::string crumbs;  // the same, in records that triple it
  for (std::size_t at = 0; at < fits.size(); at += 2) crumbs += record(fits.substr(at, 2));
  EXPECT_EQ(parse_client_hello(crumbs).state, State::kInvalid);
}

}  // namespace
}  // namespace tidegate::net
