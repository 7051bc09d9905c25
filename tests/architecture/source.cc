// SPDX-License-Identifier: Apache-2.0
#include "tests/architecture/source.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tidegate::architecture {

namespace {

bool is_text(const std::filesystem::path& path) {
  static const Strings kNames{"CMakeLists.txt", "Makefile",   "LICENSE", ".clang-format",
                              ".clang-tidy",    ".gitignore", "run"};
  static const Strings kEnds{".h", ".cc", ".md", ".cmake", ".sh", ".yaml", ".yml", ".json", ".txt", ".proto"};
  const auto has = [](const Strings& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  return has(kNames, path.filename().string()) || has(kEnds, path.extension().string());
}

bool is_skipped(const std::string& folder) {
  return folder == "build" || folder == ".git" || folder == ".cache" || folder == "corpus";
}

// Walks C++ and tells for each character whether it is code, in a literal, or in a comment or directive.
class Scanner {
 public:
  enum class Kind { kCode, kLiteral, kOther };

  explicit Scanner(std::string_view text) : text_(text), kinds_(text.size(), Kind::kCode) { run(); }
  const std::vector<Kind>& kinds() const { return kinds_; }

 private:
  void run() {
    bool line_start = true;
    while (at_ < text_.size()) {
      const auto rest = text_.substr(at_);
      if (rest.starts_with("//")) {
        mark(text_.find('\n', at_), Kind::kOther);
      } else if (rest.starts_with("/*")) {
        mark(after("*/", at_ + 2), Kind::kOther);
      } else if (rest[0] == '#' && line_start) {
        directive();
      } else if (rest.starts_with("R\"")) {
        const auto open = text_.find('(', at_);
        mark(after(")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"", open), Kind::kLiteral);
      } else if (rest[0] == '"' || (rest[0] == '\'' && !in_number())) {
        quoted(rest[0]);
      } else {
        line_start = rest[0] == '\n' || (line_start && (rest[0] == ' ' || rest[0] == '\t'));
        ++at_;
      }
    }
  }

  bool in_number() const {
    return at_ > 0 && std::isalnum(static_cast<unsigned char>(text_[at_ - 1]));
  }  // 10'000

  std::size_t after(std::string_view end, std::size_t from) const {
    const auto found = text_.find(end, from);
    return found == std::string_view::npos ? found : found + end.size();
  }
  void mark(std::size_t until, Kind kind) {
    until = std::min(until, text_.size());
    std::fill(kinds_.begin() + static_cast<long>(at_), kinds_.begin() + static_cast<long>(until), kind);
    at_ = until;
  }
  void directive() {
    auto end = text_.find('\n', at_);
    while (end != std::string_view::npos && text_[end - 1] == '\\') end = text_.find('\n', end + 1);
    mark(end, Kind::kOther);
  }
  void quoted(char quote) {
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
    mark(end + 1, Kind::kLiteral);
  }

  std::string_view text_;
  std::vector<Kind> kinds_;
  std::size_t at_ = 0;
};

std::string trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

bool begins_scope(const std::string& head) {
  for (const auto* word : {"namespace", "class ", "struct ", "union ", "enum ", "extern "}) {
    if (head.starts_with(word)) return true;
  }
  return false;
}

// What a brace opens, by the words before it.
enum class Brace { kScope, kFunction, kOther };
Brace kind_of(std::string head) {
  if (head.starts_with("template")) {  // to the end of its parameters
    int depth = 0;
    std::size_t i = 0;
    for (; i < head.size(); ++i) {
      depth += head[i] == '<' ? 1 : head[i] == '>' ? -1 : 0;
      if (head[i] == '>' && depth == 0) break;
    }
    head = trim(std::string_view(head).substr(std::min(i + 1, head.size())));
  }
  if (begins_scope(head) || head.empty()) return Brace::kScope;
  return head.find(')') != std::string::npos ? Brace::kFunction : Brace::kOther;
}

Strings cells_of(std::string_view row) {
  Strings cells;
  std::string text = trim(row);
  if (text.size() < 2 || text.front() != '|' || text.back() != '|') return {};
  std::string cell;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '|' && text[i - 1] != '\\') {
      cell.erase(std::remove(cell.begin(), cell.end(), '`'), cell.end());
      cells.push_back(trim(cell));
      cell.clear();
    } else {
      cell += text[i];
    }
  }
  return cells;
}

}  // namespace

Tree read_tree(const std::string& root) {
  namespace fs = std::filesystem;
  Tree tree;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    if (it->is_directory() && is_skipped(it->path().filename().string())) it.disable_recursion_pending();
    if (!it->is_regular_file() || !is_text(it->path())) continue;
    std::ostringstream text;
    text << std::ifstream(it->path(), std::ios::binary).rdbuf();
    tree.push_back({fs::relative(it->path(), root).generic_string(), text.str()});
  }
  std::sort(tree.begin(), tree.end(), [](const File& a, const File& b) { return a.path < b.path; });
  return tree;
}

bool is_cpp(std::string_view path) { return path.ends_with(".h") || path.ends_with(".cc"); }

Strings lines_of(std::string_view text) {
  Strings lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool matches(std::string_view glob, std::string_view path) {
  if (glob.empty()) return path.empty();
  if (glob.front() == '*') {
    for (std::size_t i = 0; i <= path.size(); ++i) {
      if (matches(glob.substr(1), path.substr(i))) return true;
    }
    return false;
  }
  return !path.empty() && glob.front() == path.front() && matches(glob.substr(1), path.substr(1));
}

std::string code_of(std::string_view cpp) {
  const Scanner scanner(cpp);
  std::string code(cpp);
  for (std::size_t i = 0; i < code.size(); ++i) {
    if (scanner.kinds()[i] != Scanner::Kind::kCode && code[i] != '\n') code[i] = ' ';
  }
  return code;
}

Strings literals_of(std::string_view cpp) {
  const Scanner scanner(cpp);
  Strings literals;
  for (std::size_t i = 0; i < cpp.size(); ++i) {
    if (scanner.kinds()[i] != Scanner::Kind::kLiteral) continue;
    if (i == 0 || scanner.kinds()[i - 1] != Scanner::Kind::kLiteral) literals.emplace_back();
    literals.back() += cpp[i];
  }
  return literals;
}

Strings includes_of(std::string_view cpp) {
  Strings out;
  for (const auto& line : lines_of(cpp)) {
    constexpr std::string_view kStart = "#include \"";
    if (!line.starts_with(kStart)) continue;
    out.push_back(line.substr(kStart.size(), line.find('"', kStart.size()) - kStart.size()));
  }
  return out;
}

std::vector<Function> functions_of(std::string_view cpp) {
  const std::string code = code_of(cpp);
  std::vector<Function> functions;
  std::string head;
  int line = 1, head_line = 1;
  int scopes = 0, depth = 0;  // braces of scopes; braces within a function or an initialiser
  bool in_function = false;
  for (const char c : code) {
    if (c == '\n') ++line;
    if (depth > 0) {
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (depth == 0 && in_function) functions.back().lines = line - functions.back().line + 1;
      if (depth == 0 && in_function) head.clear();
      if (depth == 0) in_function = false;
      continue;
    }
    if (c == '{') {
      const auto kind = kind_of(trim(head));
      if (kind == Brace::kScope) {
        ++scopes;
        head.clear();
        continue;
      }
      depth = 1;
      in_function = kind == Brace::kFunction;
      if (in_function) functions.push_back({trim(head).substr(0, trim(head).find('\n')), head_line, 0});
    } else if (c == '}' || c == ';') {
      scopes -= c == '}' ? 1 : 0;
      head.clear();
    } else {
      if (trim(head).empty() && !std::isspace(static_cast<unsigned char>(c))) head_line = line;
      head += c;
    }
  }
  return functions;
}

std::vector<Strings> table_of(std::string_view markdown, const Strings& header) {
  std::vector<Strings> rows;
  bool inside = false;
  for (const auto& line : lines_of(markdown)) {
    const auto cells = cells_of(line);
    if (!inside) {
      inside = cells.size() >= header.size() && std::equal(header.begin(), header.end(), cells.begin());
    } else if (cells.empty()) {
      break;
    } else if (!cells[0].starts_with("---")) {
      rows.push_back(cells);
    }
  }
  return rows;
}

Strings relative_links(std::string_view markdown) {
  Strings links;
  bool fenced = false;
  for (const auto& line : lines_of(markdown)) {
    if (trim(line).starts_with("```")) fenced = !fenced;
    for (auto at = line.find("]("); !fenced && at != std::string::npos; at = line.find("](", at + 2)) {
      auto target = line.substr(at + 2, line.find(')', at) - at - 2);
      target = target.substr(0, target.find_first_of("# "));
      if (!target.empty() && target.find("://") == std::string::npos && !target.starts_with("mailto:"))
        links.push_back(target);
    }
  }
  return links;
}

}  // namespace tidegate::architecture
