// The section `ci-image`.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "config/decode.h"
#include "config/section.h"

namespace crategate::config {
namespace {

/// What no branch's name has (git-check-ref-format), and every pattern.
constexpr std::string_view kNoBranch = "*?[ ~^:\\";
constexpr std::string_view kBranchRef = "refs/heads/";

/// By the names of the image specification, which are Go's.
constexpr std::array<std::string_view, 22> kBuilt = {
    "linux/386",    "linux/amd64",   "linux/arm",      "linux/arm64", "linux/loong64", "linux/mips",
    "linux/mipsle", "linux/mips64",  "linux/mips64le", "linux/ppc64", "linux/ppc64le", "linux/riscv64",
    "linux/s390x",  "windows/386",   "windows/amd64",  "windows/arm", "windows/arm64", "darwin/amd64",
    "darwin/arm64", "freebsd/amd64", "freebsd/arm64",  "wasip1/wasm"};

Result<std::map<std::string, std::string>> read_branches(const Node& node, std::string_view path) {
  if (node.kind != Node::Kind::mapping)
    return fail(error_at(node, path, concat("expected a mapping, found ", describe_found(node)),
                         "write {branch: tag}, for example {main: latest}"));
  std::map<std::string, std::string> out;
  for (const Node& item : node.items) {
    if (item.key.empty() || item.key.find_first_of(kNoBranch) != std::string::npos) {
      return fail(error_at_key(item, path, concat("expected names of branches, found ", quoted(item.key)),
                               "patterns match nothing: name each branch"));
    }
    if (item.key.starts_with(kBranchRef)) {
      return fail(error_at_key(item, path, concat("expected names of branches, found the ref ", quoted(item.key)),
                               concat("write ", item.key.substr(kBranchRef.size()))));
    }
    CG_TRY(auto tag, read_text(item, concat(path, ".", item.key)));
    const auto other = std::ranges::find(out, tag, &std::pair<const std::string, std::string>::second);
    if (other != out.end()) {
      return fail(error_at(
          item, concat(path, ".", item.key),
          concat("expected a tag of its own, found ", quoted(tag), ", which is that of ", quoted(other->first)),
          "whichever branch was built last would have the tag"));
    }
    out[item.key] = std::move(tag);
  }
  return out;
}

/// A pull request that changes it would run in the old image.
Result<> require_watched_dockerfile(Section& section, const CiImage& image) {
  const bool watched = std::ranges::find(image.watch, image.dockerfile) != image.watch.end();
  const Node* const dockerfile = section.find("dockerfile");
  if (dockerfile == nullptr || image.dockerfile.empty() || image.watch.empty() || watched) return {};
  return fail(error_at(*dockerfile, "ci-image.dockerfile",
                       concat("expected one of the files of ci-image.watch, found ", quoted(image.dockerfile)),
                       "add it to ci-image.watch: what is not watched changes no image"));
}

/// What machines call themselves.
constexpr std::pair<std::string_view, std::string_view> kMachines[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}};

/// What to write in place of a platform that is not among them.
std::string suggest_platform(const oci::Platform& platform, const std::vector<std::string>& known) {
  const std::string system = concat(platform.os, "/");
  std::vector<std::string> architectures;
  for (const auto& pair : known)
    if (pair.starts_with(system)) architectures.push_back(pair.substr(system.size()));
  auto near = nearest(platform.architecture, architectures);
  for (const auto& [machine, name] : kMachines)
    if (platform.architecture == machine) near = name;
  if (architectures.empty()) near = nearest(concat(system, platform.architecture), known);
  if (!near) return concat("known are ", join(known, ", "));
  return concat("did you mean ", architectures.empty() ? *near : concat(system, *near), "?");
}

/// A misspelt architecture would be built, and run nowhere.
Result<std::vector<oci::Platform>> read_built_platforms(const Node& node, std::string_view path) {
  static const std::vector<std::string> known(kBuilt.begin(), kBuilt.end());
  CG_TRY(auto platforms, read_platforms(node, path));
  for (std::size_t i = 0; i < platforms.size(); ++i) {
    const std::string pair = concat(platforms[i].os, "/", platforms[i].architecture);
    if (std::ranges::find(known, pair) != known.end()) continue;
    return fail(error_at(node.items[i], concat(path, "[", i, "]"),
                         concat("expected a platform that images are built for, found ", quoted(pair)),
                         suggest_platform(platforms[i], known)));
  }
  return platforms;
}

/// GitHub is not asked more often than once a second.
Result<Timeout> read_interval(const Node& node, std::string_view path) {
  CG_TRY(const auto interval, read_duration(node, path));
  if (interval >= std::chrono::seconds(1)) return interval;
  return fail(error_at(node, path, concat("expected at least 1s, found ", quoted(node.text)), "Write 20s."));
}

/// The default interval is none that anybody chose: it gives way.
Result<> require_time_to_ask(Section& section, const CiImage& image) {
  const Node* const interval = section.find("wait-interval");
  if (interval == nullptr || image.wait_interval <= image.wait_timeout) return {};
  return fail(error_at(*interval, section.path_of("wait-interval"),
                       concat("expected at most wait-timeout, ", format_duration(image.wait_timeout.count()),
                              ", found ", quoted(interval->text)),
                       "Write 20s, or give wait-timeout more."));
}

}  // namespace

Result<CiImage> decode_ci_image(const Node& node, std::string_view path) {
  CiImage image;
  Section section(node, std::string(path));
  section.read("image", image.image);
  section.read_with("dockerfile", image.dockerfile, read_path);
  section.read("watch", image.watch);
  section.read("default-tag", image.default_tag);
  section.read("workflow", image.workflow);
  section.read_with("wait-interval", image.wait_interval, read_interval);
  section.read("wait-timeout", image.wait_timeout);
  section.read_with("branches", image.branches, read_branches);
  section.read_with("platforms", image.platforms, read_built_platforms);
  section.read_with("generate", image.generate, read_argv);
  section.read_word("commit", image.commit, {"full", "short"});
  section.read_word("fork-image", image.fork_image, {"none", "artifact"});
  CG_CHECK(section.finish());
  CG_CHECK(require_time_to_ask(section, image));
  CG_CHECK(require_watched_dockerfile(section, image));
  return image;
}

}  // namespace crategate::config
