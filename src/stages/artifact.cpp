#include "stages/artifact.h"

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
constexpr std::uint64_t kLargestFile = std::uint64_t{2} << 30;
constexpr std::string_view kUploadHint = "Write: crategate artifact upload NAME PATH...";

std::string names_of(const std::vector<actions::Artifact>& artifacts) {
  std::vector<std::string> names;
  for (const auto& artifact : artifacts) names.push_back(artifact.name);
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

/// A name is one folder, whatever is in it.
Result<sys::Path> folder_of(const actions::Artifact& artifact, const sys::Path& folder) {
  if (const auto sound = actions::check_artifact_name(artifact.name); !sound || artifact.name.starts_with('.'))
    return fail(ErrorCode::integrity, concat("artifact ", quote(artifact.name), ": its name cannot be a folder's"),
                "Download it by its name into a folder of yours (--name, --path).");
  return folder / artifact.name;
}

bool is_archive(const std::string& content_type, const actions::Artifact& artifact) {
  const std::string type = to_lower(content_type.substr(0, content_type.find(';')));
  return type.empty() || type.find("zip") != std::string::npos || artifact.name.ends_with(".zip") ||
         type == "application/octet-stream";
}

/// What was uploaded without an archive around it.
Result<DownloadedArtifact> keep_file(const actions::Artifact& artifact, const sys::Path& file, const sys::Path& folder,
                                     zip::Existing existing, sys::FileSystem& files) {
  if (existing != zip::Existing::replace && files.exists(folder / artifact.name)) {
    return fail(ErrorCode::bad_input, concat("expected no ", quote((folder / artifact.name).string()), ", found one"),
                "Give another folder (--path), or replace it on purpose (--overwrite).");
  }
  CG_TRY(const auto bytes, files.read(file, kLargestFile));
  CG_CHECK(files.make_directories(folder));
  CG_CHECK(files.write_below(folder, artifact.name, bytes.value_or("")));
  return DownloadedArtifact{.artifact = artifact, .folder = folder, .files = 1, .content = bytes.value_or("").size()};
}

Result<DownloadedArtifact> download_one(const actions::Artifact& artifact, const sys::Path& folder,
                                        zip::Existing existing, const ArtifactSource& source, sys::FileSystem& files) {
  std::string content_type;
  CG_TRY(const auto archive, LocalArchive::fetch(
                                 [&](const net::BodySink& sink) -> Result<void> {
                                   CG_TRY(content_type, source.download(artifact, sink));
                                   return {};
                                 },
                                 std::numeric_limits<std::uint64_t>::max(), files));
  if (!is_archive(content_type, artifact)) return keep_file(artifact, archive.path(), folder, existing, files);
  auto extracted = zip::extract(archive.path(), folder, {.limits = kLimits, .existing = existing});
  if (!extracted) {
    Error error = std::move(extracted).error();
    error.context.clear();  // where the archive lay meanwhile says nothing
    if (error.code == ErrorCode::bad_input)
      error.hint = "Give another folder (--path), or replace what is there on purpose (--overwrite).";
    return fail(std::move(error).within(concat("unpacking to ", folder.string())));
  }
  return DownloadedArtifact{
      .artifact = artifact, .folder = folder, .files = extracted->members, .content = extracted->content};
}

}  // namespace

Result<UploadOutcome> run_artifact_upload(const ArtifactInputs& in, actions::ArtifactStore& store,
                                          const pipeline::Maker& maker) {
  const auto& request = in.request;
  if (request.name.empty())
    return fail(ErrorCode::bad_input, "artifact upload: expected a name, found none", std::string(kUploadHint));
  CG_CHECK(actions::check_artifact_name(request.name));
  if (request.paths.empty())
    return fail(ErrorCode::bad_input, "artifact upload: expected paths, found none", std::string(kUploadHint));
  CG_TRY(auto selection, zip::select(in.directory, request.paths, {.hidden = request.include_hidden_files}));
  if (selection.members.empty()) {
    if (request.if_no_files_found != "error") return UploadOutcome{};
    return fail(
        ErrorCode::bad_input,
        concat("artifact ", quote(request.name), ": expected files at ", join(request.paths, ", "), ", found none"),
        concat("Paths are relative to ", in.directory.string(),
               "; names that begin with a dot need --include-hidden-files; --if-no-files-found=warn goes on."));
  }
  CG_TRY(auto uploaded, upload_archive({.name = request.name,
                                        .members = std::move(selection.members),
                                        .compression_level = in.settings.compression_level,
                                        .retention_days = in.settings.retention_days,
                                        .overwrite = request.overwrite},
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
  CG_TRY(const auto artifacts, find_artifacts(request, source));
  const bool asked = !request.name.empty() || !request.pattern.empty();
  if (artifacts.empty() && asked) return not_found(request, source);
  const sys::Path folder = request.paths.empty() ? in.directory : in.directory / request.paths.front();
  const auto existing = request.overwrite ? zip::Existing::replace : zip::Existing::add;
  std::vector<DownloadedArtifact> downloaded;
  for (const auto& artifact : artifacts) {
    sys::Path target = folder;
    if (request.name.empty() && !request.merge_multiple) {
      CG_TRY(target, folder_of(artifact, folder));
    }
    auto one = download_one(artifact, target, existing, source, files);
    if (!one) return fail(std::move(one).error().within(concat("artifact ", artifact.name)));
    downloaded.push_back(*std::move(one));
  }
  return downloaded;
}

}  // namespace crategate::stages
