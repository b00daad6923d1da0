// Staging directories and renames: a directory that is not empty is never renamed over.
#include "actions/folder_artifact_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/sha256.h"
#include "base/strings.h"
#include "json/value.h"
#include "sys/beneath.h"
#include "sys/environment.h"

namespace crategate::actions {
namespace {

constexpr std::size_t kPiece = 256u << 10;
constexpr std::size_t kRandomDigits = 16;
constexpr std::string_view kContent = "content";
constexpr std::string_view kEntry = "entry.json";

std::string entry_name(const std::string& name) {
  const std::string escaped = replace_all(name, "%", "%25");
  return escaped.starts_with('.') ? concat("%2E", escaped.substr(1)) : escaped;
}

std::string encode(const Artifact& artifact) {
  return json::Value::object({{"schema", 1},
                              {"name", artifact.name},
                              {"id", artifact.id},
                              {"size", artifact.size.value_or(0)},
                              {"digest", artifact.digest},
                              {"created_at", artifact.created_at},
                              {"run", artifact.run_backend_id},
                              {"job", artifact.job_backend_id}})
      .pretty();
}

Result<Artifact> decode(std::string_view text, const std::string& file) {
  CG_TRY(const json::Document document, json::Document::parse(text, file, {}, ErrorCode::integrity));
  const json::Reader entry = document.root();
  Artifact artifact;
  CG_TRY(artifact.name, entry.string("name"));
  CG_TRY(artifact.id, entry.integer("id"));
  CG_TRY(const std::int64_t size, entry.integer("size"));
  CG_TRY(artifact.digest, entry.string("digest"));
  CG_TRY(artifact.created_at, entry.string_or("created_at", ""));
  CG_TRY(artifact.run_backend_id, entry.string_or("run", ""));
  CG_TRY(artifact.job_backend_id, entry.string_or("job", ""));
  artifact.size = static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0));
  return artifact;
}

/// Renames below one directory. 0, or errno.
int rename_within(const sys::Place& place, const std::string& from, const std::string& to) {
  return ::renameat(place.directory.get(), from.c_str(), place.directory.get(), to.c_str()) == 0 ? 0 : errno;
}

Result<sys::Descriptor> open_content(const sys::Path& root, const sys::Path& file, const Artifact& artifact) {
  CG_TRY(const std::vector<std::string> components, sys::components_below(file));
  const sys::Descriptor directory = sys::open_root(root);
  sys::Descriptor content;
  if (directory.valid())
    content = sys::open_beneath(directory, components, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat status = {};
  if (content.valid() && ::fstat(content.get(), &status) == 0 && S_ISREG(status.st_mode)) return content;
  return fail(ErrorCode::artifact_service,
              concat("the artifact ", quoted(artifact.name), ": expected the file ", file.string(), ", found none"),
              "run the stage again that makes it");
}

/// Reads from `offset` to the end.
Result<void> read_all(const sys::Descriptor& file, std::uint64_t offset, const net::BodySink& sink) {
  std::string piece(kPiece, '\0');
  while (true) {
    const ssize_t count = ::pread(file.get(), piece.data(), piece.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(sys::system_error("cannot read an artifact", errno));
    if (count == 0) return {};
    CG_CHECK(sink(std::string_view(piece).substr(0, static_cast<std::size_t>(count))));
    offset += static_cast<std::uint64_t>(count);
  }
}

}  // namespace

Result<std::optional<Artifact>> FolderArtifactStore::find(const std::string& entry) const {
  const sys::Path file = folder_ / entry / kEntry;
  CG_TRY(const auto text, files_.read_below(root_, file));
  if (!text) return std::nullopt;
  CG_TRY(Artifact artifact, decode(*text, file.string()));
  if (entry_name(artifact.name) == entry) return artifact;
  return fail(ErrorCode::integrity,
              concat(file.string(), ": expected the artifact ", quoted(entry), ", found ", quoted(artifact.name)),
              "remove that directory and run again");
}

Result<std::vector<Artifact>> FolderArtifactStore::list(const std::optional<std::string>& name) {
  std::vector<std::string> entries;
  if (name) {
    entries.push_back(entry_name(*name));
  } else {
    CG_TRY(entries, files_.list(root_ / folder_));
  }
  std::vector<Artifact> artifacts;
  for (const std::string& entry : entries) {
    if (entry.starts_with('.')) continue;
    CG_TRY(auto artifact, find(entry));
    if (artifact) artifacts.push_back(std::move(*artifact));
  }
  sort_newest_first(artifacts);
  return artifacts;
}

Result<Artifact> FolderArtifactStore::stage(const Upload& upload, const std::string& staging) {
  CG_TRY(const sys::Place place, sys::make_place(root_, folder_ / staging / kContent));
  CG_TRY(const sys::Descriptor file, sys::create_replacing(place, 0644));
  Sha256 hash;
  std::uint64_t size = 0;
  CG_CHECK(upload.content([&](std::string_view bytes) -> Result<void> {
    hash.update(bytes);
    size += bytes.size();
    const int number = sys::write_all(file.get(), bytes);
    if (number != 0) return fail(sys::system_error(concat("cannot store the artifact ", quoted(upload.name)), number));
    return {};
  }));
  const auto now = clock_.now();
  Artifact artifact{.name = upload.name,
                    .id = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count(),
                    .size = size,
                    .digest = concat("sha256:", hash.finish()),
                    .created_at = sys::rfc3339(now),
                    .run_backend_id = ids_.run,
                    .job_backend_id = ids_.job};
  CG_CHECK(files_.write_below(root_, folder_ / staging / kEntry, encode(artifact)));
  return artifact;
}

Result<bool> FolderArtifactStore::move_away(const std::string& entry) {
  const std::string old = concat(".old-", sys::random_hex(kRandomDigits));
  CG_TRY(const sys::Place place, sys::make_place(root_, folder_ / entry));
  const int number = rename_within(place, entry, old);
  if (number == ENOENT) return false;
  if (number != 0) return fail(sys::system_error(concat("cannot remove the artifact ", quoted(entry)), number));
  CG_CHECK(files_.remove_tree(root_ / folder_ / old));
  return true;
}

Result<void> FolderArtifactStore::publish(const Upload& upload, const std::string& staging) {
  const std::string entry = entry_name(upload.name);
  CG_TRY(const sys::Place place, sys::make_place(root_, folder_ / entry));
  constexpr int kRaces = 5;
  for (int race = 1;; ++race) {
    const int number = rename_within(place, staging, entry);
    if (number == 0) return {};
    if (race == kRaces || (number != ENOTEMPTY && number != EEXIST))
      return fail(sys::system_error(concat("cannot store the artifact ", quoted(upload.name)), number));
    CG_TRY(const std::vector<Artifact> existing, list(upload.name));
    CG_CHECK(check_replacing(upload, existing, ids_.job));
    CG_CHECK(move_away(entry));
  }
}

Result<Artifact> FolderArtifactStore::upload(const Upload& upload) {
  CG_CHECK(check_artifact_name(upload.name));
  CG_TRY(const std::vector<Artifact> existing, list(upload.name));
  CG_CHECK(check_replacing(upload, existing, ids_.job));
  const std::string staging = concat(".upload-", sys::random_hex(kRandomDigits));
  auto artifact = stage(upload, staging);
  Result<void> published = artifact ? publish(upload, staging) : fail(artifact.error());
  if (published) return artifact;
  [[maybe_unused]] const auto removed = files_.remove_tree(root_ / folder_ / staging);
  return fail(std::move(published).error());
}

Result<Downloaded> FolderArtifactStore::download(const Artifact& artifact, const net::BodySink& sink) {
  CG_TRY(const sys::Descriptor file, open_content(root_, folder_ / entry_name(artifact.name) / kContent, artifact));
  Sha256 hash;
  Downloaded received;
  CG_CHECK(read_all(file, 0, [&](std::string_view bytes) -> Result<void> {
    hash.update(bytes);
    received.size += bytes.size();
    return sink(bytes);
  }));
  received.digest = concat("sha256:", hash.finish());
  return check_received(artifact, std::move(received));
}

Result<std::string> FolderArtifactStore::read_tail(const Artifact& artifact, std::size_t bytes) {
  CG_TRY(const sys::Descriptor file, open_content(root_, folder_ / entry_name(artifact.name) / kContent, artifact));
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) return fail(sys::system_error("cannot read an artifact", errno));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  std::string tail;
  CG_CHECK(read_all(file, size - std::min<std::uint64_t>(size, bytes), [&](std::string_view more) -> Result<void> {
    tail += more;
    return {};
  }));
  return tail;
}

Result<bool> FolderArtifactStore::remove(const std::string& name) {
  CG_CHECK(check_artifact_name(name));
  CG_TRY(const std::vector<Artifact> existing, list(name));
  if (existing.empty()) return false;
  return move_away(entry_name(name));
}

}  // namespace crategate::actions
