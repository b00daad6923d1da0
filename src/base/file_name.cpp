#include "base/file_name.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "base/utf8.h"

namespace crategate {
namespace {

struct Composed {
  char32_t letter, mark, both;
};

/// The lower-case letters of Latin-1 and Latin Extended-A that have a canonical decomposition.
constexpr Composed kComposed[] = {
    {'a', 0x300, 0x0E0}, {'a', 0x301, 0x0E1}, {'a', 0x302, 0x0E2}, {'a', 0x303, 0x0E3}, {'a', 0x308, 0x0E4},
    {'a', 0x30A, 0x0E5}, {'c', 0x327, 0x0E7}, {'e', 0x300, 0x0E8}, {'e', 0x301, 0x0E9}, {'e', 0x302, 0x0EA},
    {'e', 0x308, 0x0EB}, {'i', 0x300, 0x0EC}, {'i', 0x301, 0x0ED}, {'i', 0x302, 0x0EE}, {'i', 0x308, 0x0EF},
    {'n', 0x303, 0x0F1}, {'o', 0x300, 0x0F2}, {'o', 0x301, 0x0F3}, {'o', 0x302, 0x0F4}, {'o', 0x303, 0x0F5},
    {'o', 0x308, 0x0F6}, {'u', 0x300, 0x0F9}, {'u', 0x301, 0x0FA}, {'u', 0x302, 0x0FB}, {'u', 0x308, 0x0FC},
    {'y', 0x301, 0x0FD}, {'y', 0x308, 0x0FF}, {'a', 0x304, 0x101}, {'a', 0x306, 0x103}, {'a', 0x328, 0x105},
    {'c', 0x301, 0x107}, {'c', 0x302, 0x109}, {'c', 0x307, 0x10B}, {'c', 0x30C, 0x10D}, {'d', 0x30C, 0x10F},
    {'e', 0x304, 0x113}, {'e', 0x306, 0x115}, {'e', 0x307, 0x117}, {'e', 0x328, 0x119}, {'e', 0x30C, 0x11B},
    {'g', 0x302, 0x11D}, {'g', 0x306, 0x11F}, {'g', 0x307, 0x121}, {'g', 0x327, 0x123}, {'h', 0x302, 0x125},
    {'i', 0x303, 0x129}, {'i', 0x304, 0x12B}, {'i', 0x306, 0x12D}, {'i', 0x328, 0x12F}, {'j', 0x302, 0x135},
    {'k', 0x327, 0x137}, {'l', 0x301, 0x13A}, {'l', 0x327, 0x13C}, {'l', 0x30C, 0x13E}, {'n', 0x301, 0x144},
    {'n', 0x327, 0x146}, {'n', 0x30C, 0x148}, {'o', 0x304, 0x14D}, {'o', 0x306, 0x14F}, {'o', 0x30B, 0x151},
    {'r', 0x301, 0x155}, {'r', 0x327, 0x157}, {'r', 0x30C, 0x159}, {'s', 0x301, 0x15B}, {'s', 0x302, 0x15D},
    {'s', 0x327, 0x15F}, {'s', 0x30C, 0x161}, {'t', 0x327, 0x163}, {'t', 0x30C, 0x165}, {'u', 0x303, 0x169},
    {'u', 0x304, 0x16B}, {'u', 0x306, 0x16D}, {'u', 0x30A, 0x16F}, {'u', 0x30B, 0x171}, {'u', 0x328, 0x173},
    {'w', 0x302, 0x175}, {'y', 0x302, 0x177}, {'z', 0x301, 0x17A}, {'z', 0x307, 0x17C}, {'z', 0x30C, 0x17E}};

char32_t lower_case(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (within('A', 'Z') || (within(0xC0, 0xDE) && c != 0xD7) || (within(0x391, 0x3AB) && c != 0x3A2)) return c + 32;
  if (within(0x410, 0x42F)) return c + 32;
  if (within(0x400, 0x40F)) return c + 80;
  // Pairs, the capital first: Latin Extended-A up to the two ranges where it comes second, Cyrillic extensions.
  if (within(0x100, 0x137) || within(0x14A, 0x177) || within(0x460, 0x481) || within(0x48A, 0x4BF)) return c | 1u;
  if ((within(0x139, 0x148) || within(0x179, 0x17E)) && c % 2 == 1) return c + 1;
  return c;
}

/// What case folding of Unicode takes for another letter besides, and full width, which people do.
char32_t plain_letter(char32_t c) {
  if (c == 0x130 || c == 0x131) return 'i';
  if (c == 0x17F) return 's';
  if (c == 0x212A) return 'k';
  if (c == 0x212B) return 0xE5;
  if (c >= 0xFF01 && c <= 0xFF5E) return lower_case(c - 0xFEE0);
  return lower_case(c);
}

std::u32string composed(std::u32string text) {
  const auto is_mark = [](char32_t c) { return c >= 0x300 && c <= 0x36F; };
  if (std::ranges::none_of(text, is_mark)) return text;
  std::u32string result;
  for (const char32_t c : text) {
    const auto* found = std::ranges::find_if(kComposed, [&](const Composed& each) {
      return !result.empty() && each.letter == result.back() && each.mark == c;
    });
    if (found == std::end(kComposed)) {
      result += c;
    } else {
      result.back() = found->both;
    }
  }
  return result;
}

}  // namespace

std::string fold_case(std::string_view name) {
  std::string folded;
  folded.reserve(name.size());
  for (std::size_t i = 0; i < name.size();) {
    const CodePoint point = code_point_at(name, i);
    if (point.valid) {
      append_utf8(folded, lower_case(point.value));
    } else {
      folded += name[i];
    }
    i += point.length;
  }
  return folded;
}

std::string folded_component(std::string_view component) {
  constexpr char32_t kByte = 0x110000;  // above Unicode: bytes that are not UTF-8 stay what they are
  std::u32string letters;
  for (std::size_t i = 0; i < component.size();) {
    const CodePoint point = code_point_at(component, i);
    if (!point.valid) {
      letters.push_back(kByte + static_cast<unsigned char>(component[i]));
    } else if (!is_invisible(point.value)) {
      letters += plain_letter(point.value);
    }
    i += point.length;
  }
  if (const auto stream = letters.find(U':'); stream != std::u32string::npos && stream > 0) letters.resize(stream);
  if (const auto last = letters.find_last_not_of(U". "); last != std::u32string::npos) letters.resize(last + 1);
  std::string folded;
  for (const char32_t c : composed(std::move(letters))) {
    if (c >= kByte) {
      folded += static_cast<char>(c - kByte);
    } else {
      append_utf8(folded, c);
    }
  }
  return folded;
}

bool is_git_directory(std::string_view component) {
  // All but a few names of a tree end here.
  const bool may_be =
      !component.empty() && (std::string_view(".gG").find(component.front()) != std::string_view::npos ||
                             static_cast<unsigned char>(component.front()) >= 0x80);
  if (!may_be) return false;
  const std::string folded = folded_component(component);
  return folded == ".git" || folded == "git~1";
}

std::optional<std::string> fault_of_tree_component(std::string_view component) {
  if (component.empty()) return "has an empty component";
  if (component == "." || component == "..") return concat("has the component ", quoted(component));
  // A backslash is a separator on some systems.
  for (std::size_t begin = 0; begin <= component.size();) {
    const std::size_t end = std::min(component.find('\\', begin), component.size());
    if (is_git_directory(component.substr(begin, end - begin)))
      return concat("has the component ", quoted(component), ", which is git's own");
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<std::string> fault_of_tree_path(std::string_view path) {
  if (path.size() > kLongestTreePath) return concat("has ", path.size(), " bytes, expected at most ", kLongestTreePath);
  if (path.find('\0') != std::string_view::npos) return "has a NUL";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (auto fault = fault_of_tree_component(path.substr(begin, end - begin))) return fault;
    begin = end + 1;
  }
  return std::nullopt;
}

bool has_one_spelling(std::string_view path) {
  const auto components = split(path, '/');
  return std::ranges::none_of(components, [](const auto& each) { return each.empty() || each == "." || each == ".."; });
}

}  // namespace crategate
