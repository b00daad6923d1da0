// The sections of crategate.yml and the settings of one invocation.
// Belongs here: the keys, in the file's order.  Not here: axes (decode_axes), policy (decode_policy) and the CI image
// (decode_ci_image).
#include "config/decode.h"

#include <algorithm>
#include <map>

#include "base/file_name.h"
#include "base/strings.h"
#include "config/section.h"
#include "oci/digest.h"
#include "oci/reference.h"

namespace crategate::config {
namespace {

constexpr std::string_view kOwnLabels = "io.crategate.";
constexpr int kMaxShards = 1000;
constexpr int kMaxRetentionDays = 400, kMaxCompressionLevel = 9;
constexpr int kMaxJobs = 1024;
constexpr int kMostOfACount = 1'000'000;

Result<VersionSource> decode_version(const Node& node, std::string_view path) {
  VersionSource source;
  Section section(node, std::string(path));
  section.read_with("file", source.file, read_path);
  section.read("git-tag", source.git_tag);
  section.read_with("command", source.command, read_argv);
  section.read("value", source.value);
  CG_CHECK(section.finish());
  const bool file = section.find("file") != nullptr;
  const int others = static_cast<int>(source.git_tag) + static_cast<int>(!source.command.empty()) +
                     static_cast<int>(!source.value.empty());
  if (static_cast<int>(file) + others > 1)
    return fail(
        error_at(node, path, "expected one of file, git-tag, command and value, found more", "keep one of them"));
  if (!file && others > 0) source.file.clear();
  return source;
}

Result<Check> decode_check(const Node& node, std::string_view path) {
  Check check;
  Section section(node, std::string(path));
  section.read("image", check.image);
  section.read_with("setup", check.setup, read_argv);
  section.read_with("run", check.run, read_argv);
  section.read("timeout", check.timeout);
  CG_CHECK(section.finish());
  return check;
}

Result<Generate> decode_generate(const Node& node, std::string_view path) {
  Generate generate;
  Section section(node, std::string(path));
  section.read_with("template", generate.template_file, read_path);
  section.read_with("output", generate.output, read_path);
  section.read("image", generate.image);
  section.read_with("run", generate.run, read_argv);
  section.read("timeout", generate.timeout);
  CG_CHECK(section.finish());
  if (!generate.template_file.empty() && !generate.run.empty())
    return fail(error_at(node, path, "expected template or run, found both", "keep one of the two"));
  return generate;
}

/// Labels below io.crategate. are what the tag rules trust; crategate writes them itself.
Result<std::vector<std::string>> read_labels(const Node& node, std::string_view path) {
  CG_TRY(auto labels, read_pairs(node, path));
  for (const std::string& label : labels) {
    if (!label.starts_with(kOwnLabels)) continue;
    return fail(error_at(node, path, concat("expected labels of the project, found ", quoted(label)),
                         concat("choose a name that does not begin with ", kOwnLabels)));
  }
  return labels;
}

Result<std::vector<std::string>> read_frontends(const Node& node, std::string_view path) {
  CG_TRY(auto frontends, read_list(node, path));
  for (const std::string& frontend : frontends) {
    const std::size_t at = frontend.find('@');
    if (at != std::string::npos && at > 0 && oci::Digest::parse(frontend.substr(at + 1))) continue;
    return fail(error_at(node, path, concat("expected images by digest, found ", quoted(frontend)),
                         "write name@sha256:…; docker/dockerfile need not be listed"));
  }
  return frontends;
}

/// `registry=host[:port]`, several for one registry in the order in which they are asked.
Result<std::map<std::string, std::vector<std::string>>> read_mirrors(const Node& node, std::string_view path) {
  CG_TRY(const auto pairs, read_pairs(node, path));
  std::map<std::string, std::vector<std::string>> mirrors;
  for (const std::string& pair : pairs) {
    const auto equals = pair.find('=');
    const auto named = [&pair](std::size_t begin, std::size_t count) {
      const auto repository = oci::parse_repository(concat(pair.substr(begin, count), "/any/image"));
      return repository ? repository->registry : std::string();
    };
    const std::string registry = named(0, equals);
    const std::string mirror = named(equals + 1, std::string::npos);
    if (registry.empty() || mirror.empty() || pair.find('/') != std::string::npos) {
      return fail(error_at(node, path, concat("expected registry=host[:port], found ", quoted(pair)),
                           "write docker.io=mirror.example.com"));
    }
    mirrors[registry].push_back(mirror);
  }
  return mirrors;
}

Result<Build> decode_build(const Node& node, std::string_view path) {
  Build build;
  Section section(node, std::string(path));
  section.read("context", build.context);
  section.read("target", build.target);
  section.read("platforms", build.platforms);
  section.read("network", build.network);
  section.read("builder", build.builder);
  section.read("builder-image", build.builder_image);
  section.read("build-args", build.build_args);
  section.read_with("build-contexts", build.build_contexts, read_pairs);
  section.read_with("secrets", build.secrets, read_pairs);
  section.read_with("labels", build.labels, read_labels);
  section.read_with("annotations", build.annotations, read_pairs);
  section.read_with("frontends", build.frontends, read_frontends);
  section.read_with("cache-dir", build.cache_dir, read_path);
  section.read("cache-ignore-error", build.cache_ignore_error);
  section.read("timeout", build.timeout);
  CG_CHECK(section.finish());
  return build;
}

/// A tag can be moved to another program; a digest cannot (A89).
Result<std::string> read_pinned_image(const Node& node, std::string_view path) {
  CG_TRY(auto image, read_text(node, path));
  if (image.empty()) return image;
  const auto reference = oci::parse_reference(image);
  if (reference && reference->digest) return image;
  return fail(error_at(node, path, concat("expected an image by digest, name@sha256:…, found ", quoted(image)),
                       "a tag can be moved to another program: look its digest up, for example with `docker buildx "
                       "imagetools inspect NAME:TAG`"));
}

Result<Scan> decode_scan(const Node& node, std::string_view path) {
  Scan scan;
  Section section(node, std::string(path));
  section.read_word("with", scan.with, {"trivy"});
  section.read_with("image", scan.image, read_pinned_image);
  section.read_word("severity", scan.severity, {"CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN", "none"});
  section.read("ignore-unfixed", scan.ignore_unfixed);
  section.read("timeout", scan.timeout);
  CG_CHECK(section.finish());
  return scan;
}

/// Absolute and in one spelling only; which of them may be emptied is decided where they are (pipeline/cleanup).
Result<std::vector<std::string>> read_directories(const Node& node, std::string_view path) {
  CG_TRY(auto directories, read_list(node, path));
  for (std::size_t i = 0; i < directories.size(); ++i) {
    const std::string& directory = directories[i];
    const bool plain = directory.starts_with('/') && has_one_spelling(std::string_view(directory).substr(1));
    if (plain && directory.find(':') == std::string::npos) continue;
    return fail(error_at(node.items[i], concat(path, "[", i, "]"),
                         concat("expected an absolute path, found ", quoted(directory)),
                         "write it from the root, without `.`, `..`, `:` and doubled or trailing slashes"));
  }
  return directories;
}

Result<Cleanup> decode_cleanup(const Node& node, std::string_view path) {
  Cleanup cleanup;
  Section section(node, std::string(path));
  section.read("apt", cleanup.apt);
  section.read_with("paths", cleanup.paths, read_directories);
  section.read_with("image", cleanup.image, read_pinned_image);
  CG_CHECK(section.finish());
  return cleanup;
}

/// `host:container[:ro|rw]`, the host path inside the workspace.
bool is_mount(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3 || parts[0].empty()) return false;
  const auto host = split(parts[0], '/');
  const bool inside = !parts[0].starts_with('/') && std::find(host.begin(), host.end(), "..") == host.end();
  return inside && parts[1].starts_with('/') && (parts.size() == 2 || parts[2] == "ro" || parts[2] == "rw");
}

Result<std::vector<std::string>> read_mounts(const Node& node, std::string_view path) {
  CG_TRY(auto mounts, read_list(node, path));
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (is_mount(mounts[i])) continue;
    return fail(error_at(
        node.items[i], concat(path, "[", i, "]"), concat("expected host:container[:ro], found ", quoted(mounts[i])),
        "write a path inside the workspace, ':' and an absolute path, for example tests:/work/tests:ro"));
  }
  return mounts;
}

Result<Test> decode_test(const Node& node, std::string_view path) {
  static constexpr std::array<Choice<TestSource>, 2> kSources = {Choice<TestSource>{"image", TestSource::image},
                                                                 {"mounted", TestSource::mounted}};
  Test test;
  Section section(node, std::string(path));
  section.read_with("setup", test.setup, read_argv);
  section.read_with("run", test.run, read_argv);
  section.read("source", test.source, kSources);
  section.read_with("mounts", test.mounts, read_mounts);
  section.read_with("env", test.env, read_pairs);
  section.read("workdir", test.workdir);
  section.read("user", test.user);
  section.read("network", test.network);
  section.read_with("log", test.log, read_path);
  section.read("count", test.count);
  section.read("timeout", test.timeout);
  CG_CHECK(section.finish());
  return test;
}

Result<Gate> decode_gate(const Node& node, std::string_view path) {
  static constexpr std::array<Choice<GateMode>, 2> kModes = {Choice<GateMode>{"promote", GateMode::promote},
                                                             {"rebuild", GateMode::rebuild}};
  Gate gate;
  Section section(node, std::string(path));
  section.read("mode", gate.mode, kModes);
  section.read_word("rebuild", gate.rebuild, {"strict", "content"});
  section.read("ignore-labels", gate.ignore_labels);
  section.read("hmac-secret-env", gate.hmac_secret_env);
  CG_CHECK(section.finish());
  return gate;
}

Result<Release> decode_release(const Node& node, std::string_view path) {
  static constexpr std::array<Choice<LatestPolicy>, 3> kLatest = {
      Choice<LatestPolicy>{"every-release", LatestPolicy::every_release},
      {"stable", LatestPolicy::stable},
      {"never", LatestPolicy::never}};
  static constexpr std::array<Choice<VersionTagPolicy>, 3> kVersionTag = {
      Choice<VersionTagPolicy>{"create-only", VersionTagPolicy::create_only},
      {"move", VersionTagPolicy::move},
      {"dated", VersionTagPolicy::dated}};
  Release release;
  Section section(node, std::string(path));
  section.read("latest", release.latest, kLatest);
  section.read("version-tag", release.version_tag, kVersionTag);
  section.read("moving", release.moving);
  section.read("extra", release.extra);
  section.read("allow-downgrade", release.allow_downgrade);
  section.read("require-branch", release.require_branch);
  section.read("require-branch-refuses", release.require_branch_refuses);
  section.read_word("journal", release.journal, {"artifact", "file"});
  section.read_word("lease", release.lease, {"none", "git"});
  section.read("lease-remote", release.lease_remote);
  section.read("set", release.set);
  CG_CHECK(section.finish());
  return release;
}

Result<std::string> read_filled_text(const Node& node, std::string_view path) {
  CG_TRY(auto text, read_text(node, path));
  if (trim(text).empty())
    return fail(error_at(node, path, "expected text, found an empty text", "remove the line or fill it"));
  return text;
}

Result<int> read_count_up_to(int most, const Node& node, std::string_view path) {
  CG_TRY(const int count, read_number(node, path, most));
  if (count > 0) return count;
  return fail(error_at(node, path, "expected at least 1, found 0", "Remove the line for the default."));
}

Result<int> read_count(const Node& node, std::string_view path) { return read_count_up_to(kMostOfACount, node, path); }

/// New content and what it replaces, twice as much, is what a patch may unpack to (git::PatchLimits).
Result<int> read_patch_mib(const Node& node, std::string_view path) {
  constexpr int kMost = 256;
  return read_count_up_to(kMost, node, path);
}

/// Paths of git have no slash at either end, and neither `.` nor `..` in between.
Result<std::vector<std::string>> read_tree_globs(const Node& node, std::string_view path) {
  CG_TRY(auto globs, read_list(node, path));
  for (std::size_t i = 0; i < globs.size(); ++i) {
    if (has_one_spelling(globs[i])) continue;
    return fail(error_at(node.items[i], concat(path, "[", i, "]"),
                         concat("expected a pattern from the top of the repository, found ", quoted(globs[i])),
                         "write for example generated/** or docs/*.md, without a leading or final slash, . and .."));
  }
  return globs;
}

Result<std::vector<std::string>> read_apps(const Node& node, std::string_view path) {
  constexpr std::string_view kSuffix = "[bot]";
  CG_TRY(auto logins, read_list(node, path));
  for (std::size_t i = 0; i < logins.size(); ++i) {
    if (logins[i].ends_with(kSuffix) && logins[i].size() > kSuffix.size()) continue;
    return fail(error_at(
        node.items[i], concat(path, "[", i, "]"), concat("expected the login of an app, found ", quoted(logins[i])),
        concat("write it as GitHub shows it: \"", logins[i].empty() ? "renovate" : logins[i], kSuffix, "\"")));
  }
  return logins;
}

Result<Regen> decode_regen(const Node& node, std::string_view path) {
  Regen regen;
  Section section(node, std::string(path));
  section.read_with("message", regen.message, read_filled_text);
  section.read("sign-off", regen.sign_off);
  section.read("remote", regen.remote);
  section.read_with("allow", regen.allow, read_tree_globs);
  section.read_with("bots", regen.bots, read_apps);
  section.read("network", regen.network);
  section.read("timeout", regen.timeout);
  section.read_with("max-files", regen.max_files, read_count);
  section.read_with("max-mib", regen.max_mib, read_patch_mib);
  section.read_with("memory-mib", regen.memory_mib, read_count);
  section.read_with("cpus", regen.cpus, read_count);
  section.read_with("processes", regen.processes, read_count);
  CG_CHECK(section.finish());
  return regen;
}

Result<Artifacts> decode_artifacts(const Node& node, std::string_view path) {
  Artifacts artifacts;
  Section section(node, std::string(path));
  const auto up_to = [](int maximum) {
    return [maximum](const Node& value, std::string_view where) { return read_number(value, where, maximum); };
  };
  section.read_with("retention-days", artifacts.retention_days, up_to(kMaxRetentionDays));
  section.read_with("compression-level", artifacts.compression_level, up_to(kMaxCompressionLevel));
  CG_CHECK(section.finish());
  return artifacts;
}

}  // namespace

Result<Configuration> decode_configuration(const Node& root) {
  Configuration out;
  Section file(root, "");
  file.read_section("version", out.version, decode_version);
  file.read_with("axes", out.axes, decode_axes);
  file.read_with("exclude", out.exclude, decode_combinations);
  file.read_with("include", out.include, decode_combinations);
  file.read_with("cell", out.cell, read_filled_text);
  file.read_with("image", out.image, read_filled_text);
  file.read("cache", out.cache);
  file.read("tags", out.tags);
  file.read("watch", out.watch);
  file.read("dependencies", out.dependencies);
  file.read_section("check", out.check, decode_check);
  file.read_section("generate", out.generate, decode_generate);
  file.read_section("build", out.build, decode_build);
  file.read_section("scan", out.scan, decode_scan);
  file.read_section("cleanup", out.cleanup, decode_cleanup);
  file.read_section("test", out.test, decode_test);
  file.read_with("candidate", out.candidate, read_filled_text);
  file.read("provenance", out.provenance);
  file.read_section("gate", out.gate, decode_gate);
  file.read_section("release", out.release, decode_release);
  file.read_section("policy", out.policy, decode_policy);
  file.read_section("ci-image", out.ci_image, decode_ci_image);
  file.read_section("regen", out.regen, decode_regen);
  file.read_section("artifact", out.artifact, decode_artifacts);
  file.read_with("shards", out.shards,
                 [](const Node& node, std::string_view path) { return read_number(node, path, kMaxShards); });
  CG_CHECK(file.finish());
  return out;
}

namespace {

void decode_artifact_request(Section& given, ArtifactRequest& out) {
  given.read("artifact-name", out.name);
  given.read("artifact-path", out.paths);
  given.read("artifact-pattern", out.pattern);
  given.read("artifact-overwrite", out.overwrite);
  given.read("artifact-include-hidden-files", out.include_hidden_files);
  given.read_word("artifact-if-no-files-found", out.if_no_files_found, {"error", "warn", "ignore"});
  given.read("artifact-merge-multiple", out.merge_multiple);
  given.read("artifact-repository", out.repository);
  given.read("artifact-run-id", out.run_id);
}

}  // namespace

Result<Invocation> decode_invocation(const Node& root) {
  Invocation out;
  Section given(root, "");
  given.read("event", out.event);
  given.read("ref", out.ref);
  given.read_word("ref-type", out.ref_type, {"branch", "tag"});
  given.read("payload", out.payload);
  given.read("sha", out.sha);
  given.read("base-ref", out.base_ref);
  given.read_with("rebuild-base", out.rebuild_base, read_boolean);
  given.read_with("fresh", out.fresh, read_fresh);
  given.read_with("cache-write", out.cache_write, read_boolean);
  given.read("publish", out.publish);
  given.read("dry-run", out.dry_run);
  given.read("to", out.to);
  given.read("cell", out.cell);
  given.read_with("only", out.only, read_pairs);
  given.read_with("artifact-digests", out.artifact_digests, read_pairs);
  given.read_with("jobs", out.jobs,
                  [](const Node& node, std::string_view path) { return read_number(node, path, kMaxJobs); });
  given.read("plan", out.plan);
  given.read("state", out.state);
  given.read_word("mode", out.mode, {"test", "push"});
  given.read("digest-image", out.image);
  given.read_with("pull-request", out.pull_request, read_count);
  given.read("regen-image", out.regen_image);
  given.read("regen-failure", out.regen_failure);
  given.read("registry", out.registry);
  given.read("username", out.username);
  given.read("password", out.password_text);
  given.read("insecure-registries", out.insecure_registries);
  given.read_with("registry-mirrors", out.registry_mirrors, read_mirrors);
  given.read("registry-certificates", out.registry_certificates);
  given.read("registry-referrers", out.referrers);
  given.read("timeout", out.timeout);
  given.read("github-token", out.github_token_text);
  given.read("push-token", out.push_token_text);
  given.read("push-app-id", out.push_app_id);
  given.read("push-app-key", out.push_app_key_text);
  decode_artifact_request(given, out.artifact);
  CG_CHECK(given.finish());
  return out;
}

}  // namespace crategate::config
