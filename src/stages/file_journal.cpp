// FileJournal: the journal on this machine's disk.
#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "base/strings.h"
#include "stages/journal_store.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kDirectory = "journal";
constexpr std::size_t kReadable = 60, kUnique = 12;

}  // namespace

std::string journal_name(std::string_view images) {
  std::string name;
  for (const char c : images.substr(0, kReadable)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  while (!name.empty() && name.front() == '.') name.erase(0, 1);
  return concat(name, name.empty() ? "" : "-", sha256_hex(images).substr(0, kUnique));
}

FileJournal::FileJournal(sys::FileSystem& files, Workspace workspace, std::string images)
    : files_(files),
      workspace_(std::move(workspace)),
      images_(std::move(images)),
      name_(sys::Path(kDirectory) / concat(journal_name(images_), ".json")) {}

std::string FileJournal::place() const { return (workspace_.state_name / name_).string(); }

Result<std::optional<pipeline::Journal>> FileJournal::read() {
  CG_TRY(const auto text, read_state(files_, workspace_, name_));
  if (!text) return std::nullopt;
  CG_TRY(auto journal, pipeline::parse_journal(*text, place()));
  if (journal.images == images_) return journal;
  return fail(ErrorCode::bad_input,
              concat(place(), ": expected the journal of ", images_, ", found that of ", journal.images),
              "Put it back where it was; each set of images has a journal of its own.");
}

Result<JournalStore::Opened> FileJournal::open() {
  if (!lock_) {
    CG_TRY(lock_, sys::FileLock::try_take(workspace_.state(), sys::Path(name_).replace_extension(".lock")));
  }
  if (!lock_) {
    return fail(ErrorCode::conflict, concat("another crategate on this machine is publishing ", images_),
                "Let it finish, and run the same command again.");
  }
  CG_TRY(auto journal, read());
  return Opened{std::move(journal), false};
}

Result<void> FileJournal::close() {
  lock_.reset();
  return {};
}

Result<void> FileJournal::keep(const pipeline::Journal& journal) {
  return write_state(files_, workspace_, name_, pipeline::to_json(journal), sys::Durability::machine);
}

}  // namespace crategate::stages
