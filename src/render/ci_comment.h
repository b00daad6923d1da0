// The comment on a pull request about its CI image (C-7).
// Belongs here: values → Markdown.  Not here: where it is written (stages/comment), which comment it is (pipeline/comment).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crategate::render {

/// Bytes. GitHub takes 65,536 characters, however it counts them.
inline constexpr std::size_t kCommentLimit = 60000;

struct CiImageComment {
  std::string marker;
  std::string tagged;      ///< `name:tag`, in the familiar form
  std::string by_digest;   ///< `name@sha256:…`
  std::string commit;      ///< that it was built from
  std::string reason;      ///< the decision's; with names that a stranger may have chosen
  bool generates = false;  ///< files can be made in it
  std::vector<std::string> platforms;
  /// What is to be downloaded for one platform.
  struct Size {
    std::uint64_t bytes = 0;
    std::string platform;
  };
  std::optional<Size> size;
  struct Base {
    std::string tagged, branch;
    std::uint64_t bytes = 0;  ///< of the same platform
  };
  std::optional<Base> base;  ///< nullopt: it is not known
};

/// Ready to paste: commands name the image by digest. Names stand in code spans, where GitHub sees no mention, link, HTML or
/// marker (A28). Of the same values the same text.
std::string ci_image_comment(const CiImageComment& comment);

/// `text`, or as many of its whole lines as fit into `limit` bytes with a last one that says so; a code block is closed.
std::string fit_comment(std::string_view text, std::size_t limit = kCommentLimit);

}  // namespace crategate::render
