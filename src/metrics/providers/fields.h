// SPDX-License-Identifier: Apache-2.0
// Reads the fields of a provider's spec and collects what is wrong with them; a field that nobody asked for
// is wrong as well, so that what a template asks for and does not get is said. Text with {{ }} in it reads as
// the fallback and is left alone. Total. Thread: none; pure. Owns nothing: the spec outlives it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/providers/provider.h"

namespace tidegate::metrics::providers {

using Headers = std::vector<std::pair<std::string, std::string>>;

class Fields {
 public:
  explicit Fields(const Json& spec);

  bool has(std::string_view key) const;  // present and not null
  const Json* raw(std::string_view key) const;
  std::string text(std::string_view key);       // empty where absent
  std::string need_text(std::string_view key);  // a complaint where absent or empty
  std::string url(std::string_view key);        // http or https, without a name and password
  std::string address(std::string_view key,
                      std::string_view fallback = {});  // a url without a slash at its end
  std::string one_of(std::string_view key,
                     std::initializer_list<std::string_view> choices);  // first: default
  bool flag(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key);  // positive; a text of one as well
  Duration duration(std::string_view key, Duration fallback, Duration least, Duration most);
  Headers headers(std::string_view key);  // Argo's list of {key, value}
  Fields child(std::string_view key);     // of a missing key: one without fields
  std::vector<Fields> items(std::string_view key);

  void complain(std::string_view key, std::string expectation);  // empty key: the object itself
  void ignore(std::string_view key);                             // read elsewhere

  // All that is wrong, with the fields that nobody has asked for: call it last.
  std::vector<Complaint> complaints() const;

 private:
  struct Shared;  // by a spec's Fields and their children
  Fields(const Json& object, std::string path, std::shared_ptr<Shared> shared);
  const Json* ask(std::string_view key) const;  // nullptr: absent
  bool later(const Json& value) const;          // it holds an argument that is not filled in
  std::string path_of(std::string_view key) const;

  const Json* object_;
  std::string path_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace tidegate::metrics::providers
