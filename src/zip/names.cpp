// Names, byte for byte: nothing is normalised, so that what is checked is what is written.
#include "zip/names.h"

#include <algorithm>

#include "base/file_name.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace crategate::zip {
namespace {

constexpr std::size_t kLongestName = 4096, kLongestComponent = 255;

std::optional<std::string> fault_of_characters(std::string_view name) {
  for (std::size_t i = 0; i < name.size();) {
    const CodePoint point = code_point_at(name, i);
    if (!point.valid) return "is not UTF-8";
    if (point.value == '\\') return "has a backslash";
    if (is_control(point.value)) return "has a control character";
    i += point.length;
  }
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (name.size() >= 2 && name[1] == ':' && is_letter(name[0])) return "begins with a drive letter";
  return std::nullopt;
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
