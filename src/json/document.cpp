// Strict reading: RapidJSON builds the tree, a handler in front of it refuses what RFC 8259 leaves to the reader.
// Belongs here: parsing and navigation with paths.  Not here: writing (value.cpp).
#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/strings.h"
#include "base/utf8.h"
#include "json/value.h"

namespace crategate::json {
namespace {

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
constexpr std::size_t kExcerpt = 16;
constexpr std::size_t kMaxValues = 500'000;  // two bytes of text can be a value, and a value takes 16 or more of memory
constexpr std::string_view kFittingNumber = "expected a number that fits a double";

using Tree = rapidjson::Document;
using Node = rapidjson::Value;

const Node& node(const void* value) { return *static_cast<const Node*>(value); }
std::string_view text_of(const Node& value) { return {value.GetString(), value.GetStringLength()}; }

/// Line and column count from 1; a column is one character.
std::string position(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  std::size_t column = 1;
  for (std::size_t i = before.rfind('\n') + 1; i < before.size(); ++column) i += code_point_at(before, i).length;
  return concat(lines + 1, ":", column);
}

/// What is wrong, at a byte of the text.
struct Complaint {
  std::size_t offset = 0;
  std::string message;
};

/// Stands between RapidJSON's reader and its tree: depth, number of values, duplicate keys, lone surrogates.
class Guard : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Guard> {
 public:
  using Size = rapidjson::SizeType;

  Guard(Tree& tree, const rapidjson::MemoryStream& stream, std::string_view text, int max_depth)
      : tree_(tree), stream_(stream), text_(text), max_depth_(max_depth) {}

  const std::optional<Complaint>& complaint() const { return complaint_; }
  /// Of every value in document order, from 1.
  std::vector<std::uint32_t> take_lines() { return std::move(lines_); }

  bool Null() { return counted() && tree_.Null(); }
  bool Bool(bool value) { return counted() && tree_.Bool(value); }
  /// RapidJSON's own conversion gives 18446744073709551615999 the value 2048.
  bool RawNumber(const char* text, Size size, bool) {
    if (!counted()) return false;
    const char* const end = text + size;
    if (std::int64_t value = 0; std::from_chars(text, end, value) == std::from_chars_result{end, {}})
      return tree_.Int64(value);
    if (std::uint64_t value = 0; std::from_chars(text, end, value) == std::from_chars_result{end, {}})
      return tree_.Uint64(value);
    if (double value = 0; std::from_chars(text, end, value) == std::from_chars_result{end, {}})
      return tree_.Double(value);
    return refuse(stream_.Tell() - size,
                  concat(kFittingNumber, ", found ", quoted(std::string_view(text, size), kExcerpt)));
  }
  bool String(const char* text, Size size, bool copy) {
    return counted() && well_formed({text, size}) && tree_.String(text, size, copy);
  }
  bool Key(const char* text, Size size, bool copy) {
    const std::string_view key(text, size);
    if (!well_formed(key)) return false;
    if (!keys_.back().emplace(key).second) return refuse(start_of_string(), concat("duplicate key ", quoted(key)));
    return tree_.Key(text, size, copy);
  }
  bool StartObject() {
    keys_.emplace_back();
    return counted() && deeper() && tree_.StartObject();
  }
  bool EndObject(Size count) {
    keys_.pop_back();
    --depth_;
    return tree_.EndObject(count);
  }
  bool StartArray() { return counted() && deeper() && tree_.StartArray(); }
  bool EndArray(Size count) {
    --depth_;
    return tree_.EndArray(count);
  }

 private:
  bool refuse(std::size_t offset, std::string message) {
    complaint_ = Complaint{offset, std::move(message)};
    return false;
  }

  bool deeper() {
    if (++depth_ <= max_depth_) return true;
    return refuse(stream_.Tell(), concat("nested deeper than ", max_depth_, " levels"));
  }

  bool counted() {
    if (lines_.size() == kMaxValues)
      return refuse(stream_.Tell(), concat("expected at most ", kMaxValues, " values, found more"));
    const std::string_view passed = text_.substr(counted_to_, stream_.Tell() - counted_to_);
    line_ += static_cast<std::uint32_t>(std::count(passed.begin(), passed.end(), '\n'));
    counted_to_ += passed.size();
    lines_.push_back(line_);
    return true;
  }

  /// The text was UTF-8, so that only an escape can have made anything else.
  bool well_formed(std::string_view value) {
    if (is_valid_utf8(value)) return true;
    return refuse(start_of_string(), concat("the string ", quoted(value), " holds half a surrogate pair"));
  }

  /// The opening quote of the string that the reader has just left: inner quotes stand behind a backslash.
  std::size_t start_of_string() const {
    for (std::size_t i = stream_.Tell() - 1; i-- > 0;) {
      if (text_[i] != '"') continue;
      std::size_t backslashes = 0;
      while (backslashes < i && text_[i - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) return i;
    }
    return 0;
  }

  Tree& tree_;
  const rapidjson::MemoryStream& stream_;
  std::string_view text_;
  int max_depth_;
  int depth_ = 0;
  std::vector<std::uint32_t> lines_;
  std::uint32_t line_ = 1;
  std::size_t counted_to_ = 0;
  std::vector<std::set<std::string, std::less<>>> keys_;
  std::optional<Complaint> complaint_;
};

std::string_view expectation(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return "expected a JSON value";
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return "expected nothing after the value";
    case rapidjson::kParseErrorObjectMissName:
      return "expected a key in double quotes or '}'";
    case rapidjson::kParseErrorObjectMissColon:
      return "expected ':' after the key";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "expected ',' or '}'";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "expected ',' or ']'";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      return "expected four hex digits after \\u";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "expected a whole surrogate pair";
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "expected an escape of JSON, or no control character";
    case rapidjson::kParseErrorStringMissQuotationMark:
      return "expected the string's closing quote";
    case rapidjson::kParseErrorNumberTooBig:
      return kFittingNumber;
    case rapidjson::kParseErrorNumberMissFraction:
      return "expected digits after '.'";
    case rapidjson::kParseErrorNumberMissExponent:
      return "expected digits of the exponent";
    default:
      return "expected a JSON value";
  }
}

std::string found_at(std::string_view text, std::size_t offset) {
  return offset >= text.size() ? "the end of the text" : quoted(text.substr(offset), kExcerpt);
}

/// What no parser is asked about: RapidJSON takes NUL for the end, and leaves encodings to its caller.
std::optional<Complaint> complain_about_bytes(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) return Complaint{0, "expected JSON without a byte-order mark"};
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = code_point_at(text, i);
    if (!point.valid) return Complaint{i, concat("expected UTF-8, found ", quoted(text.substr(i), kExcerpt))};
    if (point.value == 0) return Complaint{i, "expected JSON, found a NUL byte"};
    i += point.length;
  }
  return std::nullopt;
}

/// The values of a tree and the line of each, in document order.
struct Parsed {
  Tree tree;
  std::vector<std::uint32_t> lines;
};

/// How many values stand before `wanted` in the text below `value`, itself included; nullopt = it is not there.
std::optional<std::size_t> index_of(const Node& value, const Node* wanted, std::size_t& index) {
  if (&value == wanted) return index;
  ++index;
  if (value.IsArray()) {
    for (const Node& item : value.GetArray())
      if (const auto found = index_of(item, wanted, index)) return found;
  } else if (value.IsObject()) {
    for (const auto& entry : value.GetObject())
      if (const auto found = index_of(entry.value, wanted, index)) return found;
  }
  return std::nullopt;
}

std::optional<Complaint> build(Parsed& parsed, std::string_view text, int max_depth) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  Guard guard(parsed.tree, stream, text, max_depth);
  rapidjson::Reader reader;
  const auto generate = [&](Tree&) { return !reader.Parse<kFlags>(stream, guard).IsError(); };
  parsed.tree.Populate(generate);
  parsed.lines = guard.take_lines();
  if (guard.complaint()) return guard.complaint();
  if (!reader.HasParseError()) return std::nullopt;
  const std::size_t offset = std::min(reader.GetErrorOffset(), text.size());
  return Complaint{offset, concat(expectation(reader.GetParseErrorCode()), ", found ", found_at(text, offset))};
}

/// Not of numbers: their text is the reader's.
std::string describe_kind(const Node& value) {
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return "null";
    case rapidjson::kFalseType:
      return "false";
    case rapidjson::kTrueType:
      return "true";
    case rapidjson::kObjectType:
      return "an object";
    case rapidjson::kArrayType:
      return "an array";
    case rapidjson::kStringType:
      return concat("the string ", quoted(text_of(value)));
    case rapidjson::kNumberType:
      break;
  }
  return "a number";
}

bool is_plain_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
}

std::string path_of_member(const std::string& parent, std::string_view key) {
  if (!is_plain_key(key)) return concat(parent, "[", quoted(key), "]");
  return parent.empty() ? std::string(key) : concat(parent, ".", key);
}

}  // namespace

struct Document::Impl {
  std::string name;
  ErrorCode code;
  Parsed parsed;

  /// The line is named where there is more than one.
  Failure refuse(const void* value, const std::string& path, std::string_view message) const {
    std::size_t before = 0;
    const auto index = index_of(parsed.tree, static_cast<const Node*>(value), before);
    const bool has_lines = index && parsed.lines.back() > 1;
    const std::string line = has_lines ? concat(":", parsed.lines[*index]) : "";
    return fail(code, concat(name, line, ": ", path, path.empty() ? "" : ": ", message));
  }
};

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, std::string name, Limits limits, ErrorCode code) {
  if (text.size() > limits.max_bytes) {
    return fail(code, concat(name, ": expected at most ", format_bytes(limits.max_bytes), ", found ",
                             format_bytes(text.size())));
  }
  auto impl = std::make_unique<Impl>(Impl{std::move(name), code, {}});
  auto complaint = complain_about_bytes(text);
  if (!complaint) complaint = build(impl->parsed, text, limits.max_depth);
  if (!complaint) return Document(std::move(impl));
  return fail(code, concat(impl->name, ":", position(text, complaint->offset), ": ", complaint->message));
}

Reader Document::root() const { return {impl_.get(), static_cast<const Node*>(&impl_->parsed.tree), {}}; }

Reader::Reader(const Document::Impl* document, const void* value, std::string path)
    : document_(document), value_(value), path_(std::move(path)) {}

bool Reader::is_null() const { return node(value_).IsNull(); }
bool Reader::is_object() const { return node(value_).IsObject(); }
bool Reader::is_array() const { return node(value_).IsArray(); }
bool Reader::is_string() const { return node(value_).IsString(); }
bool Reader::is_bool() const { return node(value_).IsBool(); }
bool Reader::is_number() const { return node(value_).IsNumber(); }

Failure Reader::expected(std::string_view what) const {
  return document_->refuse(value_, path_,
                           concat("expected ", what, ", found ",
                                  is_number() ? concat("the number ", number_text()) : describe_kind(node(value_))));
}

Result<std::string> Reader::as_string() const {
  if (!is_string()) return expected("a string");
  return std::string(text_of(node(value_)));
}

Result<bool> Reader::as_bool() const {
  if (!is_bool()) return expected("true or false");
  return node(value_).GetBool();
}

Result<std::int64_t> Reader::as_integer() const {
  if (node(value_).IsInt64()) return node(value_).GetInt64();
  return expected("a whole number of 64 bits without fraction and exponent");
}

Result<std::vector<Reader>> Reader::items() const {
  if (!is_array()) return expected("an array");
  std::vector<Reader> items;
  items.reserve(node(value_).Size());
  for (const Node& item : node(value_).GetArray()) {
    items.push_back(Reader(document_, &item, concat(path_, "[", items.size(), "]")));
  }
  return items;
}

Result<std::vector<std::pair<std::string, Reader>>> Reader::members() const {
  if (!is_object()) return expected("an object");
  std::vector<std::pair<std::string, Reader>> members;
  members.reserve(node(value_).MemberCount());
  for (const auto& entry : node(value_).GetObject()) {
    const std::string_view key = text_of(entry.name);
    members.emplace_back(key, member(key, &entry.value));
  }
  return members;
}

Reader Reader::member(std::string_view key, const void* value) const {
  return {document_, value, path_of_member(path_, key)};
}

/// Null for a missing or null member.
Result<const void*> Reader::find_value(std::string_view key) const {
  if (!is_object()) return expected("an object");
  const Node name(rapidjson::StringRef(key.data(), static_cast<rapidjson::SizeType>(key.size())));
  const auto entry = node(value_).FindMember(name);
  const bool present = entry != node(value_).MemberEnd() && !entry->value.IsNull();
  return present ? static_cast<const void*>(&entry->value) : nullptr;
}

Result<std::optional<Reader>> Reader::find(std::string_view key) const {
  CG_TRY(const void* value, find_value(key));
  return value == nullptr ? std::nullopt : std::optional(member(key, value));
}

Result<Reader> Reader::at(std::string_view key) const {
  CG_TRY(const void* value, find_value(key));
  if (value == nullptr) return document_->refuse(value_, path_of_member(path_, key), "expected a value, found nothing");
  return member(key, value);
}

Result<std::string> Reader::string(std::string_view key) const {
  CG_TRY(const Reader value, at(key));
  return value.as_string();
}

Result<std::string> Reader::string_or(std::string_view key, std::string fallback) const {
  CG_TRY(const auto value, find(key));
  if (!value) return fallback;
  return value->as_string();
}

Result<bool> Reader::boolean(std::string_view key) const {
  CG_TRY(const Reader value, at(key));
  return value.as_bool();
}

Result<std::int64_t> Reader::integer(std::string_view key) const {
  CG_TRY(const Reader value, at(key));
  return value.as_integer();
}

Result<std::vector<std::string>> Reader::strings(std::string_view key) const {
  std::vector<std::string> texts;
  CG_TRY(const auto value, find(key));
  if (!value) return texts;
  CG_TRY(const auto items, value->items());
  for (const Reader& item : items) {
    CG_TRY(auto text, item.as_string());
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<std::map<std::string, std::string>> Reader::string_map(std::string_view key) const {
  std::map<std::string, std::string> map;
  CG_TRY(const auto value, find(key));
  if (!value) return map;
  CG_TRY(const auto members, value->members());
  for (const auto& [name, entry] : members) {
    CG_TRY(auto text, entry.as_string());
    map.emplace(name, std::move(text));
  }
  return map;
}

std::string Reader::dump() const { return Value::from(*this).canonical(); }

/// The shortest text that reads back as the same number.
std::string Reader::number_text() const {
  const Node& value = node(value_);
  if (value.IsInt64()) return std::to_string(value.GetInt64());
  if (value.IsUint64()) return std::to_string(value.GetUint64());
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value.GetDouble()).ptr;
  const std::string_view shortest(text.data(), static_cast<std::size_t>(end - text.data()));
  const bool looks_whole = shortest.find_first_of(".e") == std::string_view::npos;
  return concat(shortest, looks_whole ? ".0" : "");
}

}  // namespace crategate::json
