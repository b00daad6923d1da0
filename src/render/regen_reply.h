// The reply to `/regen` that says no (C-8).
// Belongs here: values → Markdown.  Not here: why (pipeline/regen_request), where it is written (stages/regen_answer).
#pragma once

#include <string>

namespace crategate::render {

struct RegenRefusal {
  std::string marker;
  std::string login;    ///< of who asked
  std::string reason;   ///< its id
  std::string text;     ///< a sentence, with what a stranger may have written
  std::string hint;     ///< what to do; may be empty
  std::string comment;  ///< that would be accepted; may be empty
};

/// Nothing in it becomes markup, link, mention or marker; its first line is the marker, and so never a command (A37).
std::string regen_refusal(const RegenRefusal& refusal);

}  // namespace crategate::render
