// SPDX-License-Identifier: Apache-2.0
#include "apiserver/storage.h"

#include <sqlite3.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "apiserver/limits.h"
#include "base/assert.h"

namespace tidegate::apiserver {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE IF NOT EXISTS objects(resource TEXT, ns TEXT, name TEXT, revision INTEGER, body TEXT,"
    " PRIMARY KEY(resource, ns, name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS revision(id INTEGER PRIMARY KEY CHECK(id = 1), value INTEGER);"
    "INSERT OR IGNORE INTO revision VALUES(1, 0);";

Error database_error(sqlite3* database, const std::string& doing) {
  const int code = database ? ::sqlite3_errcode(database) : SQLITE_CANTOPEN;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
    return {ErrorCode::kUnavailable, doing + ": in use by another process"};
  }
  return {ErrorCode::kIo, doing + ": " + (database ? ::sqlite3_errmsg(database) : "cannot be opened")};
}

class Statement {
 public:
  Statement(sqlite3* database, const char* sql) {
    ::sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  }
  ~Statement() { ::sqlite3_finalize(statement_); }
  void bind(int index, std::string_view text) {
    ::sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  void bind(int index, std::uint64_t number) {
    ::sqlite3_bind_int64(statement_, index, static_cast<std::int64_t>(number));
  }
  bool row() { return statement_ && (last_ = ::sqlite3_step(statement_)) == SQLITE_ROW; }
  bool ended() const {
    return last_ == SQLITE_DONE;
  }  // after row() was false: no more rows, and no damage on the way
  bool done() { return statement_ && ::sqlite3_step(statement_) == SQLITE_DONE; }
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(::sqlite3_column_text(statement_, column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column)))
                 : "";
  }
  std::uint64_t number(int column) const {
    return static_cast<std::uint64_t>(::sqlite3_column_int64(statement_, column));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int last_ = SQLITE_ERROR;
};

std::shared_ptr<const Stored> make_stored(std::uint64_t revision, std::string bytes, const Json& object) {
  auto stored = std::make_shared<Stored>();
  stored->revision = revision;
  stored->bytes = std::make_shared<const std::string>(std::move(bytes));
  for (const auto& [key, value] : json::object_at(object, "metadata.labels").items()) {
    if (value.is_string()) stored->labels[key] = value.get<std::string>();
  }
  return stored;
}

}  // namespace

Json Stored::parse() const { return json::parse(*bytes).value_or(Json::object()); }

Result<std::unique_ptr<Storage>> Storage::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int opened =
      ::sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::unique_ptr<Storage> storage(new Storage(database));
  if (opened != SQLITE_OK) return database_error(database, "database " + path);
  if (auto prepared = storage->prepare(); !prepared) return context("database " + path, prepared.error());
  if (auto loaded = storage->load(); !loaded) return context("database " + path, loaded.error());
  return storage;
}

Storage::~Storage() { ::sqlite3_close(database_); }

Result<void> Storage::prepare() {
  // One process holds the database for as long as it runs. WAL with NORMAL: a commit survives the death of
  // the process, though not of the machine.
  for (const char* sql :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL", kSchema}) {
    if (::sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      return database_error(database_, "opening");
  }
  return {};
}

Result<void> Storage::load() {
  Statement revision(database_, "SELECT value FROM revision");
  if (!revision.row()) return database_error(database_, "reading");
  revision_ = forgotten_ = revision.number(0);
  Statement objects(database_, "SELECT resource, ns, name, revision, body FROM objects");
  while (objects.row()) {
    const ObjectId id{objects.text(0), objects.text(1), objects.text(2)};
    auto body = objects.text(4);
    auto object = json::parse(body);
    if (!object) return context("object " + id.resource + " " + id.ns + "/" + id.name, object.error());
    objects_[id] = make_stored(objects.number(3), std::move(body), *object);
  }
  if (!objects.ended()) return database_error(database_, "reading");
  return {};
}

std::shared_ptr<const Stored> Storage::get(const ObjectId& id) const {
  auto it = objects_.find(id);
  return it == objects_.end() ? nullptr : it->second;
}

std::vector<std::pair<ObjectId, std::shared_ptr<const Stored>>> Storage::list(const std::string& resource,
                                                                              const std::string& ns) const {
  std::vector<std::pair<ObjectId, std::shared_ptr<const Stored>>> found;
  for (auto it = objects_.lower_bound({resource, ns, ""});
       it != objects_.end() && it->first.resource == resource; ++it) {
    if (!ns.empty() && it->first.ns != ns) break;
    found.push_back(*it);
  }
  return found;
}

Result<void> Storage::run(const char* sql, const std::vector<std::string>& text) {
  Statement statement(database_, sql);
  for (std::size_t i = 0; i < text.size(); ++i) statement.bind(static_cast<int>(i + 1), text[i]);
  if (!statement.done()) return database_error(database_, "writing");
  return {};
}

Result<std::shared_ptr<const Stored>> Storage::put(const ObjectId& id, Json object) {
  const std::uint64_t revision = revision_ + 1;
  object["metadata"]["resourceVersion"] = std::to_string(revision);
  auto stored = make_stored(revision, json::dump(object), object);
  const std::string number = std::to_string(revision);
  if (auto begun = run("BEGIN IMMEDIATE", {}); !begun) return begun.error();
  auto written = run("INSERT OR REPLACE INTO objects VALUES(?1, ?2, ?3, CAST(?4 AS INTEGER), ?5)",
                     {id.resource, id.ns, id.name, number, *stored->bytes});
  if (written) written = run("UPDATE revision SET value = CAST(?1 AS INTEGER)", {number});
  if (written) written = run("COMMIT", {});
  if (!written) {
    (void)run("ROLLBACK", {});
    return written.error();
  }
  revision_ = revision;
  auto& slot = objects_[id];
  Change change{id, revision, slot, stored};
  slot = stored;
  remember(std::move(change));
  return stored;
}

Result<std::uint64_t> Storage::remove(const ObjectId& id) {
  const auto it = objects_.find(id);
  TIDEGATE_ASSERT(it != objects_.end());
  const std::uint64_t revision = revision_ + 1;
  if (auto begun = run("BEGIN IMMEDIATE", {}); !begun) return begun.error();
  auto written =
      run("DELETE FROM objects WHERE resource = ?1 AND ns = ?2 AND name = ?3", {id.resource, id.ns, id.name});
  if (written) written = run("UPDATE revision SET value = CAST(?1 AS INTEGER)", {std::to_string(revision)});
  if (written) written = run("COMMIT", {});
  if (!written) {
    (void)run("ROLLBACK", {});
    return written.error();
  }
  revision_ = revision;
  Change change{id, revision, it->second, nullptr};
  objects_.erase(it);
  remember(std::move(change));
  return revision;
}

void Storage::remember(Change change) {
  changes_.push_back(std::move(change));
  if (changes_.size() > kMaxChanges) {
    forgotten_ = changes_.front().revision;
    changes_.pop_front();
  }
  const Change told = changes_.back();
  if (listener_) listener_(told);
}

Result<std::vector<Change>> Storage::changes_since(std::uint64_t revision) const {
  if (revision < forgotten_) {
    return Error{ErrorCode::kGone, "too old resource version: " + std::to_string(revision) + " (" +
                                       std::to_string(forgotten_) + ")"};
  }
  // A revision that was never given: the client knows another database. It must list again.
  if (revision > revision_) {
    return Error{ErrorCode::kGone, "resource version " + std::to_string(revision) + " is not known yet (" +
                                       std::to_string(revision_) + ")"};
  }
  const auto first =
      std::upper_bound(changes_.begin(), changes_.end(), revision,
                       [](std::uint64_t sought, const Change& change) { return sought < change.revision; });
  return std::vector<Change>(first, changes_.end());
}

}  // namespace tidegate::apiserver
