// crategate.yml as types (spec: docs/configuration.md). Values only.
// Belongs here: what a configuration says.  Not here: where a value came from (settings) or what it leads to
// (pipeline).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oci/platform.h"

namespace crategate::config {

using Argv = std::vector<std::string>;
using Timeout = std::chrono::milliseconds;
using Variables = std::map<std::string, std::string>;

/// Where the project's version is read from; exactly one is set.
struct VersionSource {
  std::string file = "VERSION";
  bool git_tag = false;
  Argv command;
  std::string value;
  bool operator==(const VersionSource&) const = default;
};

/// A named list of values. Either `file` names a file with one value a line (read by `plan`), or `values` holds them.
struct Axis {
  std::string name;
  std::string file;
  std::vector<std::string> values;
  std::map<std::string, Variables> variables;  ///< value → variables for templates
  bool operator==(const Axis&) const = default;
};

/// Axis name → value; matches every cell that has these values.
using Combination = std::map<std::string, std::string>;

struct Check {
  std::string image;  ///< empty = on the host
  Argv setup, run;
  Timeout timeout = std::chrono::minutes(5);
  bool operator==(const Check&) const = default;
};

/// Exactly one of `template_file` and `run` is set; neither = the project keeps its Dockerfiles by hand at `output`.
struct Generate {
  std::string template_file;
  std::string output = "docker/dockerfiles/Dockerfile.{cell}";
  std::string image;  ///< for `run`; empty = on the host
  Argv run;
  Timeout timeout = std::chrono::minutes(5);
  bool operator==(const Generate&) const = default;
};

struct Build {
  std::string context = ".";
  std::string target, network, builder;
  std::string
      builder_image;  ///< BuildKit image for a docker-container builder, made when the engine's own cannot do it
  std::vector<oci::Platform> platforms = {oci::Platform{}};
  std::vector<std::string> build_args, build_contexts, secrets, labels,
      annotations;                     ///< `key=value` items as buildx takes them
  std::vector<std::string> frontends;  ///< `name@sha256:…`
  std::string cache_dir;
  bool cache_ignore_error = false;  ///< `ignore-error=true` on --cache-to
  Timeout timeout = std::chrono::minutes(30);
  bool operator==(const Build&) const = default;
};

struct Scan {
  std::string with = "trivy";
  std::string image;                  ///< of the scanner, by digest; empty = the program of this machine
  std::string severity = "CRITICAL";  ///< or `none`
  bool ignore_unfixed = false;
  Timeout timeout = std::chrono::minutes(10);
  bool operator==(const Scan&) const = default;
};

/// Directories whose content is removed to free disk space.
struct Cleanup {
  bool apt = true;  ///< apt's downloaded packages and package lists
  std::vector<std::string> paths;
  std::string image;  ///< an image of crategate, by digest, for a helper container; empty = the action's own
  bool operator==(const Cleanup&) const = default;
};

enum class TestSource : unsigned char { image, mounted };

struct Test {
  Argv setup, run;
  TestSource source = TestSource::image;
  std::vector<std::string> mounts;  ///< `host:container[:ro]`, host path relative to the workspace
  std::vector<std::string> env;     ///< `KEY=value`
  std::string workdir, user, network;
  std::string log = "tests/logs/test-py{python}-{runtime}.log";
  std::string count;  ///< regular expression with one group: number of tests run; empty = the known runners
  Timeout timeout = std::chrono::minutes(20);
  bool operator==(const Test&) const = default;
};

enum class GateMode : unsigned char { promote, rebuild };

struct Gate {
  GateMode mode = GateMode::promote;
  std::string rebuild = "strict";
  std::vector<std::string> ignore_labels = {"org.opencontainers.image.created"};
  std::string hmac_secret_env;
  bool operator==(const Gate&) const = default;
};

enum class LatestPolicy : unsigned char { every_release, stable, never };
enum class VersionTagPolicy : unsigned char { create_only, move, dated };

struct Release {
  LatestPolicy latest = LatestPolicy::every_release;
  VersionTagPolicy version_tag = VersionTagPolicy::create_only;
  std::vector<std::string> moving = {"latest"}, extra;
  bool allow_downgrade = false;
  std::string require_branch;           ///< empty = not checked
  bool require_branch_refuses = false;  ///< false = warning only
  std::string journal = "artifact", lease = "none", lease_remote = "origin", set;
  bool operator==(const Release&) const = default;
};

/// Whether a build takes nothing from a cache, and the newest base image. `automatic`: where that one moved.
enum class Fresh : unsigned char { no, yes, automatic };

/// Overrides of one row of the policy table; unset = the row's own value. Nothing here can make a pull request push or
/// cache.
struct EventPolicy {
  std::optional<bool> all_cells, cache_write, latest;
  std::optional<Fresh> fresh;
  bool operator==(const EventPolicy&) const = default;
};

struct CiImage {
  std::string image, dockerfile, default_tag = "latest", workflow;
  Timeout wait_interval = std::chrono::seconds(20), wait_timeout = std::chrono::minutes(20);
  std::vector<std::string> watch;
  std::map<std::string, std::string> branches;
  std::vector<oci::Platform> platforms;
  Argv generate;
  std::string fork_image = "none";  ///< or `artifact`
  std::string commit = "full";      ///< in `BRANCH-sha-COMMIT`; or `short`, 7 digits
  bool operator==(const CiImage&) const = default;
};

/// `/regen`: how the files of a pull request are made anew, and which of them may be committed (C-8).
struct Regen {
  std::string message = "chore: regenerate files";
  bool sign_off = false;
  std::string remote = "origin";   ///< git remote of the pull requests' repository
  std::vector<std::string> allow;  ///< globs; empty = every path that is not protected
  std::vector<std::string> bots;   ///< logins of apps that may ask
  bool network = false;
  Timeout timeout = std::chrono::minutes(10);
  int max_files = 1000, max_mib = 32;  ///< of what one commit changes
  int memory_mib = 4096, cpus = 2, processes = 1024;
  bool operator==(const Regen&) const = default;
};

/// What the stages hand to each other and to people.
struct Artifacts {
  int retention_days = 0;  ///< 0 = as the service does
  int compression_level = 6;
  bool operator==(const Artifacts&) const = default;
};

struct Configuration {
  VersionSource version;
  std::vector<Axis> axes;  ///< in the file's order
  std::vector<Combination> exclude, include;
  std::string cell = "{runtime}-py{python}";
  std::string image;
  std::string cache;  ///< empty = no registry cache
  std::vector<std::string> tags = {"{version}"};
  std::vector<std::string> watch = {"src/**",   "tests/**", "docker/**",   "pyproject.toml", "setup.cfg",
                                    "setup.py", "Makefile", "Makefile.ci", "VERSION",        "PYTHON_VERSIONS"};
  std::vector<std::string> dependencies = {"pyproject.toml", "setup.cfg"};
  std::optional<Check> check;
  Generate generate;
  Build build;
  std::optional<Scan> scan;
  Cleanup cleanup;
  std::optional<Test> test;
  std::string candidate = "{image}";
  bool provenance = false;
  Gate gate;
  Release release;
  std::map<std::string, EventPolicy> policy;  ///< GitHub event name → overrides
  std::optional<CiImage> ci_image;
  Regen regen;
  Artifacts artifact;
  int shards = 0;  ///< 0 = not sharded
  bool operator==(const Configuration&) const = default;
};

}  // namespace crategate::config
