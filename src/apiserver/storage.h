// SPDX-License-Identifier: Apache-2.0
// All objects, by resource, namespace and name: in memory as canonical JSON bytes, and in SQLite, where a
// write stands before it is acknowledged. Each write takes the next revision, which is the object's
// resourceVersion. The last changes are kept for watches to resume from (bounded). Not: schemas, admission
// (writes.h), watching (watch_hub.h). Thread: control. Owns: the database.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

struct sqlite3;

namespace tidegate::apiserver {

struct ObjectId {
  std::string resource;  // "replicasets.apps", "services"
  std::string ns;        // empty: cluster-scoped
  std::string name;
  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

using Labels = std::map<std::string, std::string>;

struct Stored {
  std::uint64_t revision = 0;
  std::shared_ptr<const std::string> bytes;  // JSON in the storage version, with resourceVersion
  Labels labels;                             // what most selectors ask for

  Json parse() const;
};

struct Change {
  ObjectId id;
  std::uint64_t revision = 0;
  std::shared_ptr<const Stored> before, now;  // null: created, deleted
};

class Storage {
 public:
  // Errors: kIo with the path and the reason; a database that another process holds is named as such.
  static Result<std::unique_ptr<Storage>> open(const std::string& path);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::shared_ptr<const Stored> get(const ObjectId& id) const;
  // In order of namespace and name, from behind `after` (paging); ns empty: all.
  std::vector<std::pair<ObjectId, std::shared_ptr<const Stored>>> list(const std::string& resource,
                                                                       const std::string& ns) const;

  // Sets metadata.resourceVersion and stores. The object is gone from memory and disk alike, or in both.
  Result<std::shared_ptr<const Stored>> put(const ObjectId& id, Json object);
  Result<std::uint64_t> remove(const ObjectId& id);

  std::uint64_t revision() const { return revision_; }

  // Changes after `revision`, oldest first; kGone where some of them have been forgotten, or the revision was
  // never given.
  Result<std::vector<Change>> changes_since(std::uint64_t revision) const;
  void on_change(std::function<void(const Change&)> listener) { listener_ = std::move(listener); }

 private:
  explicit Storage(sqlite3* database) : database_(database) {}
  Result<void> prepare();
  Result<void> load();
  Result<void> run(const char* sql, const std::vector<std::string>& text);
  void remember(Change change);

  sqlite3* database_;
  std::uint64_t revision_ = 0;
  std::uint64_t forgotten_ = 0;  // changes up to here can't be told any more
  std::map<ObjectId, std::shared_ptr<const Stored>> objects_;
  std::deque<Change> changes_;
  std::function<void(const Change&)> listener_;
};

}  // namespace tidegate::apiserver
