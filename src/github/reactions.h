// Reactions to comments (https://docs.github.com/rest/reactions/reactions): the answer that is there at once.
// Belongs here: a role of its own, as comments are.  Not here: what each of them means to whom (stages/regen_answer).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "github/values.h"

namespace crategate::github {

enum class Reaction : unsigned char { eyes, thumbs_down };
/// As the API names it: `-1`.
std::string_view to_string(Reaction reaction);

class ReactionClient {
 public:
  virtual ~ReactionClient() = default;
  /// The same once more changes nothing.
  virtual Result<void> react(const RepositoryName& repository, std::int64_t comment, Reaction reaction) = 0;
};

}  // namespace crategate::github
