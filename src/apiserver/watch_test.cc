// SPDX-License-Identifier: Apache-2.0
// The contract of a watch: every change once, in order, resumable from any revision that is still known, 410
// where it is not.
#include "apiserver/api_fixture.h"
#include "apiserver/limits.h"

namespace tidegate::apiserver {
namespace {

using namespace std::chrono_literals;

class WatchTest : public ApiTest {
 protected:
  std::string now() { return std::to_string(storage_->revision()); }
  std::string from(const std::string& revision, const std::string& more = "") {
    return std::string(kMaps) + "?watch=true&resourceVersion=" + revision + more;
  }
  void make(const std::string& name, const Json& labels = Json::object()) {
    ASSERT_EQ(call("POST", kMaps, config_map(name, "1", labels)).status, 201);
  }
};

TEST_F(WatchTest, TellsWhatChangesAfterTheRevision) {
  make("old");
  const auto stream = watch(from(now()));
  make("a");
  merge(in(kMaps, "a"), {{"data", {{"key", "2"}}}});
  call("DELETE", in(kMaps, "a"));
  EXPECT_EQ(told(*stream), "ADDED:a MODIFIED:a DELETED:a");
  EXPECT_FALSE(stream->ended);
}

TEST_F(WatchTest, RevisionsRiseAndAreUnique) {
  const auto stream = watch(from(now()));
  for (int i = 0; i < 20; ++i) {
    make("m" + std::to_string(i));
    if (i % 3 == 0) call("DELETE", in(kMaps, "m" + std::to_string(i)));
  }
  std::int64_t last = 0;
  const auto all = events(*stream);
  ASSERT_EQ(all.size(), 27u);
  for (const auto& event : all) {
    const auto revision = text::parse_int(json::string_at(event, "object.metadata.resourceVersion"));
    ASSERT_TRUE(revision);
    EXPECT_GT(*revision, last);
    last = *revision;
  }
}

TEST_F(WatchTest, ResumesFromAnyEventWithTheRest) {
  const auto whole = watch(from(now()));
  for (const char* name : {"a", "b", "c"}) make(name);
  call("DELETE", in(kMaps, "b"));
  const auto all = events(*whole);
  ASSERT_EQ(all.size(), 4u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto rest = watch(from(json::string_at(all[i], "object.metadata.resourceVersion")));
    EXPECT_EQ(events(*rest), std::vector<Json>(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()))
        << "resumed behind event " << i;
  }
}

TEST_F(WatchTest, StartsBehindAListWithoutAGap) {
  make("a");
  const auto list = call("GET", kMaps);
  make("b");
  EXPECT_EQ(told(*watch(from(list.version()))), "ADDED:b");
}

TEST_F(WatchTest, SaysGoneForAForgottenRevision) {
  make("a");
  const std::string old = now();
  open();  // history does not outlive the process
  EXPECT_EQ(told(*watch(from(old))), "");
  const auto answer = call("GET", from("0" + std::to_string(std::stoi(old) - 1)));
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(answer.at("reason"), "Expired");
}

TEST_F(WatchTest, SaysGoneForARevisionOfAnotherDatabase) {
  EXPECT_EQ(call("GET", from(std::to_string(storage_->revision() + 1))).status, 410);
}

TEST_F(WatchTest, RefusesARevisionThatIsNoNumber) { EXPECT_EQ(call("GET", from("x")).status, 400); }

TEST_F(WatchTest, BeginsWithWhatIsThereWithoutARevision) {
  make("a");
  make("b");
  EXPECT_EQ(told(*watch(from("0"))), "ADDED:a ADDED:b");
  EXPECT_EQ(told(*watch(std::string(kMaps) + "?watch=1")), "ADDED:a ADDED:b");
}

TEST_F(WatchTest, SendInitialEventsEndsThemWithABookmark) {
  make("a");
  const auto stream =
      watch(from("", "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"));
  const auto all = events(*stream);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1]["type"], "BOOKMARK");
  EXPECT_EQ(all[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
  EXPECT_EQ(all[1]["object"]["metadata"]["resourceVersion"], now());
}

TEST_F(WatchTest, AnObjectThatLeavesTheSelectionIsDeletedForTheWatcher) {
  const auto stream = watch(from(now(), "&labelSelector=tier%3Dweb"));
  make("a", {{"tier", "web"}});
  make("b", {{"tier", "db"}});
  merge(in(kMaps, "a"), {{"metadata", {{"labels", {{"tier", "db"}}}}}});
  merge(in(kMaps, "b"), {{"metadata", {{"labels", {{"tier", "web"}}}}}});
  call("DELETE", in(kMaps, "a"));
  EXPECT_EQ(told(*stream), "ADDED:a DELETED:a ADDED:b");
}

TEST_F(WatchTest, FollowsOneName) {
  const auto stream = watch(from(now(), "&fieldSelector=metadata.name%3Da"));
  make("a");
  make("b");
  EXPECT_EQ(told(*stream), "ADDED:a");
}

TEST_F(WatchTest, TellsOfAllNamespacesAndOfNoOtherKind) {
  const auto stream = watch("/api/v1/configmaps?watch=true&resourceVersion=" + now());
  call("POST", "/api/v1/namespaces/kube-system/configmaps", config_map("a"));
  call("POST", "/api/v1/namespaces/default/secrets", {{"metadata", {{"name", "s"}}}});
  EXPECT_EQ(told(*stream), "ADDED:a");
}

TEST_F(WatchTest, BookmarksKeepAQuietWatchFresh) {
  const auto stream = watch(from(now(), "&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dnone"));
  make("a");
  scheduler_.advance(kBookmarkEvery);
  const auto all = events(*stream);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["type"], "BOOKMARK");
  EXPECT_EQ(all[0]["object"]["metadata"]["resourceVersion"], now());
}

TEST_F(WatchTest, SendsNoBookmarksUnasked) {
  const auto stream = watch(from(now()));
  scheduler_.advance(kBookmarkEvery * 2);
  EXPECT_EQ(stream->body, "");
}

TEST_F(WatchTest, EndsAfterItsTimeout) {
  const auto stream = watch(from(now(), "&timeoutSeconds=60"));
  scheduler_.advance(59s);
  EXPECT_FALSE(stream->ended);
  scheduler_.advance(1s);
  EXPECT_TRUE(stream->ended);
  make("late");
  EXPECT_EQ(stream->body, "");
}

TEST_F(WatchTest, EndsOpenWatchesOnDrain) {
  const auto stream = watch(from(now()));
  api_->end_watches();
  EXPECT_TRUE(stream->ended);
}

TEST_F(WatchTest, GoesOnForOthersWhenOneLeaves) {
  const auto first = watch(from(now())), second = watch(from(now()));
  first->leave();
  make("a");
  EXPECT_EQ(first->body, "");
  EXPECT_EQ(told(*second), "ADDED:a");
}

TEST_F(WatchTest, CutsAReaderThatIsTooSlow) {
  const auto slow = watch(from(now())), other = watch(from(now()));
  slow->unsent = options_.max_unsent_bytes + 1;
  make("a");
  make("b");
  EXPECT_TRUE(slow->cut);
  EXPECT_EQ(told(*other), "ADDED:a ADDED:b");
}

TEST_F(WatchTest, SendsTablesWhereAsked) {
  Extra extra;
  extra.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const auto stream = begin("GET", from(now()), "", extra);
  make("a");
  make("b");
  const auto all = events(*stream);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["object"]["kind"], "Table");
  EXPECT_EQ(all[0]["object"]["rows"][0]["cells"][0], "a");
  EXPECT_FALSE(json::array_at(all[0], "object.columnDefinitions").empty());
}

}  // namespace
}  // namespace tidegate::apiserver
