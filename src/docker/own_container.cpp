#include "docker/own_container.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "docker/engine_api.h"

namespace crategate::docker {
namespace {

constexpr std::size_t kShortId = 12, kLongId = 64;
constexpr std::size_t kMountRoot = 3, kMountPoint = 4;  ///< fields of /proc/self/mountinfo, proc(5)

bool is_id(std::string_view text) {
  return text.size() >= kShortId && text.size() <= kLongId &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void add_new(std::vector<std::string>& texts, const std::string& text) {
  if (std::ranges::find(texts, text) == texts.end()) texts.push_back(text);
}

/// White space and backslashes are written `\040`.
std::string unescaped(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && std::all_of(&text[i + 1], &text[i + 1] + 3, octal);
    if (escape) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// Of the files that the engine makes for every container, `…/containers/ID/hostname` and its like.
void add_mount(Surroundings& seen, const std::string& line) {
  const auto fields = split(line, ' ');
  if (fields.size() <= kMountPoint) return;
  seen.mounts.push_back({unescaped(fields[kMountRoot]), unescaped(fields[kMountPoint])});
  if (!seen.mounts.back().point.starts_with("/etc/")) return;
  for (const std::string& part : split(fields[kMountRoot], '/')) {
    if (part.size() == kLongId && is_id(part)) add_new(seen.ids, part);
  }
}

struct Candidate {
  OwnContainer container;
  std::vector<std::string> environment;
};

Result<OwnMount> read_mount(const json::Reader& reader, const sys::Path& root) {
  OwnMount mount;
  CG_TRY(mount.type, reader.string("Type"));
  CG_TRY(mount.name, reader.string_or("Name", ""));
  CG_TRY(mount.source, reader.string_or("Source", ""));
  CG_TRY(const std::string destination, reader.string("Destination"));
  CG_TRY(mount.writable, reader.boolean("RW"));
  // As the kernel names it: /var/run may be a link to /run.
  std::error_code ignored;
  const sys::Path real = std::filesystem::weakly_canonical(root / sys::Path(destination).relative_path(), ignored);
  mount.destination = (sys::Path("/") / real.lexically_relative(root)).string();
  return mount;
}

/// nullopt = the engine has no such container.
Result<std::optional<Candidate>> inspect(EngineApi& api, const std::string& id, const sys::Path& root) {
  const Call call{.target = concat("/containers/", id, "/json")};
  CG_TRY(const net::Response response, api.send(call));
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) return fail(engine_failure("describe a container", call, response));
  CG_TRY(const json::Document document, parse_answer(call, response));
  Candidate found;
  CG_TRY(found.container.id, document.root().string("Id"));
  CG_TRY(found.container.image_id, document.root().string("Image"));
  CG_TRY(const json::Reader config, document.root().at("Config"));
  CG_TRY(found.environment, config.strings("Env"));
  CG_TRY(const auto mounts, document.root().find("Mounts"));
  if (!mounts) return found;
  CG_TRY(const auto items, mounts->items());
  for (const json::Reader& item : items) {
    CG_TRY(OwnMount mount, read_mount(item, root));
    found.container.mounts.push_back(std::move(mount));
  }
  return found;
}

enum class Likeness : unsigned char { none, points, sources };

/// A path of the machine ends like the one in its file system, unless it leads through a link or another mount. A volume has a
/// name of its own.
bool is_from(const OwnMount& mount, const std::string& root) {
  return mount.source.ends_with(root) || root.ends_with(mount.source) ||
         (mount.type == "volume" && root.ends_with(concat("/", mount.name, "/_data")));
}

/// Where the engine says that each mount is, and from where.
Likeness likeness(const Candidate& candidate, const Surroundings& seen) {
  Likeness least = Likeness::sources;
  for (const OwnMount& mount : candidate.container.mounts) {
    const auto at = std::ranges::find(seen.mounts, mount.destination, &SeenMount::point);
    if (at == seen.mounts.end()) return Likeness::none;
    if (!is_from(mount, at->root)) least = Likeness::points;
  }
  return least;
}

bool belongs_to_this_step(const Candidate& candidate, const Surroundings& seen) {
  return std::ranges::find(candidate.environment, concat("GITHUB_OUTPUT=", seen.output_file)) !=
         candidate.environment.end();
}

/// Those that run. A busy engine calls one "created" for a while after its process has begun: this one, maybe.
Result<std::vector<std::string>> running(EngineApi& api) {
  const Call call{
      .target = concat("/containers/json?all=true&filters=", net::url_encode(R"({"status":["created","running"]})"))};
  CG_TRY(const net::Response response, api.send(call));
  if (response.status != 200) return fail(engine_failure("list its containers", call, response));
  CG_TRY(const json::Document document, parse_answer(call, response));
  CG_TRY(const auto items, document.root().items());
  std::vector<std::string> ids;
  for (const json::Reader& item : items) {
    CG_TRY(std::string id, item.string("Id"));
    if (is_id(id)) ids.push_back(std::move(id));
  }
  return ids;
}

}  // namespace

Surroundings read_surroundings(const sys::Environment& environment, const sys::Path& root) {
  const sys::PosixFileSystem files;
  const auto text_of = [&files, &root](const char* file) {
    return files.read(root / file, sys::kTextLimit).value_or(std::nullopt).value_or("");
  };
  Surroundings seen;
  seen.root = root;
  for (const std::string& line : split(text_of("proc/self/mountinfo"), '\n')) add_mount(seen, line);
  seen.in_container =
      files.exists(root / ".dockerenv") || files.exists(root / "run/.containerenv") || !seen.ids.empty();
  const std::string host_name(trim(text_of("proc/sys/kernel/hostname")));
  if (is_id(host_name)) seen.ids.insert(seen.ids.begin(), host_name);
  seen.output_file = environment.get("GITHUB_OUTPUT").value_or("");
  return seen;
}

Result<std::optional<OwnContainer>> find_own_container(EngineApi& api, const Surroundings& seen) {
  if (!seen.in_container) return std::nullopt;
  const bool in_step = !seen.output_file.empty();
  std::vector<Candidate> alike;
  const auto look = [&](const std::vector<std::string>& ids, bool of_step) -> Result<bool> {
    for (const std::string& id : ids) {
      CG_TRY(auto candidate, inspect(api, id, seen.root));
      const Likeness found = candidate ? likeness(*candidate, seen) : Likeness::none;
      if (found == Likeness::none || (of_step && !belongs_to_this_step(*candidate, seen))) continue;
      const bool known = std::ranges::any_of(
          alike, [&](const Candidate& other) { return other.container.id == candidate->container.id; });
      if (!known) alike.push_back(std::move(*candidate));
      if (found != Likeness::sources) continue;
      alike = {alike.back()};
      return true;
    }
    return false;
  };
  CG_TRY(bool certain, look(seen.ids, in_step));
  if (!certain) {
    CG_TRY(const auto ids, running(api));
    CG_TRY(certain, look(ids, in_step));
  }
  if (!certain && alike.empty()) CG_CHECK(look(seen.ids, false));
  if (alike.size() > 1) {
    return fail(
        ErrorCode::engine,
        concat("expected one container with this process's mounts, found ", alike.size(), " in the Docker engine"),
        "give each container that shares a network or a host name mounts of its own");
  }
  if (!alike.empty()) return std::move(alike.front().container);
  log::debug("this process runs in a container that the Docker engine does not know");
  return std::nullopt;
}

}  // namespace crategate::docker
