// JSON values with the path to each, strict reading and canonical writing.
// Belongs here: RapidJSON, and nothing about what a document means.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace crategate::json {

struct Limits {
  std::size_t max_bytes = 64u << 20;
  int max_depth = 128;
};

class Reader;

/// A parsed document. Refused with position: not RFC 8259, invalid UTF-8, lone surrogates, BOM, trailing text,
/// duplicate keys, deeper or larger than the limits. `name` stands in front of every message ("plan.json").
class Document {
 public:
  static Result<Document> parse(std::string_view text, std::string name, Limits limits = {},
                                ErrorCode code = ErrorCode::bad_input);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  Reader root() const;

 private:
  friend class Reader;
  struct Impl;
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// One value and the path to it. Errors read `plan.json: cells[3].image: expected a string, found a number`.
/// A Reader must not outlive its Document.
class Reader {
 public:
  bool is_null() const;
  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_bool() const;
  bool is_number() const;

  Result<std::string> as_string() const;
  Result<bool> as_bool() const;
  Result<std::int64_t> as_integer() const;                              ///< refuses 7.0, 1e3 and what does not fit
  Result<std::vector<Reader>> items() const;                            ///< array
  Result<std::vector<std::pair<std::string, Reader>>> members() const;  ///< object, in document order

  /// Object member; a missing or null one is an error / nullopt.
  Result<Reader> at(std::string_view key) const;
  Result<std::optional<Reader>> find(std::string_view key) const;

  // The common shapes in one call.
  Result<std::string> string(std::string_view key) const;
  Result<std::string> string_or(std::string_view key, std::string fallback) const;
  Result<bool> boolean(std::string_view key) const;
  Result<std::int64_t> integer(std::string_view key) const;
  Result<std::vector<std::string>> strings(std::string_view key) const;               ///< missing or null = empty
  Result<std::map<std::string, std::string>> string_map(std::string_view key) const;  ///< missing or null = empty

  /// The error for this value: "<name>[:<line>]: <path>: expected …, found …", with its line where there are several.
  Failure expected(std::string_view what) const;
  const std::string& path() const { return path_; }
  /// This value as canonical JSON text.
  std::string dump() const;

 private:
  friend class Document;
  friend class Value;
  Reader(const Document::Impl* document, const void* value, std::string path);
  Reader member(std::string_view key, const void* value) const;
  Result<const void*> find_value(std::string_view key) const;
  std::string number_text() const;
  const Document::Impl* document_;
  const void* value_;
  std::string path_;
};

/// A JSON value to be written; `canonical` for machines and digests, `pretty` for people.
class Value {
 public:
  Value() = default;          ///< null
  Value(bool v);              // NOLINT(google-explicit-constructor): literals read as JSON
  Value(std::int64_t v);      // NOLINT(google-explicit-constructor)
  Value(int v);               // NOLINT(google-explicit-constructor)
  Value(std::uint64_t v);     // NOLINT(google-explicit-constructor)
  Value(const char* v);       // NOLINT(google-explicit-constructor)
  Value(std::string v);       // NOLINT(google-explicit-constructor)
  Value(std::string_view v);  // NOLINT(google-explicit-constructor)
  static Value array(std::vector<Value> items = {});
  static Value array_of(const std::vector<std::string>& items);
  static Value object(std::vector<std::pair<std::string, Value>> members = {});
  static Value object_of(const std::map<std::string, std::string>& members);
  /// A value already parsed.
  static Value from(const Reader& reader);

  Value& set(std::string key, Value value);  ///< object; replaces an existing key
  Value& push(Value value);                  ///< array
  bool is_null() const { return kind_ == Kind::null; }

  /// Canonical text: no white space, keys sorted bytewise, shortest escapes; equal values give equal bytes.
  std::string canonical() const;
  /// Two-space indentation, keys in the order given, a line feed at the end.
  std::string pretty() const;

 private:
  void write_canonical(std::string& text) const;
  void write_pretty(std::string& text, std::size_t indentation) const;
  void write_scalar(std::string& text) const;
  enum class Kind : unsigned char { null, boolean, integer, unsigned_integer, number, string, array, object };
  Kind kind_ = Kind::null;
  bool boolean_ = false;
  std::int64_t integer_ = 0;
  std::uint64_t unsigned_ = 0;
  std::string string_;  ///< of a string; of a number that is no 64-bit integer, its text
  std::vector<Value> items_;
  std::vector<std::pair<std::string, Value>> members_;
};

}  // namespace crategate::json
