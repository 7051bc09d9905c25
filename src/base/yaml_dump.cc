// SPDX-License-Identifier: Apache-2.0
// The writing half of base/yaml.h.
#include <cmath>

#include "base/yaml.h"
#include "base/yaml_scalar.h"

namespace tidegate::yaml {
namespace {

std::string scalar(const Json& value) {
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    return safe_plain(text) ? text : json::dump(value);  // JSON's quoting is YAML's
  }
  return json::dump(value);
}

// A key past this is written in the explicit form: readers give up looking for its colon after 1024
// characters (YAML 1.2 section 8.2.2).
constexpr std::size_t kMaxSimpleKey = 1000;

std::string key_text(const std::string& key, std::size_t indent) {
  const std::string text = safe_plain(key) ? key : json::dump(Json(key));
  return text.size() > kMaxSimpleKey ? "? " + text + "\n" + std::string(indent, ' ') + ":" : text + ":";
}

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

void write(const Json& value, std::size_t indent, bool indented, std::string& out);

// `indented`: the first line's indentation stands already (after "- ").
void write_map(const Json& value, std::size_t indent, bool indented, std::string& out) {
  for (const auto& [key, child] : value.items()) {
    if (!indented) out.append(indent, ' ');
    indented = false;
    out += key_text(key, indent);
    if (is_block(child)) {
      out += '\n';
      write(child, child.is_array() ? indent : indent + 2, false, out);
    } else {
      out += " " + scalar(child) + "\n";
    }
  }
}

void write_list(const Json& value, std::size_t indent, bool indented, std::string& out) {
  for (const auto& child : value) {
    if (!indented) out.append(indent, ' ');
    indented = false;
    out += "- ";
    if (is_block(child)) {
      write(child, indent + 2, true, out);
    } else {
      out += scalar(child) + "\n";
    }
  }
}

void write(const Json& value, std::size_t indent, bool indented, std::string& out) {
  if (value.is_object()) {
    write_map(value, indent, indented, out);
  } else {
    write_list(value, indent, indented, out);
  }
}

}  // namespace

std::string dump(const Json& value) {
  if (!is_block(value)) return scalar(value) + "\n";
  std::string out;
  write(value, 0, false, out);
  return out;
}

}  // namespace tidegate::yaml
