// The plan: computed once, read by every later stage.
// Belongs here: cells, names and the JSON document.  Not here: reading files (stages/plan).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/version.h"
#include "config/configuration.h"
#include "oci/digest.h"
#include "oci/platform.h"
#include "pipeline/event.h"
#include "pipeline/policy.h"
#include "pipeline/scan.h"

namespace crategate::pipeline {

inline constexpr std::size_t kMatrixLimit = 256;  ///< jobs per matrix on GitHub

/// The lines of an axis file (`PYTHON_VERSIONS`), in order. Blank lines, CRLF and a missing last line feed are fine.
/// Errors: bad_input at file:line for duplicates, patch levels, leading zeros, comments, BOM, an empty list (P-AXIS-1);
/// for an axis not called `python` any value of `[A-Za-z0-9][A-Za-z0-9._-]*` will do.
Result<std::vector<std::string>> parse_axis_file(std::string_view text, std::string_view file_name,
                                                 std::string_view axis);

/// One value of an axis, from wherever it comes.
/// Errors: bad_input naming the axis and the grammar.
Result<void> check_axis_value(std::string_view axis, std::string_view value);

/// `text` of a VERSION file → its one line.
/// Errors: bad_input for a BOM, a second line, non-ASCII, > 256 bytes, empty (A12).
Result<Version> parse_version_file(std::string_view text, std::string_view file_name);

/// Where images go. `layout`: an OCI layout on disk, names unchanged, no registry cache.
/// `registry`: `prefix` (host[:port][/path]) replaces the registry of every name; empty = names as configured.
struct Destination {
  bool layout = false;
  std::string prefix;
};

struct Cell {
  std::string key;
  std::map<std::string, std::string> axes;       ///< axis → value
  std::map<std::string, std::string> variables;  ///< for templates: axes, `version`, `cell`, and the values' own
  std::string base;                              ///< variable `base`, or empty
  std::string image;                             ///< repository, familiar form, no tag
  std::string candidate;  ///< repository of what is published, by digest: tested or rebuilt images
  std::vector<std::string> tags;
  std::string cache;       ///< reference, or empty
  std::string dockerfile;  ///< path relative to the workspace
  std::string log;         ///< path of the test log relative to the workspace; empty = no tests are configured
  oci::Platform platform;
  std::optional<oci::Digest> base_digest;  ///< what `base` is in every build of this plan; nullopt = each one asks
  /// Under `fresh: auto`: the digest that `base` had for the image that is published, where it is another one by now, or
  /// kUnknownBase. Empty = it is not built freshly for that.
  std::string base_moved_from;
  bool operator==(const Cell&) const = default;
};

/// Nobody could find out whether the base has moved.
inline constexpr std::string_view kUnknownBase = "unknown";

/// The registry in the names of rebuilt images: none (https://www.rfc-editor.org/rfc/rfc2606#section-2).
inline constexpr std::string_view kRebuiltRegistry = "rebuilt.invalid";

/// What a rebuilt image must have in common with the tested one (gate.rebuild).
enum class Rebuild : unsigned char {
  strict,   ///< the fingerprint
  content,  ///< platform, configuration, and all of its files but their times
};
std::string_view to_string(Rebuild rebuild);

struct Plan {
  std::string plan_id;  ///< `sha256:` of the canonical document without plan_id
  std::string event, ref, tag;
  std::string commit;       ///< empty when there is no git repository
  std::string head_commit;  ///< a pull request's head, else = commit
  std::string version;      ///< verbatim
  bool is_prerelease = false;
  bool version_released = false;  ///< the version's git tag exists: label io.crategate.released
  bool layout = false;            ///< destination is an OCI layout
  std::string
      image_set;  ///< which images these are, whatever the cells: `localhost:5000/me/app-{cell}`, `oci:me/app-{cell}`
  std::string release_set;                    ///< reference of the index of the release; empty = none is made
  std::map<std::string, std::string> labels;  ///< of every image: what the event says of the repository
  Policy policy;
  std::optional<ScanPolicy> scan;  ///< nullopt = no image is scanned
  std::optional<Rebuild> rebuild;  ///< nullopt = the tested image itself is published (gate.mode: promote)
  std::vector<Cell> cells;         ///< axis order of the configuration, values in file order
  const Cell* find(std::string_view key) const;
  bool is_fresh(const Cell& cell) const;     ///< its build is --pull --no-cache
  bool reads_cache(const Cell& cell) const;  ///< of the registry
  bool writes_cache(const Cell& cell) const;
  bool operator==(const Plan&) const = default;
};

struct PlanFacts {
  Event event;
  Policy policy;
  Version version;
  std::map<std::string, std::vector<std::string>> axis_values;  ///< axis name → values in order
  Destination destination;
  std::string commit;
  bool version_released = false;
  std::vector<std::string> only;  ///< `axis=value`; local use
};

/// Cells × names × policy.
/// Errors: bad_input for > 256 cells without `shards`, two cells with one key, image:tag, Dockerfile, log or cache;
/// names outside the reference grammar; an unknown `{placeholder}`; tag ≠ VERSION on a tag push (names both).
Result<Plan> compute_plan(const PlanFacts& facts, const config::Configuration& configuration);

/// The identity that this content has; `plan_id` itself does not count.
std::string plan_id_of(const Plan& plan);
/// Canonical JSON (schema 1): equal facts give equal bytes. A line feed ends it.
std::string to_json(const Plan& plan);
/// Errors: bad_input for another schema, missing or unknown fields, or a plan_id that does not match the content.
Result<Plan> parse_plan(std::string_view text, std::string_view file_name);

/// `[{"cell":…,"python":…,"runtime":…},…]` for `fromJSON` in a workflow: `{"include":[…]}`.
std::string matrix_json(const Plan& plan);
/// `["3.11","3.13"]`: the values of axis `python` in order, or `[]`.
std::string python_versions_json(const Plan& plan);

/// `{name}` placeholders replaced.
/// Errors: bad_input naming the pattern, the unknown name and the known ones.
Result<std::string> expand_pattern(std::string_view pattern, const std::map<std::string, std::string>& values,
                                   std::string_view setting);

}  // namespace crategate::pipeline
