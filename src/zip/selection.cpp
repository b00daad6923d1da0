// The walk: one visit per path that a pattern matches or leads through.
#include "zip/selection.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "base/strings.h"
#include "sys/cancel.h"
#include "sys/descriptor.h"
#include "zip/pattern.h"

namespace crategate::zip {
namespace {

constexpr std::size_t kMostPaths = 2'000'000, kMostLinkedFolders = 10'000;
constexpr std::string_view kRefusedCharacters = "\":<>|*?\r\n";

using Path = std::vector<std::string>;

std::string text_of(const Path& path) { return concat("/", join(path, "/")); }

Failure refuse(const std::string& path, std::string_view why, std::string_view hint) {
  return fail(ErrorCode::bad_input, concat(quoted(path, 200), " ", why), std::string(hint));
}

std::string_view kind(mode_t mode) {
  if (S_ISFIFO(mode)) return "is a named pipe";
  if (S_ISSOCK(mode)) return "is a socket";
  return "is a device";
}

bool is_below(const std::string& path, const std::string& root) {
  return root == "/" || path == root || (path.starts_with(root) && path[root.size()] == '/');
}

/// Those of which none is below another, in the order given.
std::vector<Path> search_paths(const std::vector<Pattern>& patterns) {
  std::set<Path> all;
  for (const Pattern& pattern : patterns) {
    if (!pattern.excludes()) all.insert(pattern.search_path());
  }
  std::vector<Path> kept;
  for (const Path& path : all) {  // sorted: an ancestor comes before what is below it
    const auto above = [&path](const Path& other) {
      return other.size() <= path.size() && std::equal(other.begin(), other.end(), path.begin());
    };
    if (std::none_of(kept.begin(), kept.end(), above)) kept.push_back(path);
  }
  return kept;
}

Path in_common(const std::vector<Path>& paths) {
  Path common = paths.front();
  for (const Path& path : paths) {
    const auto differ = std::mismatch(common.begin(), common.end(), path.begin(), path.end());
    common.erase(differ.first, common.end());
  }
  return common;
}

class Walk {
 public:
  Walk(const std::vector<Pattern>& patterns, const SelectOptions& options, std::size_t base)
      : patterns_(patterns), options_(options), base_(base) {}

  Result<Selection> run() {
    const std::vector<Path> begin = search_paths(patterns_);
    if (begin.empty()) return Selection{};
    const Path root = in_common(begin);
    root_ = text_of(root);
    real_root_ = real(root_).value_or(root_);
    for (const Path& path : begin) {
      path_ = path;
      CG_CHECK(visit(true));
    }
    return finish(begin.size() == 1 && files_.size() == 1 && files_.front() == root ? Path(root.begin(), root.end() - 1)
                                                                                    : root);
  }

 private:
  static std::optional<std::string> real(const std::string& path) {
    const std::unique_ptr<char, decltype(&::free)> found(::realpath(path.c_str(), nullptr), &::free);
    return found ? std::optional<std::string>(found.get()) : std::nullopt;
  }

  /// Whether the path at hand is wanted, and whether something below it may be.
  Pattern::Match judge() const {
    Pattern::Match match;
    for (const Pattern& pattern : patterns_) {
      const auto found = pattern.match(path_);
      if (found.whole) {
        match = {!pattern.excludes(), !pattern.excludes()};  // with all that is below it, but for later patterns
      } else if (!pattern.excludes()) {
        match.on_the_way = match.on_the_way || found.on_the_way;
      }
    }
    return match;
  }

  Result<void> visit(bool named) {
    const Pattern::Match match = judge();
    if (!match.whole && !match.on_the_way) return {};
    // The directory that the caller names is never hidden.
    if (path_.size() > base_ && path_.back().starts_with('.') && !options_.hidden) return {};
    if (++visits_ > kMostPaths || linked_folders_ > kMostLinkedFolders)
      return refuse(root_,
                    concat("has more than ", kMostPaths, " paths or ", kMostLinkedFolders,
                           " links to folders: links can multiply them"),
                    "name fewer folders, or leave some out");
    const std::string path = text_of(path_);
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) {
      if (named && (errno == ENOENT || errno == ENOTDIR)) return {};
      return fail(sys::system_error(concat("cannot read ", quoted(path, 200)), errno));
    }
    const bool link = S_ISLNK(status.st_mode);
    if (link && ::stat(path.c_str(), &status) != 0) return match.whole ? dangling(path, errno) : Result<void>();
    const bool follows = match.whole || S_ISDIR(status.st_mode);
    if (link && !named && follows && !options_.links_out) CG_CHECK(check_link(path));
    if (link && S_ISDIR(status.st_mode)) ++linked_folders_;
    if (S_ISDIR(status.st_mode)) return visit_directory(path, link || named);
    if (!match.whole) return {};
    if (!S_ISREG(status.st_mode)) return refuse(path, kind(status.st_mode), "leave it out with a line !PATH");
    files_.push_back(path_);
    members_.push_back({.source = path,
                        .size = static_cast<std::uint64_t>(status.st_size),
                        .mode = static_cast<unsigned>(status.st_mode & 0777)});
    return {};
  }

  static Result<void> dangling(const std::string& path, int number) {
    if (number != ENOENT) return fail(sys::system_error(concat("cannot follow the link ", quoted(path, 200)), number));
    return refuse(path, "is a symbolic link to something that is not there",
                  "remove it, or leave it out with a line !PATH");
  }

  Result<void> check_link(const std::string& path) const {
    const auto target = real(path);
    if (target && is_below(*target, real_root_)) return {};
    return refuse(path,
                  concat("is a symbolic link out of ", quoted(root_, 200), ", to ", quoted(target.value_or("?"), 200)),
                  "leave it out with a line !PATH, or copy what it leads to");
  }

  Result<void> visit_directory(const std::string& path, bool may_be_cycle) {
    CG_CHECK(sys::check_cancelled());
    std::string place;
    if (may_be_cycle) place = real(path).value_or(path);
    const auto within = [&place](const std::string& open) { return open == place; };
    if (may_be_cycle && std::any_of(open_.begin(), open_.end(), within)) return {};
    CG_TRY(const std::vector<std::string> names, list(path));
    // Only links can lead back: of what lies between, the real path is this one's and the names.
    open_.push_back(may_be_cycle ? place : concat(open_.empty() ? std::string() : open_.back(), "/", path_.back()));
    for (const std::string& name : names) {
      path_.push_back(name);
      auto visited = visit(false);
      path_.pop_back();
      CG_CHECK(visited);
    }
    open_.pop_back();
    return {};
  }

  static Result<std::vector<std::string>> list(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) return fail(sys::system_error(concat("cannot list ", quoted(path, 200)), errno));
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return fail(sys::system_error(concat("cannot list ", quoted(path, 200)), errno));
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<Selection> finish(const Path& root) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const Path name(files_[i].begin() + static_cast<std::ptrdiff_t>(root.size()), files_[i].end());
      members_[i].name = join(name, "/");
      if (members_[i].name.find_first_of(kRefusedCharacters) != std::string::npos)
        return refuse(members_[i].name, "has one of \" : < > | * ? or a line break in its name",
                      "rename it: not every system could download it");
    }
    std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) { return a.name < b.name; });
    return Selection{text_of(root), std::move(members_)};
  }

  const std::vector<Pattern>& patterns_;
  const SelectOptions& options_;
  const std::size_t base_;  ///< components of the directory where patterns begin
  std::size_t visits_ = 0, linked_folders_ = 0;
  std::string root_, real_root_;
  Path path_;                      ///< at hand
  std::vector<std::string> open_;  ///< real paths of the folders around it
  std::vector<Path> files_;        ///< beside members_
  std::vector<Member> members_;
};

}  // namespace

Result<Selection> select(const sys::Path& directory, const std::vector<std::string>& patterns,
                         const SelectOptions& options) {
  const sys::Path base = std::filesystem::absolute(directory).lexically_normal();
  std::vector<Pattern> parsed;
  for (const std::string& line : patterns) {
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with('#')) continue;
    CG_TRY(Pattern pattern, Pattern::parse(text, base));
    parsed.push_back(std::move(pattern));
  }
  return Walk(parsed, options, components_of(base.string()).size()).run();
}

}  // namespace crategate::zip
