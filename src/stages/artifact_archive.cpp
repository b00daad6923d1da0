#include "stages/artifact_archive.h"

#include <utility>

#include "base/strings.h"
#include "zip/directory.h"
#include "zip/write.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kLongestTail = 65535 + 22;  // a comment and the record that it ends

/// The archive's own word for who made it; nullopt for archives of other tools.
Result<std::optional<pipeline::Maker>> maker_of(const actions::Artifact& artifact, actions::ArtifactStore& store) {
  CG_TRY(const std::string tail, store.read_tail(artifact, kLongestTail));
  const auto comment = zip::find_comment(tail);
  if (!comment) return std::nullopt;
  return pipeline::parse_maker(*comment);
}

/// Equal makers and members give equal bytes.
Result<bool> is_the_same(const actions::Artifact& existing, const ArchiveUpload& upload,
                         const zip::WriteOptions& options) {
  CG_TRY(const auto written, zip::write(upload.members, options, [](std::string_view) -> Result<void> { return {}; }));
  return existing.digest == concat("sha256:", written.sha256);
}

/// What is replaced is gone before its successor is complete: a file that cannot be read must be known before.
Result<void> require_readable(const std::vector<zip::Member>& members) {
  for (const auto& member : members)
    if (member.kind == zip::Member::Kind::file) CG_CHECK(zip::bytes_of_file(member.source));
  return {};
}

}  // namespace

Result<UploadedArchive> upload_archive(const ArchiveUpload& upload, actions::ArtifactStore& store,
                                       const pipeline::Maker& maker) {
  UploadedArchive uploaded;
  const zip::WriteOptions options{.level = upload.compression_level, .comment = pipeline::to_json(maker)};
  actions::Upload request{.name = upload.name, .overwrite = upload.overwrite};
  if (upload.retention_days > 0) request.retention_days = static_cast<unsigned>(upload.retention_days);
  request.content = [&](const net::BodySink& sink) -> Result<void> {
    CG_TRY(const auto written, zip::write(upload.members, options, sink));
    uploaded.members = written.members;
    uploaded.content = written.content;
    return {};
  };
  request.may_replace = [&](const actions::Artifact& existing) -> Result<bool> {
    if (upload.repeatable) {
      CG_TRY(const bool same, is_the_same(existing, upload, options));
      if (same) return true;
    }
    CG_CHECK(require_replaceable(existing, store, maker, upload.taken_hint));
    CG_CHECK(require_readable(upload.members));
    return true;
  };
  if (upload.overwrite) CG_CHECK(require_readable(upload.members));
  CG_TRY(uploaded.artifact, store.upload(request));
  return uploaded;
}

Result<void> require_replaceable(const actions::Artifact& existing, actions::ArtifactStore& store,
                                 const pipeline::Maker& maker, std::string_view hint) {
  // A name that is taken by nothing finished is what a job that died in the middle has left.
  if (existing.id == 0) return {};
  CG_TRY(const auto other, maker_of(existing, store));
  auto judged = pipeline::judge_replacing(existing.name, other, maker);
  if (!judged) judged.error().hint = hint;
  return judged;
}

Result<LocalArchive> LocalArchive::fetch(const std::function<Result<void>(const net::BodySink&)>& download,
                                         std::uint64_t limit, sys::FileSystem& files, const sys::Path& parent) {
  CG_TRY(auto directory, sys::TemporaryDirectory::create(parent));
  sys::Path path = directory.path() / "archive.zip";
  std::uint64_t received = 0;
  CG_CHECK(files.append(path, {}));
  CG_CHECK(download([&](std::string_view bytes) -> Result<void> {
    received += bytes.size();
    if (received > limit) {
      return fail(ErrorCode::integrity, concat("artifact: expected at most ", format_bytes(limit), ", found more"),
                  "It was not made by this stage; see which job uploads under that name.");
    }
    return files.append(path, bytes);
  }));
  return LocalArchive(std::move(directory), std::move(path));
}

}  // namespace crategate::stages
