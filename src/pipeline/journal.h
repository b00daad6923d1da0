// The journal of a release: every tag's way from → to, durable before the first of them is written.
// Belongs here: the document.  Not here: where it is kept (stages/journal_store), what follows from it
// (release_protocol).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
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

/// What one `push`, `release` or `run` is about to write, and what became of it.
struct Journal {
  std::string images;      ///< whose tags these are: `Plan::image_set`
  std::int64_t epoch = 0;  ///< one more than that of the journal before
  JournalState state = JournalState::open;
  std::string plan_id, version, commit, run, attempt;
  std::string started_at;      ///< RFC 3339, UTC
  std::vector<TagMove> moves;  ///< those that are needed, by rank
  /// Moving tag → the version that it was moved to last: the highest, unless a step back was asked for.
  std::map<std::string, std::string> newest;
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

/// `newest` with what `journal` moves, for all of that is in place.
std::map<std::string, std::string> newest_after(const Journal& journal);

json::Value to_value(const TagMove& move);
/// Errors: bad_input.
Result<TagMove> read_move(const json::Reader& from);

}  // namespace crategate::pipeline
