// One run, its rules and its results.
#include "render/sarif.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/sha256.h"
#include "base/strings.h"
#include "json/value.h"
#include "render/line.h"

namespace crategate::render {
namespace {

using json::Value;
using pipeline::ScanFinding;
using pipeline::Severity;

constexpr std::string_view kSchemaUrl = "https://json.schemastore.org/sarif-2.1.0.json";
constexpr std::size_t kMostResults = 5000;
constexpr std::size_t kLongestText = 1000;

std::string plain(std::string_view text) { return cut(one_line(text), kLongestText); }

std::string_view level_of(Severity severity) {
  if (severity >= Severity::high) return "error";
  return severity == Severity::medium ? "warning" : "note";
}

/// What code scanning sorts by: the middle of the range that it gives each word.
std::string_view score_of(Severity severity) {
  switch (severity) {
    case Severity::critical:
      return "9.5";
    case Severity::high:
      return "8.0";
    case Severity::medium:
      return "5.5";
    case Severity::low:
      return "2.0";
    case Severity::unknown:
      break;
  }
  return "0.0";
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/").find(c) != std::string_view::npos;
}

/// A path as a relative URI reference.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string uri;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(c)) {
      uri += c;
    } else {
      uri += concat('%', kDigits[byte >> 4U], kDigits[byte & 15U]);
    }
  }
  return uri;
}

/// An address that can be nothing but one; anything else is left out.
bool is_address(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return false;
  const std::string_view rest = url.substr(url.find("://") + 3);
  return !rest.empty() && url.size() < kLongestText && std::ranges::all_of(rest, [](char c) {
    return is_unreserved(c) || std::string_view("?=&:+").find(c) != std::string_view::npos;
  });
}

std::string id_of(const ScanFinding& finding) {
  const std::string id = plain(finding.id);
  return id.empty() ? finding.kind : id;
}

Value message(std::string_view text) { return Value::object({{"text", text.empty() ? "no description" : text}}); }

Value rule_of(const ScanFinding& finding) {
  const std::string title = plain(finding.title);
  Value rule = Value::object(
      {{"id", id_of(finding)},
       {"shortDescription", message(title.empty() ? id_of(finding) : title)},
       {"defaultConfiguration", Value::object({{"level", level_of(finding.severity)}})},
       {"properties",
        Value::object({{"tags", Value::array_of({"security", finding.kind, std::string(to_string(finding.severity))})},
                       {"security-severity", score_of(finding.severity)}})}});
  if (is_address(finding.url)) rule.set("helpUri", finding.url);
  return rule;
}

std::string sentence(const ScanFinding& finding) {
  std::string text = concat(id_of(finding), " (", to_string(finding.severity), ")");
  if (!finding.package.empty())
    text += concat(" in ", trim(concat(plain(finding.package), " ", plain(finding.installed))));
  if (finding.kind == "vulnerability")
    text += finding.fixed.empty() ? ", no fix" : concat(", fixed in ", plain(finding.fixed));
  text += concat("; found in ", plain(finding.target));
  return finding.title.empty() ? text : concat(text, ": ", plain(finding.title));
}

Value result_of(const ScanFinding& finding, std::size_t rule, std::string_view place) {
  const Value location = Value::object(
      {{"physicalLocation",
        Value::object({{"artifactLocation", Value::object({{"uri", uri_of(place)}, {"uriBaseId", "%SRCROOT%"}})},
                       {"region", Value::object({{"startLine", 1}})}})},
       {"message", message(plain(finding.target))}});
  const std::string identity = sha256_hex(
      concat(finding.kind, "\n", finding.id, "\n", finding.package, "\n", finding.installed, "\n", finding.target));
  return Value::object({{"ruleId", id_of(finding)},
                        {"ruleIndex", static_cast<std::int64_t>(rule)},
                        {"level", level_of(finding.severity)},
                        {"message", message(sentence(finding))},
                        {"locations", Value::array({location})},
                        {"partialFingerprints", Value::object({{"crategateFinding/v1", identity}})}});
}

Value driver_of(const pipeline::ScanResult& result, Value rules) {
  Value driver =
      Value::object({{"name", "Trivy"}, {"informationUri", "https://trivy.dev"}, {"rules", std::move(rules)}});
  if (!result.scanner_version.empty()) driver.set("version", plain(result.scanner_version));
  return driver;
}

}  // namespace

std::string sarif(const pipeline::ScanResult& result, const std::vector<ScanFinding>& findings,
                  std::string_view place) {
  std::map<std::string, std::size_t> known;
  Value rules = Value::array(), results = Value::array();
  for (std::size_t i = 0; i < std::min(findings.size(), kMostResults); ++i) {
    const auto [rule, added] = known.emplace(id_of(findings[i]), known.size());
    if (added) rules.push(rule_of(findings[i]));
    results.push(result_of(findings[i], rule->second, place));
  }
  const Value run = Value::object(
      {{"tool", Value::object({{"driver", driver_of(result, std::move(rules))}})},
       {"automationDetails", Value::object({{"id", concat("crategate/scan/", result.cell, "/")}})},
       {"columnKind", "utf16CodeUnits"},
       {"originalUriBaseIds",
        Value::object({{"%SRCROOT%", Value::object({{"description", message("the repository's root")}})}})},
       {"results", std::move(results)},
       {"properties", Value::object({{"verdict", to_string(result.verdict)},
                                     {"findings", result.counts.total()},
                                     {"configDigest", result.config_digest.text()}})}});
  return Value::object({{"$schema", kSchemaUrl}, {"version", "2.1.0"}, {"runs", Value::array({run})}}).pretty();
}

}  // namespace crategate::render
