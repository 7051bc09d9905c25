// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "base/yaml_scalar.h"

namespace tidegate::yaml {
namespace {

// Leaves yaml-cpp's parser from within a callback; caught in parse_all.
struct Refused {
  Error error;
};

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what,
                         ErrorCode code = ErrorCode::kInvalid) {
  throw Refused{Error{code, "line " + std::to_string(mark.line + 1) + ", column " +
                                std::to_string(mark.column + 1) + ": " + what}};
}

constexpr std::string_view kCoreTags = "tag:yaml.org,2002:";

// A scalar by its tag: "?" is plain, "!" quoted, else an explicit tag.
Json read_scalar(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
  if (tag == "?") return read_plain(text);
  if (tag == "!" || tag == "tag:yaml.org,2002:str") return text;
  const std::string_view name = std::string_view(tag).starts_with(kCoreTags)
                                    ? std::string_view(tag).substr(kCoreTags.size())
                                    : std::string_view();
  Json value = read_plain(text);
  if (name == "int" && value.is_number_integer()) return value;
  if (name == "float" && value.is_number()) return value.get<double>();
  if (name == "bool" && value.is_boolean()) return value;
  if (name == "null" && value.is_null()) return value;
  if (name == "int" || name == "float" || name == "bool" || name == "null") {
    refuse(mark, "\"" + text + "\" is tagged !!" + std::string(name) + " and is none");
  }
  refuse(mark, "tag \"" + tag + "\" is not supported");
}

// Builds one document from yaml-cpp's events.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view text) : lines_(text::split(text, '\n')) {}

  std::optional<Document> take() {
    if (!document_ || document_->value.is_null()) return std::nullopt;
    return std::move(*document_);
  }

  // yaml-cpp takes whatever it can't go on with for the start of another document, forever where that is a
  // stray comma.
  void OnDocumentStart(const YAML::Mark& mark) override {
    const auto line = static_cast<std::size_t>(mark.line);
    const bool marked = mark.column == 0 && (line >= lines_.size() || lines_[line].starts_with("---"));
    if (documents_++ > 0 && !marked) {
      refuse(mark, "text after the end of the document (documents are set apart by a line \"---\")");
    }
    document_.reset();
    open_.clear();
    anchors_.clear();
    expanded_ = 0;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) return set_key(mark, "null");  // as Kubernetes' own reader writes such a key
    keep(anchor, place(mark, nullptr));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (wants_key()) {
      if (tag == "?" && text == "<<") refuse(mark, "merge keys (<<) are not supported; write the fields out");
      if (anchor != YAML::NullAnchor) refuse(mark, "anchors on keys are not supported");
      return set_key(mark, text);
    }
    keep(anchor, place(mark, read_scalar(mark, tag, text)));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (wants_key()) refuse(mark, "an alias can't be a key");
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) refuse(mark, "the alias names a node that is not complete");
    expanded_ += it->second.bytes;
    if (expanded_ > json::kMaxBytes)
      refuse(mark, "aliases expand to more than " + std::to_string(json::kMaxBytes) + " bytes",
             ErrorCode::kLimit);
    if (open_.size() + it->second.depth > json::kMaxDepth) refuse_depth(mark);
    place(mark, it->second.value);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, "seq", anchor, Json::array());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, "map", anchor, Json::object());
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Json* node;
    YAML::anchor_t anchor;
    std::optional<std::string> key;  // of a map: read, its value is next
  };
  struct Anchored {
    Json value;
    std::size_t bytes, depth;
  };

  [[noreturn]] static void refuse_depth(const YAML::Mark& mark) {
    refuse(mark, "nested deeper than " + std::to_string(json::kMaxDepth) + " levels", ErrorCode::kLimit);
  }

  bool wants_key() const { return !open_.empty() && open_.back().node->is_object() && !open_.back().key; }

  void set_key(const YAML::Mark& mark, std::string key) {
    if (open_.back().node->contains(key)) refuse(mark, "duplicate key \"" + key + "\"");
    open_.back().key = std::move(key);
  }

  Json* place(const YAML::Mark& mark, Json value) {
    if (open_.empty()) {
      document_ = Document{std::move(value), mark.line + 1};
      return &document_->value;
    }
    Open& parent = open_.back();
    if (parent.node->is_array())
      return &parent.node->get_ref<Json::array_t&>().emplace_back(std::move(value));
    Json& slot = (*parent.node)[*parent.key];
    slot = std::move(value);
    parent.key.reset();
    return &slot;
  }

  void open(const YAML::Mark& mark, const std::string& tag, std::string_view expected, YAML::anchor_t anchor,
            Json container) {
    if (wants_key()) refuse(mark, "a list or map can't be a key");
    if (tag != "?" && tag != "!" && tag != std::string(kCoreTags) + std::string(expected)) {
      refuse(mark, "tag \"" + tag + "\" is not supported");
    }
    if (open_.size() >= json::kMaxDepth) refuse_depth(mark);
    // Addresses stay valid: only the innermost container grows.
    open_.push_back({place(mark, std::move(container)), anchor, std::nullopt});
  }

  void close() {
    keep(open_.back().anchor, open_.back().node);
    open_.pop_back();
  }

  void keep(YAML::anchor_t anchor, const Json* node) {
    if (anchor == YAML::NullAnchor) return;
    anchors_[anchor] = {*node, measure(*node), depth(*node)};
    kept_ += anchors_[anchor].bytes;
    if (kept_ > json::kMaxBytes)
      throw Refused{Error{ErrorCode::kLimit,
                          "anchored nodes hold more than " + std::to_string(json::kMaxBytes) + " bytes"}};
  }

  static std::size_t measure(const Json& node) {
    std::size_t bytes = 16;  // what an empty node costs, roughly
    if (node.is_string()) bytes += node.get_ref<const std::string&>().size();
    if (node.is_structured()) {
      for (auto it = node.begin(); it != node.end(); ++it) {
        bytes += measure(*it) + (node.is_object() ? it.key().size() : 0);
      }
    }
    return bytes;
  }
  static std::size_t depth(const Json& node) {
    if (!node.is_structured()) return 0;
    std::size_t below = 0;
    for (const auto& child : node) below = std::max(below, depth(child));
    return below + 1;
  }

  std::vector<std::string_view> lines_;
  std::size_t documents_ = 0;
  std::optional<Document> document_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t expanded_ = 0;
  std::size_t kept_ = 0;  // of the whole stream
};

// yaml-cpp takes bytes as they come, and reads the control character 0x04 as the end: what follows it would
// be dropped silently.
std::optional<Error> check_bytes(std::string_view text) {
  int line = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t')) {
      return Error{ErrorCode::kInvalid, "line " + std::to_string(line) + ": control character " +
                                            std::to_string(byte) + " in the text"};
    }
  }
  try {
    (void)Json(std::string(text)).dump();
  } catch (const Json::type_error&) {
    return Error{ErrorCode::kInvalid, "the text is not valid UTF-8"};
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<Document>> parse_all(std::string_view text) {
  if (auto error = check_bytes(text)) return *error;
  std::vector<Document> documents;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    Builder builder(text);
    while (parser.HandleNextDocument(builder)) {
      if (auto document = builder.take()) documents.push_back(std::move(*document));
    }
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const YAML::Exception& error) {
    return Error{ErrorCode::kInvalid, "line " + std::to_string(error.mark.line + 1) + ", column " +
                                          std::to_string(error.mark.column + 1) + ": " + error.msg};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kInvalid, std::string("not YAML: ") + error.what()};
  }
  return documents;
}

}  // namespace tidegate::yaml
