#include "git/patch_form.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"

namespace crategate::git {
namespace {

constexpr std::size_t kOid = 40;
constexpr std::uint64_t kLargestNumber = std::numeric_limits<std::int32_t>::max() / 2;  // of two, the sum is one, too
constexpr std::string_view kNoNewline = "\\ No newline at end of file";

/// One side of a hunk's range: where its first line is, or would be.
struct Range {
  std::uint64_t begin = 0, count = 0;
};

bool is_oid(std::string_view text) {
  return text.size() == kOid && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_mode(std::string_view text) {
  return text == "100644" || text == "100755" || text == "120000" || text == "160000";
}

/// "A" or "A,B"; without lines A is the line before.
std::optional<Range> read_range(std::string_view text) {
  const auto comma = text.find(',');
  const auto begin = parse_unsigned(text.substr(0, comma));
  const auto count =
      comma == std::string_view::npos ? std::optional<std::uint64_t>(1) : parse_unsigned(text.substr(comma + 1));
  if (!begin || !count || *begin > kLargestNumber || *count > kLargestNumber) return std::nullopt;
  if (*count == 0) return Range{*begin + 1, 0};
  if (*begin == 0) return std::nullopt;
  return Range{*begin, *count};
}

/// Bytes that a line of base 85 stands for, told by its first character.
std::size_t packed_length(char first) {
  if (first >= 'A' && first <= 'Z') return static_cast<std::size_t>(first - 'A') + 1;
  if (first >= 'a' && first <= 'z') return static_cast<std::size_t>(first - 'a') + 27;
  return 0;
}

class PatchReader {
 public:
  PatchReader(std::string_view patch, const PatchLimits& limits) : rest_(patch), limits_(limits) {}

  Result<std::vector<PatchedFile>> read() {
    CG_CHECK(next());
    if (ended_) return refuse("expected a patch, found nothing");
    while (!ended_) {
      if (files_.size() == limits_.files) return refuse(concat("expected at most ", limits_.files, " files"));
      files_.push_back({.line = number_});
      CG_CHECK(file());
    }
    return std::move(files_);
  }

 private:
  Failure refuse(std::string_view why) const {
    return fail(ErrorCode::bad_input, concat("the patch, line ", number_, ": ", why));
  }

  /// The next line without its end. Only lines of hunks may have a carriage return; none has a NUL.
  Result<void> next() {
    ended_ = rest_.empty();
    line_ = {};
    ++number_;
    if (ended_) return {};
    if (number_ > limits_.lines) return refuse(concat("expected at most ", limits_.lines, " lines"));
    const auto end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    if (end == std::string_view::npos) return refuse("expected a whole line, found the end of the patch");
    if (line_.find('\0') != std::string_view::npos) return refuse("found a NUL");
    rest_.remove_prefix(end + 1);
    return {};
  }

  bool take(std::string_view prefix) {
    if (!line_.starts_with(prefix)) return false;
    word_ = line_.substr(prefix.size());
    return true;
  }

  /// A line of the header that must be there.
  Result<void> expect(std::string_view prefix, bool sound) {
    if (ended_ || !line_.starts_with(prefix) || !sound)
      return refuse(concat("expected \"", prefix, "…\", found ", ended_ ? "the end" : quoted(line_)));
    return next();
  }

  static bool is_name(std::string_view text, std::string_view prefix) {
    const bool rooted = text.starts_with(prefix) || text.starts_with(concat("\"", prefix));
    // libgit2 drops one of two slashes, and ends a name at a NUL; nobody has to escape a slash.
    return rooted && text.find("//") == std::string_view::npos && text.find("\\000") == std::string_view::npos &&
           text.find("\\057") == std::string_view::npos && text.find('\r') == std::string_view::npos;
  }

  Result<void> file() {
    const bool two = line_.find(" b/") != std::string_view::npos || line_.find(" \"b/") != std::string_view::npos;
    CG_CHECK(expect("diff --git ", take("diff --git ") && two && is_name(word_, "a/")));
    bool added = false, deleted = false;
    if (take("new file mode ")) {
      added = true;
      CG_CHECK(expect("new file mode ", is_mode(word_)));
    } else if (take("deleted file mode ")) {
      deleted = true;
      CG_CHECK(expect("deleted file mode ", is_mode(word_)));
    } else if (take("old mode ")) {
      CG_CHECK(expect("old mode ", is_mode(word_)));
      CG_CHECK(expect("new mode ", take("new mode ") && is_mode(word_)));
    }
    CG_CHECK(expect("index ", take("index ") && is_index(added, deleted)));
    if (take("--- ")) return text(added, deleted);
    if (line_ == "GIT binary patch") return binary();
    return {};
  }

  bool is_index(bool added, bool deleted) const {
    const std::string none(kOid, '0');
    const std::string_view before = word_.substr(0, kOid), dots = word_.substr(std::min(word_.size(), kOid));
    if (!is_oid(before) || !dots.starts_with("..") || !is_oid(dots.substr(2, kOid))) return false;
    const std::string_view after = dots.substr(2, kOid), mode = dots.substr(2 + kOid);
    if ((before == none) != added || (after == none) != deleted) return false;
    return mode.empty() || (mode.front() == ' ' && is_mode(mode.substr(1)) && !added && !deleted);
  }

  Result<void> text(bool added, bool deleted) {
    CG_CHECK(expect("--- ", added ? word_ == "/dev/null" : is_name(word_, "a/")));
    CG_CHECK(expect("+++ ", take("+++ ") && (deleted ? word_ == "/dev/null" : is_name(word_, "b/"))));
    std::uint64_t old_end = 1, new_end = 1;  // of the last hunk
    if (!line_.starts_with("@@ ")) return refuse(concat("expected a hunk, found ", quoted(line_)));
    while (!ended_ && line_.starts_with("@@ ")) CG_CHECK(hunk(old_end, new_end));
    return {};
  }

  /// "@@ -A,B +C,D @@", and after a blank whatever the function is.
  Result<void> hunk(std::uint64_t& old_end, std::uint64_t& new_end) {
    const auto words = split(line_.substr(0, line_.find(" @@", 3)), ' ');
    const auto behind = line_.find(" @@", 3);
    const bool closed = behind != std::string_view::npos && (line_.size() == behind + 3 || line_[behind + 3] == ' ');
    if (!closed || words.size() != 3 || !words[1].starts_with('-') || !words[2].starts_with('+'))
      return refuse(concat("expected \"@@ -A,B +C,D @@\", found ", quoted(line_)));
    const auto before = read_range(std::string_view(words[1]).substr(1));
    const auto after = read_range(std::string_view(words[2]).substr(1));
    if (!before || !after) return refuse(concat("expected ranges of lines, found ", quoted(line_)));
    if (before->begin < old_end || before->begin - old_end != after->begin - new_end)
      return refuse("expected a hunk behind the one before, at the same place of both files");
    old_end = before->begin + before->count;
    new_end = after->begin + after->count;
    if (before->count != after->count) ++files_.back().uneven;
    CG_CHECK(next());
    return lines(before->count, after->count);
  }

  Result<void> lines(std::uint64_t old_lines, std::uint64_t new_lines) {
    bool changes = false;
    while (old_lines > 0 || new_lines > 0) {
      const char sign = line_.empty() ? '\0' : line_.front();
      const bool in_old = sign == ' ' || sign == '-', in_new = sign == ' ' || sign == '+';
      if (ended_ || (!in_old && !in_new)) return refuse("expected more lines of this hunk");
      if ((in_old && old_lines == 0) || (in_new && new_lines == 0)) return refuse("found more lines than the hunk has");
      if (in_old) --old_lines;
      if (in_new) --new_lines;
      if (sign == '+') ++files_.back().added;
      changes = changes || sign != ' ';
      CG_CHECK(next());
      if (line_ != kNoNewline) continue;
      if ((in_old && old_lines > 0) || (in_new && new_lines > 0)) return refuse("found lines behind the last one");
      CG_CHECK(next());
    }
    return changes ? Result<void>{} : refuse("expected a hunk that changes something");
  }

  Result<void> binary() {
    CG_CHECK(next());
    CG_CHECK(binary_side());
    return binary_side();
  }

  Result<void> binary_side() {
    const bool known = take("literal ") || take("delta ");
    const auto size = known ? parse_unsigned(word_) : std::nullopt;
    if (ended_ || !size) return refuse("expected \"literal SIZE\" or \"delta SIZE\"");
    if (*size > limits_.content - content_)
      return refuse(concat("expected binary content of at most ", format_bytes(limits_.content), " in all"));
    content_ += *size;
    CG_CHECK(next());
    bool any = false;
    for (; !ended_ && !line_.empty(); any = true) {
      const std::size_t packed = packed_length(line_.front());
      if (packed == 0 || line_.size() != 1 + (packed + 3) / 4 * 5) return refuse("expected a line of base 85");
      CG_CHECK(next());
    }
    if (ended_ || !any) return refuse("expected binary content and an empty line behind it");
    return next();
  }

  std::string_view rest_, line_, word_;  ///< word_: of the line, behind the prefix last taken
  PatchLimits limits_;
  std::size_t number_ = 0;
  bool ended_ = false;
  std::uint64_t content_ = 0;
  std::vector<PatchedFile> files_;
};

}  // namespace

Result<std::vector<PatchedFile>> check_patch_form(std::string_view patch, const PatchLimits& limits) {
  return PatchReader(patch, limits).read();
}

}  // namespace crategate::git
