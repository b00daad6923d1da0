// The lease of a release: who may write the tags of a set of images, until when, and who may take it over.
// Belongs here: the document and the rule.  Not here: compare and swap (git/ref_store), renewing (stages/git_journal).
//
// Clocks of two machines meet in one place only, the question whether another one's lease has run out; there they may
// differ by kClockMargin. A holder counts what is left of its own by a clock that nobody can set.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace crategate::pipeline {

inline constexpr std::chrono::seconds kLeaseLength{120};
inline constexpr std::chrono::seconds kClockMargin{60};
inline constexpr std::chrono::seconds kRenewBelow{115};   ///< asked for again after 5 s: half of what a takeover waits
inline constexpr std::chrono::seconds kTrustedAbove{20};  ///< less than that is no lease to write under

struct LeaseHolder {
  std::string run, attempt;  ///< of a workflow; empty outside of one
  std::string id;            ///< of this very process
  std::string text() const;  ///< for people
  bool operator==(const LeaseHolder&) const = default;
};

struct Lease {
  std::int64_t epoch = 0;             ///< grows each time that somebody takes it
  std::optional<LeaseHolder> holder;  ///< nullopt: given back
  std::string until;                  ///< RFC 3339, UTC, whole seconds; empty when it was given back
  bool operator==(const Lease&) const = default;
};

/// Schema 1, canonical; a line feed ends it.
std::string to_json(const Lease& lease);
/// Errors: bad_input for another schema, missing, unknown or contradicting members.
Result<Lease> parse_lease(std::string_view text, std::string_view file_name);

enum class Claim : unsigned char {
  free,     ///< nobody has it
  own,      ///< this process has it
  resumed,  ///< an earlier attempt of this workflow run has it, and is over
  expired,  ///< its holder let it run out
  held,     ///< somebody else's
};
/// `before`: now less kClockMargin, as `Lease::until` is written; such texts compare as times do.
Claim judge_lease(const std::optional<Lease>& lease, const LeaseHolder& self, std::string_view before);

/// A lease as somebody who does not want it sees it.
struct SeenLease {
  Claim claim = Claim::free;  ///< what taking it would be
  std::string holder, until;  ///< for people; empty when nobody has it
  bool operator==(const SeenLease&) const = default;
};

}  // namespace crategate::pipeline
