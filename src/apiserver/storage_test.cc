// SPDX-License-Identifier: Apache-2.0
#include "apiserver/storage.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apiserver/limits.h"
#include "tests/support/temp_dir.h"

namespace tidegate::apiserver {
namespace {

Json object(const std::string& name) {
  return {{"kind", "Thing"}, {"metadata", {{"name", name}, {"labels", {{"a", "b"}}}}}};
}
ObjectId id(const std::string& name, const std::string& ns = "default") { return {"things", ns, name}; }

class StorageTest : public testing::Test {
 protected:
  std::unique_ptr<Storage> open() {
    auto storage = Storage::open(path_);
    EXPECT_TRUE(storage) << storage.error().detail;
    return storage ? std::move(*storage) : nullptr;
  }
  test::TempDir dir_;
  const std::string path_ = dir_.path() + "/state.db";
};

TEST_F(StorageTest, KeepsObjectsAndRevisionOverAReopening) {
  auto storage = open();
  ASSERT_TRUE(storage->put(id("a"), object("a")));
  ASSERT_TRUE(storage->put(id("b"), object("b")));
  ASSERT_TRUE(storage->remove(id("a")));
  const std::string bytes = *storage->get(id("b"))->bytes;
  storage.reset();
  storage = open();
  EXPECT_EQ(storage->get(id("a")), nullptr);
  ASSERT_NE(storage->get(id("b")), nullptr);
  EXPECT_EQ(*storage->get(id("b"))->bytes, bytes);
  EXPECT_EQ(storage->get(id("b"))->labels, (Labels{{"a", "b"}}));
  EXPECT_EQ(storage->revision(), 3u) << "a removal takes a revision too, and it must not be given twice";
}

TEST_F(StorageTest, WritesTheRevisionIntoTheObject) {
  auto storage = open();
  ASSERT_TRUE(storage->put(id("a"), object("a")));
  const auto stored = storage->put(id("a"), object("a"));
  ASSERT_TRUE(stored);
  EXPECT_EQ(json::string_at((*stored)->parse(), "metadata.resourceVersion"), "2");
}

TEST_F(StorageTest, ListsOneNamespaceOnly) {
  auto storage = open();
  for (const char* ns : {"b", "a", "aa"}) ASSERT_TRUE(storage->put(id("x", ns), object("x")));
  EXPECT_EQ(storage->list("things", "a").size(), 1u);
  const auto all = storage->list("things", "");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].first.ns + all[1].first.ns + all[2].first.ns, "aaab") << "sorted by namespace";
  EXPECT_TRUE(storage->list("thing", "").empty());
}

TEST_F(StorageTest, TellsTheChangesSinceARevisionInOrder) {
  auto storage = open();
  ASSERT_TRUE(storage->put(id("a"), object("a")));
  ASSERT_TRUE(storage->put(id("b"), object("b")));
  ASSERT_TRUE(storage->remove(id("a")));
  const auto changes = storage->changes_since(1);
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_EQ((*changes)[0].id.name, "b");
  EXPECT_EQ((*changes)[1].now, nullptr);
  EXPECT_EQ((*changes)[1].revision, 3u);
}

TEST_F(StorageTest, SaysGoneForChangesThatItForgot) {
  auto storage = open();
  for (std::size_t i = 0; i < kMaxChanges + 5; ++i) ASSERT_TRUE(storage->put(id("a"), object("a")));
  ASSERT_FALSE(storage->changes_since(4));
  EXPECT_EQ(storage->changes_since(4).error().code, ErrorCode::kGone);
  const auto changes = storage->changes_since(5);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->size(), kMaxChanges);
  EXPECT_EQ(changes->front().revision, 6u);
}

TEST_F(StorageTest, SaysGoneForChangesBeforeAReopening) {
  auto storage = open();
  ASSERT_TRUE(storage->put(id("a"), object("a")));
  storage.reset();
  storage = open();
  EXPECT_FALSE(storage->changes_since(0));
  EXPECT_TRUE(storage->changes_since(1));
}

TEST_F(StorageTest, RefusesADatabaseThatIsHeld) {
  const auto storage = open();
  const auto second = Storage::open(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().detail.find("in use by another process"), std::string::npos)
      << second.error().detail;
}

TEST_F(StorageTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path_) << std::string(5000, 'x');
  const auto storage = Storage::open(path_);
  ASSERT_FALSE(storage);
  EXPECT_NE(storage.error().detail.find(path_), std::string::npos) << storage.error().detail;
}

TEST_F(StorageTest, RefusesADamagedDatabaseInsteadOfLosingObjects) {
  auto storage = open();
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(storage->put(id("name-" + std::to_string(i)), object("a")));
  storage.reset();
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(0, std::ios::end);
  const auto size = static_cast<std::size_t>(file.tellp());
  ASSERT_GT(size, 100'000u) << "the journal was not written back";
  for (std::size_t page = 8 * 4096; page < size; page += 4096) {
    file.seekp(static_cast<std::streamoff>(page));
    file << std::string(4096, '\x7f');
  }
  file.close();
  const auto damaged = Storage::open(path_);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kIo);
}

TEST_F(StorageTest, RefusesAFolderThatIsNotThere) {
  const auto storage = Storage::open(dir_.path() + "/no/state.db");
  ASSERT_FALSE(storage);
  EXPECT_EQ(storage.error().code, ErrorCode::kIo);
}

// Names that a process acknowledged before it was killed are all there afterwards.
TEST_F(StorageTest, AcknowledgedWritesSurviveKill) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t writer = ::fork();
  ASSERT_GE(writer, 0);
  if (writer == 0) {
    auto storage = Storage::open(path_);
    for (std::uint32_t i = 0; storage; ++i) {
      if (!(*storage)->put(id("w" + std::to_string(i)), object("w"))) break;
      if (::write(pipe[1], &i, sizeof i) != sizeof i) break;
    }
    ::_exit(1);
  }
  ::close(pipe[1]);
  std::uint32_t last = 0;
  while (last < 300 && ::read(pipe[0], &last, sizeof last) == sizeof last) {
  }
  ::kill(writer, SIGKILL);
  while (::read(pipe[0], &last, sizeof last) == sizeof last) {  // acknowledged before the kill
  }
  ::close(pipe[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(writer, &status, 0), writer);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_GE(last, 300u);
  const auto storage = open();
  for (std::uint32_t i = 0; i <= last; ++i)
    EXPECT_NE(storage->get(id("w" + std::to_string(i))), nullptr) << i << " of " << last;
  EXPECT_GE(storage->revision(), last + 1);
}

}  // namespace
}  // namespace tidegate::apiserver
