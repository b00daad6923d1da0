#include "stages/artifact_journal.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "stages/artifact_archive.h"
#include "zip/inflate.h"
#include "zip/write.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kMember = "journal.json";
constexpr std::size_t kDigits = 4;
constexpr std::uint64_t kMostUnfinished = 8;
constexpr std::uint64_t kLargestArchive = 8u << 20;
const zip::Limits kLimits{.archive = kLargestArchive,
                          .members = 16,
                          .member = 8u << 20,
                          .total = 16u << 20,
                          .ratio = 100,
                          .ratio_from = 1u << 20};

std::string padded(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return digits.size() < kDigits ? std::string(kDigits - digits.size(), '0') + digits : digits;
}

/// Epochs are counted on each machine, so they alone say nothing.
bool is_same_transaction(const pipeline::Journal& a, const pipeline::Journal& b) {
  return a.epoch == b.epoch && a.started_at == b.started_at && a.plan_id == b.plan_id && a.run == b.run &&
         a.moves == b.moves;
}

/// `file` is what became of the open `of_run`. One that goes forward again may be what was there before its undoing.
bool continues(const pipeline::Journal& file, const pipeline::Journal& of_run) {
  if (!is_same_transaction(file, of_run)) return false;
  if (of_run.undone_from && (!file.undone_from || *file.undone_from > *of_run.undone_from)) return false;
  return file.state != pipeline::JournalState::open || file.undone_from != of_run.undone_from;
}

}  // namespace

ArtifactJournal::ArtifactJournal(Store store, sys::FileSystem& files, Workspace workspace, std::string images,
                                 Settings settings)
    : store_(std::move(store)),
      files_(files),
      local_(files, std::move(workspace), images),
      images_(std::move(images)),
      prefix_(concat("release-journal-", journal_name(images_), "-")),
      settings_(std::move(settings)) {}

std::string ArtifactJournal::place() const { return concat("artifacts ", prefix_, "*"); }

std::string ArtifactJournal::name_of(std::uint64_t number) const { return concat(prefix_, padded(number)); }

Result<std::map<std::uint64_t, actions::Artifact>> ArtifactJournal::list_numbers() {
  CG_TRY(actions::ArtifactStore* const store, store_());
  CG_TRY(const auto listed, store->list(std::nullopt));
  std::map<std::uint64_t, actions::Artifact> found;
  for (const auto& artifact : listed) {
    if (!artifact.name.starts_with(prefix_)) continue;
    const auto number = parse_unsigned(std::string_view(artifact.name).substr(prefix_.size()));
    if (number && *number > 0 && artifact.name == name_of(*number)) found.emplace(*number, artifact);
  }
  return found;
}

Result<std::optional<actions::Artifact>> ArtifactJournal::find_newest() {
  CG_TRY(const auto found, list_numbers());
  newest_ = found.empty() ? 0 : found.rbegin()->first;
  return found.empty() ? std::nullopt : std::optional(found.rbegin()->second);
}

Result<pipeline::Journal> ArtifactJournal::load(const actions::Artifact& artifact) {
  CG_TRY(actions::ArtifactStore* const store, store_());
  CG_TRY(const auto archive, LocalArchive::fetch(
                                 [&](const net::BodySink& sink) -> Result<void> {
                                   CG_CHECK(store->download(artifact, sink));
                                   return {};
                                 },
                                 kLargestArchive, files_));
  CG_TRY(const auto text, zip::read_member(archive.path(), kMember, kLimits));
  if (!text)
    return fail(ErrorCode::integrity, concat("expected the member ", kMember, ", found none"),
                "Another tool uploaded under that name; remove the artifact, or let the release have another name.");
  CG_TRY(auto journal, pipeline::parse_journal(*text, kMember));
  if (journal.images == images_) return journal;
  return fail(ErrorCode::bad_input, concat("expected the journal of ", images_, ", found that of ", journal.images),
              "Each set of images has a journal of its own; remove the artifact.");
}

bool ArtifactJournal::is_left_open_elsewhere(const pipeline::Journal& file, const pipeline::Journal& of_run) const {
  return file.state == pipeline::JournalState::open && file.run != settings_.maker.run &&
         !is_same_transaction(file, of_run);
}

bool ArtifactJournal::counts(const pipeline::Journal& file, const pipeline::Journal& of_run) const {
  if (of_run.state == pipeline::JournalState::open) return continues(file, of_run);
  if (file.state == pipeline::JournalState::open) return is_left_open_elsewhere(file, of_run);
  return file.started_at > of_run.started_at;
}

Result<std::optional<pipeline::Journal>> ArtifactJournal::read() {
  file_stays_ = false;
  CG_TRY(const auto artifact, find_newest());
  if (!artifact) return local_.read();
  auto of_run = load(*artifact);
  if (!of_run) return fail(std::move(of_run).error().within(concat("artifact ", artifact->name)));
  auto local = local_.read();
  if (!local) log::warning(concat("the journal of this run counts, and not the file: ", describe(local.error())));
  if (!local || !*local) return *std::move(of_run);
  if (counts(**local, *of_run)) return *std::move(local);
  file_stays_ = is_left_open_elsewhere(**local, *of_run);
  if (file_stays_) {
    log::warning(concat(local_.place(), ": the release of ", (*local)->version, ", begun ", (*local)->started_at,
                        ", was left open, too: it stays there and is settled by the next command"));
  }
  return *std::move(of_run);
}

Result<JournalStore::Opened> ArtifactJournal::open() {
  CG_TRY(auto journal, read());
  return Opened{std::move(journal), false};
}

Result<ArtifactJournal::Gave> ArtifactJournal::give(const std::string& name, const pipeline::Journal& journal) {
  const std::vector<zip::Member> members = {
      {.name = std::string(kMember), .kind = zip::Member::Kind::text, .content = pipeline::to_json(journal)}};
  std::optional<Gave> taken;
  actions::Upload upload{.name = name};
  if (settings_.retention_days > 0) upload.retention_days = static_cast<unsigned>(settings_.retention_days);
  upload.content = [&](const net::BodySink& sink) -> Result<void> {
    CG_CHECK(zip::write(members, {.workers = 1, .comment = pipeline::to_json(settings_.maker)}, sink));
    return {};
  };
  upload.may_replace = [&](const actions::Artifact& existing) -> Result<bool> {
    taken = existing.id == 0 ? Gave::unfinished : Gave::taken;
    return existing.id == 0;
  };
  CG_TRY(actions::ArtifactStore* const store, store_());
  auto uploaded = store->upload(upload);
  if (uploaded) return Gave::ours;
  if (taken) return *taken;
  return fail(std::move(uploaded).error().within(concat("artifact ", name)));
}

Result<void> ArtifactJournal::keep(const pipeline::Journal& journal) {
  if (!newest_) CG_CHECK(find_newest());
  const std::uint64_t before = *newest_;
  std::uint64_t number = before + 1;
  CG_TRY(Gave gave, give(name_of(number), journal));
  // What a job that died in the middle has left keeps its name, for the service removes it for that job only.
  while (gave == Gave::unfinished && number < before + kMostUnfinished) {
    CG_TRY(gave, give(name_of(++number), journal));
  }
  if (gave == Gave::ours && number > before + 1) {
    // Unless that job lives, and has finished meanwhile.
    CG_TRY(const auto numbers, list_numbers());
    if (std::ranges::any_of(numbers, [&](const auto& row) { return row.first > before && row.first < number; }))
      gave = Gave::taken;
  }
  if (gave != Gave::ours)
    return fail(ErrorCode::conflict,
                concat("the journal ", name_of(number),
                       ": expected to be the one that writes it, found that another job of this run has"),
                "Let one job of a run publish at a time; run the same command again, it settles what is open.");
  newest_ = number;
  // The artifact is what counts; the file is for whoever has this machine only.
  if (file_stays_) return {};
  if (const auto mirrored = local_.keep(journal); !mirrored)
    log::warning(concat(local_.place(), ": ", describe(mirrored.error())));
  return {};
}

}  // namespace crategate::stages
