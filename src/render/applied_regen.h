// The answer to `/regen` on a pull request (C-8).
// Belongs here: values → Markdown.  Not here: where it is written (stages/comment), what was decided (pipeline/regen_request,
// pipeline/regen_policy).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace crategate::render {

/// Names come from strangers: they stand in code spans, where GitHub sees no mention, link, HTML or marker.
struct AppliedRegenReply {
  enum class Outcome : unsigned char {
    committed,
    planned,     ///< a dry run: it would be committed
    unchanged,   ///< what the command makes is there already
    patch_only,  ///< a fork: there is a patch, and nothing was pushed
    refused,     ///< the request, or what was made
    failed       ///< the command, or something that it needs
  };
  struct File {
    std::string path;
    std::string change;  ///< added, modified, deleted
  };
  struct Refusal {
    std::string reason;  ///< id of docs/regen.md
    std::string path;    ///< empty = it is about the whole
    std::string text;
  };
  std::string marker;
  Outcome outcome = Outcome::failed;
  std::string text;     ///< why, in a sentence; empty = the outcome says it all
  std::string hint;     ///< what to do then
  std::string said;     ///< by the job that ran the command, about its failure; a stranger's, of any length
  std::string request;  ///< address of the comment
  std::string run;      ///< address of the workflow run
  std::int64_t pull_request = 0;
  std::string sha;                 ///< that the files were made from
  std::string image;               ///< by digest
  std::string commit, commit_url;  ///< when committed
  bool starts_checks = false;      ///< a push by this token starts workflows
  std::vector<File> files;
  std::vector<Refusal> refusals;
};

/// The line with the last commit that was made begins so. Later answers keep it: they take this one's place.
inline constexpr std::string_view kLastRegenCommit = "Last commit of /regen: ";
/// How that line ends.
std::string committed_on(std::string_view sha);

/// "committed 3 files".
std::string describe_outcome(AppliedRegenReply::Outcome outcome, std::size_t files);

/// Of the same values the same text; within GitHub's limit.
std::string applied_regen_reply(const AppliedRegenReply& reply);

}  // namespace crategate::render
