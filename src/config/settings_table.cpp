// The settings table: every name, type, default and sentence.
// Belongs here: data.  Not here: how values are read or merged.
#include <algorithm>

#include "base/strings.h"
#include "config/invocation_settings.h"
#include "config/settings.h"

namespace crategate::config {
namespace {

using enum SettingType;

std::vector<Setting> plan_settings() {
  return {
      {.name = "version.file",
       .type = text,
       .fallback = "VERSION",
       .description = "File that holds the project's version on its one line."},
      {.name = "version.git-tag",
       .type = boolean,
       .fallback = "false",
       .description = "Take the version from the git tag at HEAD instead of a file."},
      {.name = "version.command", .type = list, .description = "Command that prints the version, instead of a file."},
      {.name = "version.value", .type = text, .description = "The version itself, instead of a file."},
      {.name = "axes",
       .type = structure,
       .description = "The named lists of values whose combinations are the cells, with variables per value."},
      {.name = "exclude", .type = structure, .description = "Combinations of axis values that are left out."},
      {.name = "include", .type = structure, .description = "Combinations of axis values that are added."},
      {.name = "cell",
       .type = text,
       .fallback = "{runtime}-py{python}",
       .description = "Pattern over the axes that names a cell.",
       .option = "cell-pattern"},
      {.name = "image",
       .type = text,
       .description = "Pattern of the repository that each cell is published to, with or without a registry host."},
      {.name = "cache",
       .type = text,
       .description = "Pattern of the registry cache reference of each cell; without it there is no registry cache."},
      {.name = "tags",
       .type = list,
       .fallback = "[\"{version}\"]",
       .description = "Patterns of the version tags of each image; moving tags are under release.",
       .commas = true},
      {.name = "watch",
       .type = list,
       .fallback =
           "[\"src/**\", \"tests/**\", \"docker/**\", pyproject.toml, setup.cfg, setup.py, Makefile, Makefile.ci, "
           "VERSION, PYTHON_VERSIONS]",
       .description = "Path globs; a pull request that changes none of them builds nothing."},
      {.name = "dependencies",
       .type = list,
       .fallback = "[pyproject.toml, setup.cfg]",
       .description = "Path globs whose change in the last commit makes a release write the cache."},
  };
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Setting> cell_settings() {
  return {
      {.name = "check.image",
       .type = text,
       .description = "Image in which the static checks run; without one they run on the host."},
      {.name = "check.setup", .type = list, .description = "Command that prepares the static checks."},
      {.name = "check.run", .type = list, .description = "Command of the static checks."},
      {.name = "check.timeout", .type = duration, .fallback = "5m", .description = "Time limit of the static checks."},
      {.name = "generate.template",
       .type = text,
       .description = "Mustache template from which each cell's Dockerfile is rendered."},
      {.name = "generate.output",
       .type = text,
       .fallback = "docker/dockerfiles/Dockerfile.{cell}",
       .description = "Pattern of the path of each cell's Dockerfile.",
       .short_name = "file"},
      {.name = "generate.image",
       .type = text,
       .description = "Image in which generate.run runs; without one it runs on the host."},
      {.name = "generate.run",
       .type = list,
       .description = "The project's own command that writes all Dockerfiles, instead of a template."},
      {.name = "generate.timeout", .type = duration, .fallback = "5m", .description = "Time limit of generate.run."},
      {.name = "build.context",
       .type = text,
       .fallback = ".",
       .description = "Build context.",
       .short_name = "context"},
      {.name = "build.target",
       .type = text,
       .description = "Stage of the Dockerfile to build.",
       .short_name = "target"},
      {.name = "build.platforms",
       .type = list,
       .fallback = "[linux/amd64]",
       .description = "Platforms to build for.",
       .short_name = "platforms",
       .commas = true},
      {.name = "build.network",
       .type = text,
       .description = "Network mode of RUN instructions.",
       .short_name = "network"},
      {.name = "build.builder",
       .type = text,
       .description = "Name of the buildx builder to use.",
       .short_name = "builder"},
      {.name = "build.builder-image",
       .type = text,
       .description =
           "BuildKit image for a docker-container builder, made when the engine's own builder cannot do what "
           "the plan asks."},
      {.name = "build.build-args",
       .type = list,
       .description = "Build arguments, key=value.",
       .short_name = "build-args"},
      {.name = "build.build-contexts",
       .type = list,
       .description = "Additional build contexts, name=path.",
       .short_name = "build-contexts"},
      {.name = "build.secrets",
       .type = list,
       .description = "Build secrets as buildx takes them, id=….",
       .short_name = "secrets"},
      {.name = "build.labels", .type = list, .description = "Image labels, key=value.", .short_name = "labels"},
      {.name = "build.annotations",
       .type = list,
       .description = "Image annotations, key=value.",
       .short_name = "annotations"},
      {.name = "build.frontends",
       .type = list,
       .description = "Images, by digest, that may stand in `# syntax=` of a Dockerfile besides docker/dockerfile.",
       .commas = true},
      {.name = "build.cache-dir",
       .type = text,
       .description = "Directory in the workspace for a build cache of this machine, which Actions never uses."},
      {.name = "build.cache-ignore-error",
       .type = boolean,
       .fallback = "false",
       .description = "Whether a build goes on when its cache cannot be written."},
      {.name = "build.timeout", .type = duration, .fallback = "30m", .description = "Time limit of one cell's build."},
      {.name = "scan.with", .type = text, .fallback = "trivy", .description = "The scanner.", .choices = "trivy"},
      {.name = "scan.image",
       .type = text,
       .description = "Image of the scanner, by digest; without one the program on the PATH runs."},
      {.name = "scan.severity",
       .type = text,
       .fallback = "CRITICAL",
       .description = "Severity from which a finding fails the cell; none only reports.",
       .choices = "CRITICAL|HIGH|MEDIUM|LOW|UNKNOWN|none"},
      {.name = "scan.ignore-unfixed",
       .type = boolean,
       .fallback = "false",
       .description = "Whether findings without a fix are left out."},
      {.name = "scan.timeout", .type = duration, .fallback = "10m", .description = "Time limit of one cell's scan."},
      {.name = "cleanup.apt",
       .type = boolean,
       .fallback = "true",
       .description = "Whether apt's downloaded packages and package lists are removed."},
      {.name = "cleanup.paths", .type = list, .description = "Absolute paths of directories that are emptied, too."},
      {.name = "cleanup.image",
       .type = text,
       .description = "Image of crategate, by digest, whose container empties the directories of the runner; without "
                      "one the action's own."},
      {.name = "test.setup", .type = list, .description = "Command that prepares the tests in the cell's container."},
      {.name = "test.run",
       .type = list,
       .description = "Command of the tests, run in a container of the cell's image."},
      {.name = "test.source",
       .type = text,
       .fallback = "image",
       .description = "Whether the image is tested as shipped or with the sources mounted.",
       .choices = "image|mounted"},
      {.name = "test.mounts",
       .type = list,
       .description = "Mounts host:container[:ro], the host path relative to the workspace."},
      {.name = "test.env", .type = list, .description = "Environment of the tests, KEY=value."},
      {.name = "test.workdir", .type = text, .description = "Working directory; without it the image's own."},
      {.name = "test.user", .type = text, .description = "User; without it the image's own."},
      {.name = "test.network", .type = text, .description = "Docker network of the test container."},
      {.name = "test.log",
       .type = text,
       .fallback = "tests/logs/test-py{python}-{runtime}.log",
       .description = "Pattern of the path of each cell's test log."},
      {.name = "test.count",
       .type = text,
       .description = "Regular expression with one group that finds the number of tests run; without it the known "
                      "runners are recognised."},
      {.name = "test.timeout", .type = duration, .fallback = "20m", .description = "Time limit of one cell's tests."},
  };
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Setting> publish_settings() {
  return {
      {.name = "candidate",
       .type = text,
       .fallback = "{image}",
       .description = "Pattern of the repository where tested images are stored by digest."},
      {.name = "provenance",
       .type = boolean,
       .fallback = "false",
       .description = "Whether provenance is attached to what was published, as a referrer."},
      {.name = "gate.mode",
       .type = text,
       .fallback = "promote",
       .description = "Whether the tested image itself is published or a compared rebuild of it.",
       .choices = "promote|rebuild"},
      {.name = "gate.rebuild",
       .type = text,
       .fallback = "strict",
       .description = "What a rebuild must equal: the fingerprint (strict) or the files up to their times (content).",
       .choices = "strict|content"},
      {.name = "gate.ignore-labels",
       .type = list,
       .fallback = "[org.opencontainers.image.created]",
       .description = "Labels that are not part of the fingerprint.",
       .commas = true},
      {.name = "gate.hmac-secret-env",
       .type = text,
       .description = "Name of the environment variable with the key that signs records."},
      {.name = "release.latest",
       .type = text,
       .fallback = "every-release",
       .description = "Which releases move the moving tags.",
       .choices = "every-release|stable|never"},
      {.name = "release.version-tag",
       .type = text,
       .fallback = "create-only",
       .description = "Whether a version tag is created once, moved, or gets a date.",
       .choices = "create-only|move|dated"},
      {.name = "release.moving",
       .type = list,
       .fallback = "[latest]",
       .description = "Patterns of the tags that move to each release, such as v{major}.{minor}.",
       .commas = true},
      {.name = "release.extra",
       .type = list,
       .description = "Patterns of the tags that every publication moves, such as {branch} or {trigger}.",
       .commas = true},
      {.name = "release.allow-downgrade",
       .type = boolean,
       .fallback = "false",
       .description = "Whether a moving tag may go to a lower version."},
      {.name = "release.require-branch",
       .type = text,
       .description = "Branch that a release's commit should be on; without it nothing is checked."},
      {.name = "release.require-branch-refuses",
       .type = boolean,
       .fallback = "false",
       .description = "Whether a commit off that branch is refused instead of warned about."},
      {.name = "release.journal",
       .type = text,
       .fallback = "artifact",
       .description = "Where a release writes down what it does, where no lease keeps that; outside of a job a file.",
       .choices = "artifact|file"},
      {.name = "release.lease",
       .type = text,
       .fallback = "none",
       .description = "How two releases at once are kept apart; a git lease keeps the journal, too.",
       .choices = "none|git"},
      {.name = "release.lease-remote",
       .type = text,
       .fallback = "origin",
       .description = "Git remote of the lease: a remote's name, its address or a path."},
      {.name = "release.set",
       .type = text,
       .description = "Pattern of the reference of one index that lists every image of the release."},
      {.name = "policy",
       .type = structure,
       .description =
           "Per GitHub event: cells (all or none), fresh, cache-write, latest, in place of the policy table's "
           "values."},
      {.name = "ci-image.image", .type = text, .description = "Repository of the CI image."},
      {.name = "ci-image.dockerfile", .type = text, .description = "Dockerfile of the CI image."},
      {.name = "ci-image.watch",
       .type = list,
       .description = "Exact paths whose change asks for a CI image of its own."},
      {.name = "ci-image.default-tag",
       .type = text,
       .fallback = "latest",
       .description = "Tag for branches that ci-image.branches does not name."},
      {.name = "ci-image.workflow", .type = text, .description = "File name of the workflow that builds the CI image."},
      {.name = "ci-image.wait-interval",
       .type = duration,
       .fallback = "20s",
       .description = "Time between two looks at the build that is waited for."},
      {.name = "ci-image.wait-timeout",
       .type = duration,
       .fallback = "20m",
       .description = "How long the CI image's build is waited for."},
      {.name = "ci-image.branches", .type = structure, .description = "Branch to tag."},
      {.name = "ci-image.platforms", .type = list, .description = "Platforms of the CI image.", .commas = true},
      {.name = "ci-image.generate", .type = list, .description = "Command that regenerates files in the CI image."},
      {.name = "ci-image.commit",
       .type = text,
       .fallback = "full",
       .description = "How much of the commit a tag BRANCH-sha-COMMIT has: all of it, or 7 digits.",
       .choices = "full|short"},
      {.name = "ci-image.fork-image",
       .type = text,
       .fallback = "none",
       .description = "What becomes of a fork's own CI image, which cannot be pushed.",
       .choices = "none|artifact"},
      {.name = "regen.message",
       .type = text,
       .fallback = "chore: regenerate files",
       .description = "Message of the commit that /regen makes."},
      {.name = "regen.sign-off",
       .type = boolean,
       .fallback = "false",
       .description = "Whether that commit is signed off by github-actions[bot]."},
      {.name = "regen.remote",
       .type = text,
       .fallback = "origin",
       .description = "Git remote of the pull requests' repository: a remote's name, its address or a path."},
      {.name = "regen.allow",
       .type = list,
       .description = "Patterns of the files that /regen may commit; none is every file that is not protected."},
      {.name = "regen.bots", .type = list, .description = "Apps whose comments count, by login (NAME[bot])."},
      {.name = "regen.network",
       .type = boolean,
       .fallback = "false",
       .description = "Whether the command that makes the files has a network."},
      {.name = "regen.timeout", .type = duration, .fallback = "10m", .description = "Time limit of that command."},
      {.name = "regen.max-files",
       .type = number,
       .fallback = "1000",
       .description = "Most files that one commit of /regen changes."},
      {.name = "regen.max-mib",
       .type = number,
       .fallback = "32",
       .description = "Most MiB of new content in one commit of /regen; at most 256."},
      {.name = "regen.memory-mib", .type = number, .fallback = "4096", .description = "Memory of the command, in MiB."},
      {.name = "regen.cpus", .type = number, .fallback = "2", .description = "Processors that the command may use."},
      {.name = "regen.processes",
       .type = number,
       .fallback = "1024",
       .description = "Most processes and threads of the command at one time."},
      {.name = "artifact.retention-days",
       .type = number,
       .fallback = "0",
       .description = "Days that artifacts are kept; 0 is what the repository has set."},
      {.name = "artifact.compression-level",
       .type = number,
       .fallback = "6",
       .description = "How hard artifacts are compressed, from 0 (stored) to 9."},
      {.name = "shards",
       .type = number,
       .fallback = "0",
       .description = "Number of matrices that more than 256 cells are split into; 0 is not split."},
  };
}

std::vector<Setting> all_settings() {
  std::vector<Setting> all;
  for (auto part : {plan_settings(), cell_settings(), publish_settings(), invocation_settings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

const std::vector<Setting>& settings_table() {
  static const std::vector<Setting> table = all_settings();
  return table;
}

std::string option_name(const Setting& setting) {
  return setting.option.empty() ? replace_all(std::string(setting.name), ".", "-") : std::string(setting.option);
}

const Setting* find_setting(std::string_view option) {
  const std::string wanted = to_lower(option);
  const auto& table = settings_table();
  const auto matches = [&wanted](const Setting& setting) {
    return option_name(setting) == wanted || setting.short_name == wanted;
  };
  const auto at = std::find_if(table.begin(), table.end(), matches);
  return wanted.empty() || at == table.end() ? nullptr : &*at;
}

const std::vector<SeedName>& seed_names() {
  static const std::vector<SeedName> names = {
      {"MODE", "mode", "*"},
      {"REBUILD_BASE", "rebuild-base", "*"},
      {"REBUILD_FLAG", "fresh", "*"},
      {"CACHE_UPDATE", "cache-write", "*"},
      {"CACHE_IMAGE_PREFIX", "cache", "*:{cell}"},
      {"PYTHON_VERSION", "only", "python=*"},
      {"RUNTIME", "only", "runtime=*"},
      {"VERSION", "version-value", "*"},
      {"DEPS", "test-setup", R"([pip, install, ".[*]"])"},
  };
  return names;
}

const SeedName* find_seed_name(std::string_view name) {
  const auto plain = [](std::string_view text) { return replace_all(to_lower(text), "-", "_"); };
  const std::string wanted = plain(name);
  const auto& names = seed_names();
  const auto at =
      std::find_if(names.begin(), names.end(), [&](const SeedName& row) { return plain(row.name) == wanted; });
  return at == names.end() ? nullptr : &*at;
}

}  // namespace crategate::config
