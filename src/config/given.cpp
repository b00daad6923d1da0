// Which setting an option or input is, and whether two of them contradict each other.
// Belongs here: names only.  Not here: what a value means.
#include "config/given.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::config {
namespace {

/// Names that other actions know and that crategate decides itself.
struct DecidedElsewhere {
  std::string_view name, hint;
};
constexpr DecidedElsewhere kDecidedElsewhere[] = {
    {"cache-from", "set cache; the plan decides when it is read"},
    {"cache-to", "set cache; the plan decides when it is written"},
    {"no-cache", "the plan decides it; fresh asks for a build without cache"},
    {"pull", "the plan decides it; fresh asks for the newest base images"},
    {"push", "the plan decides it after the gate; publish: false keeps everything local"},
    {"load", "a tested image is always loaded"},
    {"sbom", "an image is published exactly as it was tested"},
};

Failure unknown_name(const Given& given) {
  const std::string wanted = to_lower(given.option);
  for (const auto& [name, hint] : kDecidedElsewhere) {
    if (name == wanted) return bad_given(given.origin, "is not a setting of crategate", std::string(hint));
  }
  std::vector<std::string> names;
  for (const Setting& setting : settings_table()) {
    names.push_back(option_name(setting));
    if (!setting.short_name.empty()) names.emplace_back(setting.short_name);
  }
  const auto near = nearest(wanted, names);
  return bad_given(given.origin, "unknown setting",
                   near ? concat("did you mean ", *near, "?") : "crategate explain lists all settings");
}

std::string shown(const Entry& entry) { return entry.setting->secret ? std::string("***") : quoted(entry.value, 40); }

Failure conflict(const Entry& a, const Entry& b) {
  return fail(ErrorCode::bad_input,
              concat(option_name(*a.setting), ": expected one value, found ", shown(a), " (", a.origin.name, ") and ",
                     shown(b), " (", b.origin.name, ")"),
              "give it once");
}

/// A seed name's value goes into a pattern: it must be one plain word there.
Result<> take_seed_name(Entry& entry, const Given& given) {
  entry.seed_name = find_seed_name(given.option);
  if (entry.seed_name == nullptr) return unknown_name(given);
  entry.setting = find_setting(entry.seed_name->setting);
  if (entry.value.empty() || entry.seed_name->pattern == "*") return {};
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:,+-";
  if (entry.value.find_first_not_of(kPlain) != std::string::npos) {
    return bad_given(given.origin,
                     concat("expected letters, digits and . _ / : , + -, found ", quoted(entry.value, 40)),
                     concat("set ", entry.seed_name->setting, " for anything else"));
  }
  entry.value = replace_all(std::string(entry.seed_name->pattern), "*", entry.value);
  return {};
}

/// The same setting under two names, or twice at one place, must say the same; lists under one name add up.
Result<> refuse_conflicts(const std::vector<Entry>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Entry &a = entries[j], &b = entries[i];
      if (a.setting != b.setting || a.value == b.value) continue;
      if (a.is_axis_value() || b.is_axis_value()) continue;
      const bool other_name = a.spelling != b.spelling;
      const bool same_place = a.origin.kind == b.origin.kind && a.setting->type != SettingType::list;
      if (other_name || same_place) return conflict(a, b);
    }
  }
  return {};
}

}  // namespace

Failure bad_given(const Origin& origin, std::string message, std::string hint) {
  return fail(ErrorCode::bad_input, concat(origin.name, ": ", message), std::move(hint));
}

Result<std::vector<Entry>> recognise(const std::vector<Given>& given) {
  std::vector<Entry> entries;
  for (const Given& item : given) {
    const bool input = item.origin.kind == OriginKind::input;
    std::string value(input ? trim(item.value) : std::string_view(item.value));
    Entry entry{find_setting(item.option), nullptr, to_lower(item.option), std::move(value), item.origin};
    if (entry.setting == nullptr) CG_CHECK(take_seed_name(entry, item));
    if (input && entry.value.empty()) continue;
    entries.push_back(std::move(entry));
  }
  CG_CHECK(refuse_conflicts(entries));
  return entries;
}

}  // namespace crategate::config
