#include "stages/artifact.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <utility>

#include "base/strings.h"
#include "stages/artifact_archive.h"
#include "zip/extract.h"
#include "zip/selection.h"

namespace crategate::stages {
namespace {

// What people upload themselves may be mostly zeros: a file system's image, a core dump.
constexpr zip::Limits kLimits{.ratio_from = std::uint64_t{8} << 30};
constexpr std::size_t kPiece = 1u << 20;
constexpr std::string_view kUploadHint = "Write: crategate artifact upload NAME PATH...";

std::string names_of(const std::vector<actions::Artifact>& artifacts) {
  std::vector<std::string> names;
  for (const auto& artifact : artifacts) names.push_back(quoted(artifact.name));
  return names.empty() ? "there is none" : concat("there are ", join(names, ", "));
}

Failure not_found(const config::ArtifactRequest& request, const ArtifactSource& source) {
  const std::string wanted = request.name.empty() ? concat("matching ", quote(request.pattern)) : quote(request.name);
  const auto all = find_artifacts({}, source);
  return fail(ErrorCode::not_found,
              concat("artifact ", wanted, ": expected one of this run, found none",
                     all ? concat(" (", names_of(*all), ")") : std::string()),
              "See which job uploads it, and that this job `needs` that one; artifacts also expire.");
}

/// The names that a folder cannot have.
bool is_a_place(std::string_view name) { return name == "." || name == ".."; }

/// Where each artifact goes; judged for all of them before the first file is written.
Result<std::vector<sys::Path>> folders_of(const std::vector<actions::Artifact>& artifacts, const sys::Path& folder,
                                          const config::ArtifactRequest& request) {
  std::vector<sys::Path> folders;
  for (const auto& artifact : artifacts) {
    const bool own = request.name.empty() && !request.merge_multiple;
    if (own && (is_a_place(artifact.name) || !actions::check_artifact_name(artifact.name))) {
      return fail(ErrorCode::bad_input, concat("artifact ", quote(artifact.name), ": its name cannot be a folder's"),
                  "Download it by its name into a folder of yours (--name, --path), the others with --pattern.");
    }
    folders.push_back(own ? folder / artifact.name : folder);
  }
  return folders;
}

/// As the official client decides it; where no type is told, by the first bytes.
Result<bool> is_archive(const std::string& content_type, const sys::Path& file) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  if (!type.empty()) {
    const std::string_view archives[] = {"application/zip", "application/x-zip-compressed",
                                         "application/zip-compressed", "zip"};
    return std::ranges::find(archives, type) != std::end(archives);
  }
  CG_TRY(const auto bytes, zip::bytes_of_file(file));
  std::string magic(2, '\0');
  if (bytes.size < magic.size()) return false;
  CG_CHECK(bytes.read(0, magic.data(), magic.size()));
  return magic == "PK";
}

/// Copied beside its place, in pieces, then renamed.
Result<void> copy_file(const sys::Path& from, const sys::Path& to, sys::FileSystem& files) {
  CG_TRY(const auto bytes, zip::bytes_of_file(from));
  const sys::Path part = concat(to.string(), ".crategate-part");
  CG_CHECK(files.remove_tree(part));
  CG_CHECK(files.append(part, {}));
  std::string piece;
  for (std::uint64_t offset = 0; offset < bytes.size; offset += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, bytes.size - offset)));
    auto copied = bytes.read(offset, piece.data(), piece.size());
    if (copied) copied = files.append(part, piece);
    if (copied) continue;
    static_cast<void>(files.remove_tree(part));
    return copied;
  }
  std::error_code error;
  std::filesystem::rename(part, to, error);
  if (!error) return {};
  static_cast<void>(files.remove_tree(part));
  return fail(ErrorCode::bad_input, concat("cannot write ", quote(to.string()), ": ", error.message()),
              "Give another folder (--path).");
}

/// What was uploaded without an archive around it.
Result<DownloadedArtifact> keep_file(const actions::Artifact& artifact, const sys::Path& file, const sys::Path& folder,
                                     zip::Existing existing, sys::FileSystem& files) {
  // The name is whoever's who uploaded it, and becomes a file's.
  if (is_a_place(artifact.name) || !actions::check_artifact_name(artifact.name)) {
    return fail(ErrorCode::integrity, concat("artifact ", quoted(artifact.name), ": its name cannot be a file's"),
                "It was not uploaded by the service's rules; nothing was written.");
  }
  if (existing != zip::Existing::replace && files.exists(folder / artifact.name)) {
    return fail(ErrorCode::bad_input, concat("expected no ", quote((folder / artifact.name).string()), ", found one"),
                "Give another folder (--path), or replace it on purpose (--overwrite).");
  }
  CG_CHECK(files.make_directories(folder));
  CG_CHECK(copy_file(file, folder / artifact.name, files));
  CG_TRY(const auto copied, zip::bytes_of_file(folder / artifact.name));
  return DownloadedArtifact{.artifact = artifact, .folder = folder, .files = 1, .content = copied.size};
}

Result<DownloadedArtifact> unpack(const actions::Artifact& artifact, const sys::Path& archive, const sys::Path& folder,
                                  zip::Existing existing) {
  auto extracted = zip::extract(archive, folder, {.limits = kLimits, .existing = existing});
  if (!extracted) {
    Error error = std::move(extracted).error();
    error.context.clear();  // where the archive lay meanwhile says nothing
    if (error.hint.ends_with("replaced")) error.hint += " (--path, --overwrite)";
    return fail(std::move(error).within(concat("unpacking to ", folder.string())));
  }
  return DownloadedArtifact{
      .artifact = artifact, .folder = folder, .files = extracted->members, .content = extracted->content};
}

Result<DownloadedArtifact> download_one(const actions::Artifact& artifact, const sys::Path& folder,
                                        zip::Existing existing, const ArtifactSource& source, sys::FileSystem& files) {
  Fetched fetched;
  CG_TRY(const auto file, LocalArchive::fetch(
                              [&](const net::BodySink& sink) -> Result<void> {
                                CG_TRY(fetched, source.download(artifact, sink));
                                return {};
                              },
                              std::numeric_limits<std::uint64_t>::max(), files));
  CG_TRY(const bool archive, is_archive(fetched.content_type, file.path()));
  CG_TRY(auto downloaded, archive ? unpack(artifact, file.path(), folder, existing)
                                  : keep_file(artifact, file.path(), folder, existing, files));
  downloaded.digest_checked = fetched.digest_checked;
  return downloaded;
}

Result<void> require_one_way(const config::ArtifactRequest& request, std::string_view command) {
  if (!request.name.empty() && !request.pattern.empty()) {
    return fail(ErrorCode::bad_input,
                concat("artifact ", command, ": expected a name or a pattern, found ", quote(request.name), " and ",
                       quote(request.pattern)),
                "Give one of them.");
  }
  return {};
}

}  // namespace

Result<UploadOutcome> run_artifact_upload(const ArtifactInputs& in, actions::ArtifactStore& store,
                                          const pipeline::Maker& maker) {
  const auto& request = in.request;
  if (request.name.empty())
    return fail(ErrorCode::bad_input, "artifact upload: expected a name, found none", std::string(kUploadHint));
  CG_CHECK(actions::check_artifact_name(request.name));
  if (is_a_place(request.name))
    return fail(ErrorCode::bad_input, concat("artifact upload: expected a name, found ", quote(request.name)),
                "Nobody could download it into a folder of its name: choose another.");
  if (!request.repository.empty() || !request.run_id.empty())
    return fail(ErrorCode::bad_input, "artifact upload: expected neither --repository nor --run-id, found one",
                "Artifacts are uploaded to this run only; the two are for download and list.");
  if (request.paths.empty())
    return fail(ErrorCode::bad_input, "artifact upload: expected paths, found none", std::string(kUploadHint));
  auto patterns = request.paths;
  if (!in.leave_out.empty()) patterns.push_back(concat("!", in.leave_out));
  CG_TRY(auto selection, zip::select(in.directory, patterns, {.hidden = request.include_hidden_files}));
  if (selection.members.empty()) {
    if (request.if_no_files_found != "error") return UploadOutcome{};
    return fail(ErrorCode::bad_input,
                concat("artifact ", quote(request.name), ": expected files at ", quote(join(request.paths, ", ")),
                       ", found none"),
                concat("Paths are relative to ", in.directory.string(),
                       "; names that begin with a dot need --include-hidden-files; --if-no-files-found=warn goes on."));
  }
  if (in.list_only)
    return UploadOutcome{.uploaded = false, .artifact = {}, .files = selection.members.size(), .content = 0};
  CG_TRY(auto uploaded, upload_archive({.name = request.name,
                                        .members = std::move(selection.members),
                                        .compression_level = in.settings.compression_level,
                                        .retention_days = in.settings.retention_days,
                                        .overwrite = request.overwrite,
                                        .taken_hint = "Give one of the two another name, or replace it on purpose "
                                                      "(--overwrite)."},
                                       store, maker));
  return UploadOutcome{.uploaded = true,
                       .artifact = std::move(uploaded.artifact),
                       .files = uploaded.members,
                       .content = uploaded.content};
}

Result<std::vector<actions::Artifact>> find_artifacts(const config::ArtifactRequest& request,
                                                      const ArtifactSource& source) {
  CG_TRY(auto all, source.list(request.name));
  std::vector<actions::Artifact> found;
  std::set<std::string> seen;
  for (auto& artifact : all) {
    const bool wanted = !request.name.empty()      ? artifact.name == request.name
                        : !request.pattern.empty() ? glob_matches(request.pattern, artifact.name)
                                                   : true;
    if (wanted && seen.insert(artifact.name).second) found.push_back(std::move(artifact));
  }
  return found;
}

Result<std::vector<DownloadedArtifact>> run_artifact_download(const ArtifactInputs& in, const ArtifactSource& source,
                                                              sys::FileSystem& files) {
  const auto& request = in.request;
  if (request.paths.size() > 1) {
    return fail(
        ErrorCode::bad_input,
        concat("artifact download: expected one folder, found ", request.paths.size(), ": ", join(request.paths, ", ")),
        "Write: crategate artifact download NAME --path FOLDER");
  }
  CG_CHECK(require_one_way(request, "download"));
  CG_TRY(const auto artifacts, find_artifacts(request, source));
  const bool asked = !request.name.empty() || !request.pattern.empty();
  if (artifacts.empty() && asked) return not_found(request, source);
  // A link to a folder is that folder.
  std::error_code ignored;
  const sys::Path named = request.paths.empty() ? in.directory : in.directory / request.paths.front();
  const sys::Path folder = std::filesystem::weakly_canonical(named, ignored);
  CG_TRY(const auto folders, folders_of(artifacts, ignored ? named : folder, request));
  const auto existing = request.overwrite ? zip::Existing::replace : zip::Existing::add;
  std::vector<DownloadedArtifact> downloaded;
  for (std::size_t i = 0; i < artifacts.size() && !in.list_only; ++i) {
    auto one = download_one(artifacts[i], folders[i], existing, source, files);
    if (!one) return fail(std::move(one).error().within(concat("artifact ", artifacts[i].name)));
    downloaded.push_back(*std::move(one));
  }
  return downloaded;
}

}  // namespace crategate::stages
