// Names, byte for byte: nothing is normalised, so that what is checked is what is written.
#include "zip/names.h"

#include <algorithm>

#include "base/strings.h"
#include "base/utf8.h"

namespace crategate::zip {
namespace {

constexpr std::size_t kLongestName = 4096, kLongestComponent = 255;

bool is_control(const CodePoint& point) { return point.value < 0x20 || (point.value >= 0x7F && point.value <= 0x9F); }

std::optional<std::string> fault_of_characters(std::string_view name) {
  for (std::size_t i = 0; i < name.size();) {
    const CodePoint point = code_point_at(name, i);
    if (!point.valid) return "is not UTF-8";
    if (point.value == '\\') return "has a backslash";
    if (is_control(point)) return "has a control character";
    i += point.length;
  }
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.size() >= 2 && name[1] == ':' && is_letter(name[0])) return "begins with a drive letter";
  return std::nullopt;
}

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

/// Of the values that lower_case gives.
void append_utf8(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else {
    text += static_cast<char>(0xC0u | c >> 6);
    text += static_cast<char>(0x80u | (c & 0x3Fu));
  }
}

}  // namespace

std::optional<std::string> fault_of_name(std::string_view name, std::size_t depth) {
  if (name.empty()) return "is empty";
  if (name.size() > kLongestName) return concat("has ", name.size(), " bytes, expected at most ", kLongestName);
  if (name.front() == '/') return "is absolute";
  if (auto fault = fault_of_characters(name)) return fault;
  if (name.back() == '/') name.remove_suffix(1);
  std::size_t components = 0;
  for (std::size_t begin = 0; begin <= name.size(); ++components) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view component = name.substr(begin, end - begin);
    if (component.empty()) return "has an empty component";
    if (component == ".") return "has the component \".\"";
    if (component == "..") return "leaves its directory";
    if (component.size() > kLongestComponent)
      return concat("has a component of ", component.size(), " bytes, expected at most ", kLongestComponent);
    begin = end + 1;
  }
  if (components > depth) return concat("has ", components, " components, expected at most ", depth);
  return std::nullopt;
}

std::string fold_case(std::string_view name) {
  std::string folded;
  folded.reserve(name.size());
  for (std::size_t i = 0; i < name.size();) {
    const CodePoint point = code_point_at(name, i);
    const char32_t lower = point.valid ? lower_case(point.value) : 0;
    if (!point.valid || lower == point.value || lower > 0x7FF) {
      folded += name.substr(i, point.length);
    } else {
      append_utf8(folded, lower);
    }
    i += point.length;
  }
  return folded;
}

Result<void> NameTree::add(std::string_view name) {
  const bool is_directory = !name.empty() && name.back() == '/';
  if (is_directory) name.remove_suffix(1);
  const std::size_t slash = name.rfind('/');
  const std::size_t leaf = slash == std::string_view::npos ? 0 : slash + 1;
  const std::string_view parent = name.substr(0, leaf);
  if (parent != parent_) {
    parent_.clear();
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < leaf;) {
      const std::size_t end = name.find('/', begin);
      CG_TRY(number, add_component(number, name, begin, end, Kind::implied_directory));
      begin = end + 1;
    }
    parent_ = parent;
    parent_number_ = number;
  }
  const std::size_t within = leaf == 0 ? 0 : parent_number_;
  CG_CHECK(add_component(within, name, leaf, name.size(), is_directory ? Kind::directory : Kind::file));
  return {};
}

Result<std::size_t> NameTree::add_component(std::size_t parent, std::string_view name, std::size_t begin,
                                            std::size_t end, Kind kind) {
  const std::string_view component = name.substr(begin, end - begin);
  const auto [found, fresh] =
      nodes_.try_emplace({parent, fold_case(component)}, Node{nodes_.size() + 1, std::string(component), kind});
  Node& before = found->second;
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::bad_input, concat("the name ", quoted(name.substr(0, end), 200), " ", why),
                "rename one of the two");
  };
  if (fresh) return before.number;
  if (before.spelling != component)
    return refuse(concat("differs from one with ", quoted(before.spelling), " by upper and lower case only"));
  if ((before.kind == Kind::file) != (kind == Kind::file)) return refuse("is both a file and a directory");
  if (kind == before.kind && kind != Kind::implied_directory) return refuse("is there twice");
  if (kind == Kind::directory) before.kind = kind;
  return before.number;
}

}  // namespace crategate::zip
