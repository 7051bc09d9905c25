// SPDX-License-Identifier: Apache-2.0
// Label and field selectors as clients write them in queries. Total: bad text is kInvalid. Thread: none;
// pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/storage.h"
#include "base/json.h"

namespace tidegate::apiserver {

class LabelSelector {
 public:
  // "a=b,c==d,e!=f,g in (h,i),j notin (k),l,!m"; empty: everything.
  static Result<LabelSelector> parse(std::string_view text);
  bool matches(const Labels& labels) const;
  bool everything() const { return requirements_.empty(); }

 private:
  enum class Op { kIn, kNotIn, kExists, kMissing };
  struct Requirement {
    std::string key;
    Op op;
    std::vector<std::string> values;
  };
  static Result<Requirement> parse_one(std::string_view text);
  std::vector<Requirement> requirements_;
};

class FieldSelector {
 public:
  // "metadata.name=a,status.phase!=Running": equality on dotted paths; an absent field is the empty string.
  static Result<FieldSelector> parse(std::string_view text);
  bool matches(const ObjectId& id, const Stored& object) const;
  bool everything() const { return terms_.empty(); }

 private:
  struct Term {
    std::string path, value;
    bool equal;
  };
  std::vector<Term> terms_;
};

}  // namespace tidegate::apiserver
