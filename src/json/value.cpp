// Values to be written, canonical and pretty.
#include "json/value.h"

#include <algorithm>

#include "base/strings.h"
#include "base/utf8.h"

namespace crategate::json {
namespace {

void write_string(std::string& out, std::string_view value) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : is_valid_utf8(value) ? std::string(value) : to_valid_utf8(value)) {
    const auto byte = static_cast<unsigned char>(c);
    if (const std::size_t named = kNamed.find(c); named != std::string_view::npos) {
      out += '\\';
      out += kLetters[named];
    } else if (byte < 0x20) {
      out += concat("\\u00", kDigits[byte >> 4], kDigits[byte & 15]);
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Value::Value(bool v) : kind_(Kind::boolean), boolean_(v) {}
Value::Value(std::int64_t v) : kind_(Kind::integer), integer_(v) {}
Value::Value(int v) : kind_(Kind::integer), integer_(v) {}
Value::Value(std::uint64_t v) : kind_(Kind::unsigned_integer), unsigned_(v) {}
Value::Value(const char* v) : kind_(Kind::string), string_(v) {}
Value::Value(std::string v) : kind_(Kind::string), string_(std::move(v)) {}
Value::Value(std::string_view v) : kind_(Kind::string), string_(v) {}

Value Value::array(std::vector<Value> items) {
  Value value;
  value.kind_ = Kind::array;
  value.items_ = std::move(items);
  return value;
}

Value Value::array_of(const std::vector<std::string>& items) {
  return array(std::vector<Value>(items.begin(), items.end()));
}

Value Value::object(std::vector<std::pair<std::string, Value>> members) {
  Value value;
  value.kind_ = Kind::object;
  for (auto& [key, member] : members) value.set(std::move(key), std::move(member));
  return value;
}

Value Value::object_of(const std::map<std::string, std::string>& members) {
  Value value;
  value.kind_ = Kind::object;
  for (const auto& [key, text] : members) value.members_.emplace_back(key, text);
  return value;
}

Value Value::from(const Reader& reader) {
  if (reader.is_null()) return {};
  if (reader.is_bool()) return *reader.as_bool();
  if (reader.is_string()) return *reader.as_string();
  Value value;
  if (reader.is_number()) {
    value.kind_ = Kind::number;
    value.string_ = reader.number_text();
  } else if (reader.is_array()) {
    value.kind_ = Kind::array;
    const std::vector<Reader> items = *reader.items();
    for (const Reader& item : items) value.items_.push_back(from(item));
  } else {
    value.kind_ = Kind::object;
    const auto members = *reader.members();
    for (const auto& [key, member] : members) value.members_.emplace_back(key, from(member));
  }
  return value;
}

Value& Value::set(std::string key, Value value) {
  kind_ = Kind::object;
  const auto same = [&key](const auto& member) { return member.first == key; };
  const auto known = std::find_if(members_.begin(), members_.end(), same);
  if (known != members_.end()) {
    known->second = std::move(value);
  } else {
    members_.emplace_back(std::move(key), std::move(value));
  }
  return *this;
}

Value& Value::push(Value value) {
  kind_ = Kind::array;
  items_.push_back(std::move(value));
  return *this;
}

void Value::write_scalar(std::string& text) const {
  if (kind_ == Kind::boolean) {
    text += boolean_ ? "true" : "false";
  } else if (kind_ == Kind::integer) {
    text += std::to_string(integer_);
  } else if (kind_ == Kind::unsigned_integer) {
    text += std::to_string(unsigned_);
  } else if (kind_ == Kind::number) {
    text += string_;
  } else if (kind_ == Kind::string) {
    write_string(text, string_);
  } else {
    text += "null";
  }
}

void Value::write_canonical(std::string& text) const {
  if (kind_ == Kind::array) {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      text += i == 0 ? '[' : ',';
      items_[i].write_canonical(text);
    }
    text += items_.empty() ? "[]" : "]";
  } else if (kind_ == Kind::object) {
    std::vector<const std::pair<std::string, Value>*> sorted;
    for (const auto& member : members_) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      text += i == 0 ? '{' : ',';
      write_string(text, sorted[i]->first);
      text += ':';
      sorted[i]->second.write_canonical(text);
    }
    text += sorted.empty() ? "{}" : "}";
  } else {
    write_scalar(text);
  }
}

void Value::write_pretty(std::string& text, std::size_t indentation) const {
  const bool array = kind_ == Kind::array;
  const std::size_t count = array ? items_.size() : members_.size();
  if (count == 0) return write_canonical(text);
  const std::string inner = concat("\n", std::string(indentation + 2, ' '));
  for (std::size_t i = 0; i < count; ++i) {
    text += concat(i == 0 ? (array ? "[" : "{") : ",", inner);
    if (array) {
      items_[i].write_pretty(text, indentation + 2);
    } else {
      write_string(text, members_[i].first);
      text += ": ";
      members_[i].second.write_pretty(text, indentation + 2);
    }
  }
  text += concat("\n", std::string(indentation, ' '), array ? "]" : "}");
}

std::string Value::canonical() const {
  std::string text;
  write_canonical(text);
  return text;
}

std::string Value::pretty() const {
  std::string text;
  write_pretty(text, 0);
  return text + "\n";
}

}  // namespace crategate::json
