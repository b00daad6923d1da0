// The one rule for every setting: command line, then input, then file, then default.
// Belongs here: names, precedence, origins, text → typed.  Not here: reading files or the environment (sys, app).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"

namespace crategate::config {

enum class SettingType : unsigned char { text, list, boolean, duration, number, structure };

/// One row of the settings table; the options, inputs, docs and JSON Schema list exactly these.
struct Setting {
  std::string_view name;  ///< full kebab-case name with its section: `test.timeout` in the file, `--test-timeout`
  SettingType type;
  std::string_view fallback = {};     ///< default as text (lists as YAML flow); empty = none
  std::string_view description = {};  ///< one sentence
  bool secret = false;
  bool file = true;  ///< false: meaningful for one invocation only (`event`, `ref`, `jobs`), refused in the file
  std::string_view short_name = {};  ///< the well-known Docker name (`build-args` for `build.build-args`), or empty
  std::string_view choices = {};     ///< the words allowed, separated by `|`; empty = any
  std::string_view option = {};      ///< name on the command line where it is not the derived one, or empty
  bool commas = false;               ///< list: commas separate items too, for no item can contain one
};

/// In the order of docs/configuration.md.
const std::vector<Setting>& settings_table();
/// `test.timeout` → `test-timeout`: the name on the command line and as an input.
std::string option_name(const Setting& setting);
/// The setting of an option or input: option name or short name, in any case. Null when there is none.
const Setting* find_setting(std::string_view option);

/// A name that users of the seed's Makefile know: an input and an option that stands for a setting (P-ST-13).
struct SeedName {
  std::string_view name;     ///< `CACHE_IMAGE_PREFIX`; as an option `--cache-image-prefix`
  std::string_view setting;  ///< option name of the setting
  std::string_view pattern;  ///< the setting's value, `*` being what was given
};
const std::vector<SeedName>& seed_names();
/// In any case, with `_` or `-`. Null when there is none.
const SeedName* find_seed_name(std::string_view name);

enum class OriginKind : unsigned char { fallback, file, input, command_line };

struct Origin {
  OriginKind kind = OriginKind::fallback;
  Location where;            ///< kind == file
  std::string name;          ///< as written: `--test-timeout`, `INPUT_TEST-TIMEOUT`
  std::string text() const;  ///< "crategate.yml:12:9", "--jobs", "default"
};

/// A value as a person or a runner wrote it.
struct Given {
  std::string option;  ///< option name without dashes: `test-timeout`, or a seed name
  std::string value;
  Origin origin;
};

struct File {
  std::string name;  ///< for messages
  std::string text;
};

/// A setting in force, for `explain`.
struct InForce {
  const Setting* setting = nullptr;
  std::string value;  ///< as text; `***` for secrets
  Origin origin;
};

/// `crategate artifact …`; the names are those of actions/upload-artifact and actions/download-artifact.
struct ArtifactRequest {
  std::string name, pattern;
  std::vector<std::string> paths;  ///< upload: files, folders, globs; download: one folder
  bool overwrite = false, include_hidden_files = false, merge_multiple = false;
  std::string if_no_files_found = "error";
  std::string repository, run_id;  ///< of another run; empty = this one
  bool operator==(const ArtifactRequest&) const = default;
};

/// Settings that are about this invocation rather than about the project.
struct Invocation {
  std::string event, ref, ref_type, payload, sha,
      base_ref;  ///< shell equivalents of GITHUB_*; empty = from the runner or git
  std::optional<bool> rebuild_base;
  std::optional<Fresh> fresh;
  std::optional<bool> cache_write;  ///< in place of the policy row's values; never for a pull request
  bool publish = true;
  bool dry_run = false;
  std::string to;  ///< `oci:DIR`, `REGISTRY[/prefix]`; empty = the command's own default
  std::string cell;
  std::vector<std::string> only;              ///< `axis=value` items
  int jobs = 0;                               ///< 0 = from cores
  std::vector<std::string> artifact_digests;  ///< `NAME=sha256:…` of artifacts that must be these
  std::string plan;                           ///< file, or JSON text
  std::string state = ".crategate";
  std::string mode;               ///< build: `test` or `push`
  std::string image;              ///< digest --image
  std::int64_t pull_request = 0;  ///< 0 = none
  std::string regen_image;        ///< ci-image regen --image
  std::string regen_failure;      ///< of another job; a stranger's text
  std::string registry, username;
  std::string password_text;                     ///< turned into a Secret by app at once
  std::string github_token_text;                 ///< the same
  std::string push_token_text;                   ///< the same
  std::string push_app_id, push_app_key_text;    ///< the key is the same
  std::vector<std::string> insecure_registries;  ///< host[:port] that may speak plain HTTP; loopback always may
  std::map<std::string, std::vector<std::string>> registry_mirrors;  ///< by registry
  std::string registry_certificates = "/etc/docker/certs.d";         ///< folder; need not exist
  bool referrers = true;                                             ///< registry copy
  Timeout timeout{0};                                                ///< of the whole invocation; 0 = none
  ArtifactRequest artifact;
  bool operator==(const Invocation&) const = default;
};

struct Loaded {
  Configuration configuration;
  Invocation invocation;
  std::vector<InForce> in_force;  ///< every row of the table, in its order
  std::string file;               ///< name of the project file; empty = there is none
};

/// Merges file, inputs and options and types them. Structured settings may be given as YAML flow text, lists one per
/// line (a line that starts with `#` is a comment; commas separate too where a value cannot contain one) or as YAML
/// flow. An empty input means "not given". A setting and its seed name given with different values are refused.
/// Errors: bad_input with file:line:column or the option's name, and "did you mean" for unknown names.
Result<Loaded> load(const std::optional<File>& file, const std::vector<Given>& given);

/// For commands that work on the project: an image name and at least one axis must be configured, and nothing that this
/// version cannot do.
/// Errors: bad_input naming the file (or `crategate.yml`) and showing a minimal one; where the unsupported setting is.
Result<void> require_project(const Loaded& loaded);

}  // namespace crategate::config
