// yaml-cpp's events as a tree, with everything refused that is not plain data.
// Belongs here: yaml-cpp, and nothing that knows a setting.
#include "config/yaml.h"

#include <algorithm>
#include <exception>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/strings.h"

namespace crategate::config {
namespace {

constexpr const char* kAlias = "expected a value, found an alias (*)";
constexpr const char* kNoAliases = "write the value out; anchors and aliases are refused";

constexpr std::size_t kMaxBytes = 1u << 20;
constexpr std::size_t kMaxNodes = 20'000;
constexpr std::size_t kMaxDepth = 32;
/// Stands in a comment behind the text; yaml-cpp lets a quoted scalar without its closing quote run to the end, and
/// then this byte, which a configuration cannot contain, is part of the scalar.
constexpr char kEnd = '\x01';

/// Leaves yaml-cpp's parser; caught in parse_yaml.
struct Refused : std::exception {
  Refused(const YAML::Mark& mark, std::string text, std::string what_to_do)
      : line(mark.line + 1), column(mark.column + 1), message(std::move(text)), hint(std::move(what_to_do)) {}
  int line, column;
  std::string message, hint;
};

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::shared_ptr<const Source> source) : text_(text), source_(std::move(source)) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) throw Refused(mark, "expected one document, found a second one", "remove what follows it");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, forgotten_tag(mark));
    add(make(Node::Kind::null, mark));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { throw Refused(mark, kAlias, kNoAliases); }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override { refuse_anchor(mark, 1); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (value.find(kEnd) != std::string::npos)
      throw Refused(mark, "not YAML: the closing quote is missing", "close the quote");
    Node node = make(Node::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    std::set<std::string, std::less<>> keys;
    bool has_key = false;
    Node key;
  };

  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor)
      throw Refused(mark, "expected a value, found an anchor (&)",
                    "write the value out where it is needed; anchors and aliases are refused");
  }

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!")
      throw Refused(mark, concat("expected a value, found the tag ", quoted(tag)), "remove the tag");
  }

  /// yaml-cpp drops the tag of a document that is nothing else.
  std::string forgotten_tag(const YAML::Mark& mark) const {
    const std::string_view rest = text_.substr(std::min(static_cast<std::size_t>(mark.pos), text_.size()));
    return rest.starts_with('!') ? std::string(rest.substr(0, rest.find_first_of(" \t\r\n"))) : std::string();
  }

  Node make(Node::Kind kind, const YAML::Mark& mark) {
    if (++count_ > kMaxNodes)
      throw Refused(mark, concat("expected at most ", kMaxNodes, " values, found more"), "make the file smaller");
    Node node;
    node.kind = kind;
    node.source = source_;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (stack_.size() >= kMaxDepth)
      throw Refused(mark, concat("expected at most ", kMaxDepth, " levels, found more"), "nest less deeply");
    if (!stack_.empty() && stack_.back().node.kind == Node::Kind::mapping && !stack_.back().has_key)
      throw Refused(mark, "expected a name as key, found a list or mapping",
                    "quote text that contains { or [, for example \"{cell}\"");
    stack_.push_back(Frame{make(kind, mark), {}, false, {}});
  }

  void close() {
    Node node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == Node::Kind::mapping && !frame.has_key) return add_key(frame, std::move(node));
    if (frame.has_key) {
      node.key = frame.key.text;
      node.key_line = frame.key.line;
      node.key_column = frame.key.column;
      frame.has_key = false;
    }
    frame.node.items.push_back(std::move(node));
  }

  static void add_key(Frame& frame, Node key) {
    YAML::Mark mark;
    mark.line = key.line - 1;
    mark.column = key.column - 1;
    if (key.kind != Node::Kind::scalar) throw Refused(mark, "expected a name as key, found nothing", "name the key");
    if (!frame.keys.insert(key.text).second)
      throw Refused(mark, concat("expected each key once, found ", quoted(key.text), " again"), "keep one of the two");
    frame.key = std::move(key);
    frame.has_key = true;
  }

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  std::vector<Frame> stack_;
  Node root_;
  std::size_t count_ = 0;
  int documents_ = 0;
};

Failure refuse_at(const std::shared_ptr<const Source>& source, int line, int column, std::string message,
                  std::string hint) {
  Node at;
  at.source = source;
  at.line = line;
  at.column = column;
  return fail(error_at(at, "", std::move(message), std::move(hint)));
}

bool is_refused_control(unsigned char byte) {
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

/// yaml-cpp takes 0x04 for the end of the input and reads other encodings after a byte-order mark; neither gets there.
Result<> check_characters(std::string_view text, const std::shared_ptr<const Source>& source) {
  if (text.size() > kMaxBytes)
    return refuse_at(source, 0, 0, concat("expected at most 1 MiB, found ", format_bytes(text.size())),
                     "make the file smaller");
  if (text.starts_with("\xEF\xBB\xBF"))
    return refuse_at(source, 1, 1, "expected text, found a byte-order mark", "save the file as UTF-8 without BOM");
  if (!is_valid_utf8(text))
    return refuse_at(source, 0, 0, "expected UTF-8, found other bytes", "save the file as UTF-8");
  int line = 1, column = 1;
  for (const char c : text) {
    if (is_refused_control(static_cast<unsigned char>(c)))
      return refuse_at(source, line, column,
                       concat("expected text, found the control character ", quoted(std::string_view(&c, 1))),
                       "remove it");
    column = c == '\n' ? 1 : column + 1;
    line += c == '\n' ? 1 : 0;
  }
  return {};
}

/// `%YAML` and `%TAG` would change how the rest is read; yaml-cpp skips unknown ones with all that follows.
Result<> refuse_directives(std::string_view text, const std::shared_ptr<const Source>& source) {
  int line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (text.front() == '%')
      return refuse_at(source, line, 1, "expected a value, found a YAML directive (%)", "remove the line");
    if (!trim(text.substr(0, end)).empty() && text.front() != '#') return {};
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

bool is_indented_by_tab(std::string_view text, int line) {
  for (int skipped = 0; skipped < line && !text.empty(); ++skipped)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

Failure not_yaml(const std::shared_ptr<const Source>& source, std::string_view text, const YAML::Exception& error) {
  // The library looks an alias up before it is ours to refuse; what it says then depends on its version.
  if (error.msg.starts_with("the referenced anchor is not defined"))
    return refuse_at(source, error.mark.line + 1, error.mark.column, kAlias, kNoAliases);
  const bool tab = is_indented_by_tab(text, error.mark.line);
  const std::string_view written = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  const int last_line = 1 + static_cast<int>(std::count(written.begin(), written.end(), '\n'));
  const bool at_end = error.mark.line >= last_line;
  return refuse_at(source, at_end ? last_line : error.mark.line + 1, at_end ? 0 : error.mark.column + 1,
                   concat("not YAML: ", error.msg),
                   tab ? "this line is indented with a tab: use spaces"
                       : "indent with spaces, close what is open, and quote text with special characters");
}

}  // namespace

Result<Node> parse_yaml(std::string_view text, std::shared_ptr<const Source> source) {
  CG_CHECK(check_characters(text, source));
  CG_CHECK(refuse_directives(text, source));
  try {
    std::istringstream stream(concat(text, "\n#", kEnd, "\n"));
    YAML::Parser parser(stream);
    TreeBuilder builder(text, source);
    while (parser.HandleNextDocument(builder)) {
    }
    Node root = builder.take();
    root.source = source;
    return root;
  } catch (const Refused& refused) {
    return refuse_at(source, refused.line, refused.column, refused.message, refused.hint);
  } catch (const YAML::Exception& error) {
    return not_yaml(source, text, error);
  } catch (const std::exception& error) {
    return refuse_at(source, 0, 0, concat("not YAML: ", error.what()), "");
  }
}

}  // namespace crategate::config
