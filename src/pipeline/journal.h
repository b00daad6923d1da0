// The journal of a release: every tag's way from → to, durable before the first of them is written.
// Belongs here: the document.  Not here: where it is kept (stages/journal_store), what follows from it
// (release_protocol).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "pipeline/tags.h"

namespace crategate::pipeline {

/// `open`: tags may have been written, and nobody has seen the end yet.
enum class JournalState : unsigned char { open, done, rolled_back, stopped };
std::string_view to_string(JournalState state);  ///< `rolled-back`

/// What the moving tags were moved to last, each the highest version unless a step back was asked for.
struct LastMoved {
  std::map<std::string, std::string> versions;  ///< tag → version
  std::map<std::string, oci::Digest>
      images;  ///< `repository:tag` → the image of that version, where it was moved there
  bool operator==(const LastMoved&) const = default;
};

/// What one `push`, `release` or `run` is about to write, and what became of it.
struct Journal {
  std::string images;      ///< whose tags these are: `Plan::image_set`
  std::int64_t epoch = 0;  ///< one more than that of the journal before
  JournalState state = JournalState::open;
  std::string plan_id, version, commit, run, attempt;
  std::string started_at;  ///< RFC 3339, UTC
  /// Set before the first tag is undone: the tags of this rank and above are to name again what they named before.
  std::optional<TagRank> undone_from;
  std::vector<TagMove> moves;  ///< those that are needed, by rank
  LastMoved last;              ///< `newest` and `named` of the document
  bool operator==(const Journal&) const = default;
};

/// How long others could see or disturb what was not finished; zero where nothing was moved.
struct Windows {
  std::chrono::microseconds mixed{0};        ///< from the first to the last moving tag
  std::chrono::microseconds unprotected{0};  ///< from the last look at a tag to its acknowledged write, at most
  bool operator==(const Windows&) const = default;
};
/// Schema 1, canonical; a line feed ends it.
std::string to_json(const Journal& journal);
/// Errors: bad_input for another schema, missing, unknown or contradicting members.
Result<Journal> parse_journal(std::string_view text, std::string_view file_name);

/// `journal.last` with what it moves, for all of that is in place; images of earlier versions of those tags are left out.
LastMoved last_after(const Journal& journal);

/// A move that whoever has `plan` must not ask for: of an open journal one of a repository that is not the plan's, of a
/// settled one, of which tags are read only, one at a registry that the plan does not name. nullptr = none.
const TagMove* find_stranger(const Journal& journal, const Plan& plan);

/// Whether `move`, of an open journal of this very plan, is of an earlier build: the evidence for it is gone.
/// `tested`: cell → image, by the records that there are.
bool is_superseded(const Journal& journal, const TagMove& move, const Plan& plan,
                   const std::map<std::string, oci::Digest>& tested);

/// Whether the tag of `move`, new then, is all that an undone release of `version` could not take away again: `names`.
bool is_leftover(const Journal& before, const std::string& version, const PlannedTag& tag, const oci::Digest& names);

json::Value to_value(const TagMove& move);
/// Errors: bad_input.
Result<TagMove> read_move(const json::Reader& from);

}  // namespace crategate::pipeline
