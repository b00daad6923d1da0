// The process-wide set of secrets in all the forms in which they turn up in logs.
#include "base/secret.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace crategate {
namespace {

constexpr std::size_t kShortest = 6;  // masking less would turn whole logs into asterisks

using Needles = std::vector<std::string>;

struct Registry {
  std::shared_mutex mutex;
  Needles needles;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

/// The characters of a longer base64 text that depend on `value` alone when it starts `shift` bytes into a group.
std::string base64_core(std::string_view value, std::size_t shift) {
  const std::string encoded = base64(concat(std::string(shift, '\0'), value));
  const std::size_t first = (8 * shift + 5) / 6;
  const std::size_t end = 8 * (shift + value.size()) / 6;
  return encoded.substr(first, end - first);
}

std::string hex_byte(unsigned char byte, std::string_view digits) {
  return concat(digits[byte >> 4], digits[byte & 15]);
}

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

std::string hex(std::string_view value, std::string_view digits) {
  std::string text;
  for (const char c : value) text += hex_byte(static_cast<unsigned char>(c), digits);
  return text;
}

std::string url_encoded(std::string_view value, std::string_view digits, std::string_view unreserved) {
  std::string text;
  for (const char c : value) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (alphanumeric || unreserved.find(c) != std::string_view::npos) {
      text += c;
    } else {
      text += concat('%', hex_byte(static_cast<unsigned char>(c), digits));
    }
  }
  return text;
}

std::string json_escaped(std::string_view value, std::string_view also) {
  constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  std::string text;
  for (const char c : value) {
    const std::size_t named = kNamed.find(c);
    const bool control = static_cast<unsigned char>(c) < 0x20;
    if (named != std::string_view::npos) {
      text += concat('\\', kLetters[named]);
    } else if (control || also.find(c) != std::string_view::npos) {
      text += concat("\\u00", hex_byte(static_cast<unsigned char>(c), kLowerHex));
    } else {
      text += c;
    }
  }
  return text;
}

void add_forms(std::string_view value, Needles& forms) {
  if (value.size() < kShortest) return;
  forms.emplace_back(value);
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const std::string core = base64_core(value, shift);
    forms.push_back(core);
    forms.push_back(replace_all(replace_all(core, "+", "-"), "/", "_"));
  }
  for (const std::string_view digits : {kLowerHex, kUpperHex}) {
    forms.push_back(hex(value, digits));
    forms.push_back(url_encoded(value, digits, "-._~"));
    forms.push_back(url_encoded(value, digits, "-._~!*'()"));
    forms.push_back(replace_all(url_encoded(value, digits, "-._*"), "%20", "+"));
  }
  forms.push_back(json_escaped(value, ""));
  forms.push_back(json_escaped(value, "<>&"));
}

Needles forms_of(const std::string& value) {
  Needles forms;
  add_forms(value, forms);
  add_forms(trim(value), forms);
  for (const std::string& line : split(replace_all(value, "\r", "\n"), '\n')) add_forms(trim(line), forms);
  return forms;
}

bool longer_first(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() > b.size() : a < b;
}

void add_to_registry(Needles forms) {
  std::erase_if(forms, [](const std::string& form) { return form.size() < kShortest; });
  const std::unique_lock lock(registry().mutex);
  Needles& needles = registry().needles;
  needles.insert(needles.end(), forms.begin(), forms.end());
  std::sort(needles.begin(), needles.end(), longer_first);
  needles.erase(std::unique(needles.begin(), needles.end()), needles.end());
}

}  // namespace

Secret::Secret(std::string value) : value_(std::move(value)) {
  if (value_.size() >= kShortest) add_to_registry(forms_of(value_));
}

std::string redact(std::string_view text) {
  std::string redacted(text);
  const std::shared_lock lock(registry().mutex);
  for (const std::string& needle : registry().needles) redacted = replace_all(std::move(redacted), needle, "***");
  return redacted;
}

}  // namespace crategate
