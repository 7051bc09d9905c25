// SPDX-License-Identifier: Apache-2.0
#include "tests/architecture/checks.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace tidegate::architecture {

namespace {

using Names = std::set<std::string>;

Names words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

bool is_test_code(std::string_view path) {
  for (const auto* end : {"_test.cc", "_fuzz.cc", "_bench.cc"}) {
    if (path.ends_with(end)) return true;
  }
  return false;
}

std::string layer_of(const std::string& path) {  // "src/kube/x.cc" and "kube/x.h" are both of kube
  const auto from = path.starts_with("src/") ? path.substr(4) : path;
  return from.substr(0, from.find('/'));
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool any_matches(const Names& globs, const std::string& path) {
  return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return matches(glob, path); });
}

// In an including folder only the shell may see these layers.
struct Shell {
  Names files, layers;
};

struct Layers {
  std::map<std::string, Names> may_include;
  std::map<std::string, Shell> shells;
};

Layers read_layers(const std::string& page) {
  Layers layers;
  for (const auto& row : table_of(page, {"layer", "may include"})) layers.may_include[row[0]] = words(row[1]);
  for (const auto& row : table_of(page, {"shell of", "files", "alone may include"})) {
    layers.shells[row[0]] = Shell{words(row[1]), words(row[2])};
  }
  return layers;
}

std::string refusal(const Layers& layers, const File& file, const std::string& include) {
  const auto from = layer_of(file.path), to = layer_of(include);
  if (from == to) return {};
  if (include.starts_with("tests/")) {
    const bool support =
        is_test_code(file.path) || file.text.find("#include <gtest/gtest.h>") != std::string::npos;
    return support ? "" : "only test code includes tests/";
  }
  const auto row = layers.may_include.find(from);
  if (row == layers.may_include.end()) return from + " is not in the layer table";
  if (row->second.contains("everything")) return {};
  if (!row->second.contains(to)) return from + " may not include " + to;
  const auto shell = layers.shells.find(from);
  if (shell == layers.shells.end() || !shell->second.layers.contains(to)) return {};
  if (any_matches(shell->second.files, base_name(file.path))) return {};
  return "only the shell of " + from + " may include " + to;
}

// The last '_total', '_bucket' and so on may be added by the exposition.
std::string series_name(std::string name) {
  for (const auto* end : {"_bucket", "_count", "_sum"}) {
    if (name.ends_with(end)) return name.substr(0, name.size() - std::string_view(end).size());
  }
  return name;
}

Names metric_names(const std::string& text) {
  Names names;
  constexpr std::string_view kStart = "tidegate_";
  const auto part_of_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (auto at = text.find(kStart); at != std::string::npos; at = text.find(kStart, at + 1)) {
    if (at > 0 && part_of_word(text[at - 1])) continue;
    auto end = at;
    while (end < text.size() && part_of_word(text[end])) ++end;
    names.insert(series_name(text.substr(at, end - at)));
  }
  return names;
}

}  // namespace

Strings check_layers(const Tree& tree, const std::string& page) {
  const auto layers = read_layers(page);
  Strings findings;
  if (layers.may_include.empty()) findings.push_back("docs/architecture.md: no layer table found");
  for (const auto& file : tree) {
    if (!file.path.starts_with("src/") || !is_cpp(file.path)) continue;
    for (const auto& include : includes_of(file.text)) {
      const auto why = refusal(layers, file, include);
      if (!why.empty()) findings.push_back(file.path + " includes " + include + ": " + why);
    }
  }
  return findings;
}

Strings check_places(const Tree& tree, const std::string& page) {
  Strings findings;
  const auto rules = table_of(page, {"text", "in", "only in"});
  if (rules.empty()) findings.push_back("docs/architecture.md: no table of places found");
  for (const auto& file : tree) {
    if (!file.path.starts_with("src/") || !is_cpp(file.path) || is_test_code(file.path)) continue;
    const auto path = file.path.substr(4);
    const auto code = code_of(file.text);
    for (const auto& rule : rules) {
      if (!any_matches(words(rule[1]), path) || any_matches(words(rule[2]), path)) continue;
      // Includes are directives, which code_of leaves out.
      const auto& where = rule[0].starts_with("#") ? file.text : code;
      if (where.find(rule[0]) != std::string::npos)
        findings.push_back(file.path + " holds " + rule[0] + ": " + rule[3]);
    }
  }
  return findings;
}

Strings check_sizes(const Tree& tree, const std::string& allow_list) {
  Names allowed;
  for (const auto& line : lines_of(allow_list)) {
    if (!line.empty() && line.front() != '#') allowed.insert(line);
  }
  Strings findings;
  const auto report = [&](const std::string& entry, int lines, int limit) {
    if (allowed.erase(entry) > 0) return;
    findings.push_back(entry + " has " + std::to_string(lines) + " lines, at most " + std::to_string(limit));
  };
  for (const auto& file : tree) {
    if (!is_cpp(file.path)) continue;
    const auto lines = static_cast<int>(std::count(file.text.begin(), file.text.end(), '\n'));
    if (lines > kMaxFileLines) report(file.path, lines, kMaxFileLines);
    for (const auto& function : functions_of(file.text)) {
      if (function.lines > kMaxFunctionLines)
        report(file.path + ": " + function.head, function.lines, kMaxFunctionLines);
    }
  }
  for (const auto& entry : allowed)
    findings.push_back("the allow list names what is small enough by now: " + entry);
  return findings;
}

Strings check_headers(const Tree& tree) {
  Strings findings;
  for (const auto& file : tree) {
    if (!is_cpp(file.path)) continue;
    const auto lines = lines_of(file.text);
    const auto starts = [&](std::size_t line, std::string_view text) {
      return lines.size() > line && lines[line].starts_with(text);
    };
    if (!starts(0, "// SPDX-License-Identifier: Apache-2.0"))
      findings.push_back(file.path + ": the first line is not the SPDX line");
    if (!file.path.ends_with(".h")) continue;
    if (!starts(1, "// ")) findings.push_back(file.path + ": no opening comment in line 2");
    const auto first_code =
        std::find_if(lines.begin(), lines.end(), [](const auto& line) { return !line.starts_with("//"); });
    if (first_code == lines.end() || *first_code != "#pragma once") {
      findings.push_back(file.path + ": no #pragma once after the opening comment");
    }
  }
  return findings;
}

Strings check_form(const Tree& tree) {
  // Put together here, so that this file does not find itself.
  const Strings leftovers{std::string("TO") + "DO", std::string("FIX") + "ME", std::string("XX") + "X "};
  const Strings machine{std::string("/wo") + "rk/", std::string("/ho") + "me/", std::string("/Us") + "ers/",
                        std::string("/ro") + "ot/"};
  Strings findings;
  for (const auto& file : tree) {
    if (!file.text.empty() && file.text.back() != '\n')
      findings.push_back(file.path + ": no newline at the end");
    if (file.text.find('\r') != std::string::npos) findings.push_back(file.path + ": a carriage return");
    for (const auto& word : leftovers) {
      if (file.text.find(word) != std::string::npos) findings.push_back(file.path + " holds " + word);
    }
    for (const auto& path : machine) {
      if (file.text.find(path) != std::string::npos)
        findings.push_back(file.path + " holds a path of someone's machine: " + path);
    }
  }
  return findings;
}

Strings check_links(const Tree& tree, const std::vector<std::string>& paths) {
  const Names known(paths.begin(), paths.end());
  Strings findings;
  for (const auto& file : tree) {
    if (!file.path.ends_with(".md")) continue;
    for (const auto& link : relative_links(file.text)) {
      const auto folder = std::filesystem::path(file.path).parent_path();
      auto target = (folder / link).lexically_normal().generic_string();
      if (target.ends_with('/')) target.pop_back();
      if (!known.contains(target))
        findings.push_back(file.path + " links to " + link + ", which is not there");
    }
  }
  return findings;
}

Strings check_metrics(const Tree& tree, const std::string& metrics_page) {
  Names documented, present;
  for (const auto& row : table_of(metrics_page, {"metric"})) documented.merge(metric_names(row[0]));
  for (const auto& file : tree) {
    if (!file.path.starts_with("src/") || !is_cpp(file.path) || is_test_code(file.path)) continue;
    for (const auto& literal : literals_of(file.text)) present.merge(metric_names(literal));
  }
  Strings findings;
  for (const auto& name : documented) {
    if (!present.contains(name))
      findings.push_back("docs/metrics.md names " + name + ", which nothing in src/ registers");
  }
  for (const auto& name : present) {
    if (!documented.contains(name))
      findings.push_back("src/ names the metric " + name + ", which docs/metrics.md does not");
  }
  return findings;
}

}  // namespace tidegate::architecture
