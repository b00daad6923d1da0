#include "git/tree_apply.h"

#include <git2.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/file_name.h"
#include "base/strings.h"
#include "git/patch_form.h"
#include "git/tree_objects.h"

namespace crategate::git {
namespace {

/// libgit2 moves the list of a file's lines for every hunk that makes it longer or shorter; of all hunks, in bytes.
constexpr std::uint64_t kMostMoved = 1ULL << 36U;

/// What the patch says of one path.
struct Named {
  std::string path;
  std::optional<FoundEntry> before, after;
};

Failure refuse(std::string_view path, std::string_view why) {
  return fail(ErrorCode::bad_input, concat("the patch's file ", quoted(path, 200), ": ", why));
}

std::string_view path_of(const git_diff_delta& delta) {
  return delta.new_file.path != nullptr ? delta.new_file.path : "";
}

Result<Named> read_delta(const git_diff_delta& delta) {
  const std::string path(path_of(delta));
  const bool one = delta.old_file.path != nullptr && path == delta.old_file.path;
  if (path.empty() || !one)
    return refuse(path, "expected the same name before and after; renames and copies are refused");
  if (const auto fault = fault_of_tree_path(path)) return refuse(path, concat("the path ", *fault));
  const auto side = [&](const git_diff_file& file) -> Result<std::optional<FoundEntry>> {
    const auto mode = entry_mode(file.mode);
    if (!mode || *mode == EntryMode::submodule) return refuse(path, "expected a file or a link, found another mode");
    return FoundEntry{*mode, to_text(file.id)};
  };
  Named named{.path = path};
  const bool known =
      delta.status == GIT_DELTA_ADDED || delta.status == GIT_DELTA_DELETED || delta.status == GIT_DELTA_MODIFIED;
  if (!known) return refuse(path, "expected a new, a deleted or a changed file");
  if (delta.status != GIT_DELTA_ADDED) {
    CG_TRY(named.before, side(delta.old_file));
  }
  if (delta.status != GIT_DELTA_DELETED) {
    CG_TRY(named.after, side(delta.new_file));
  }
  return named;
}

bool same(const std::optional<FoundEntry>& one, const std::optional<FoundEntry>& other) {
  if (!one || !other) return one.has_value() == other.has_value();
  return one->mode == other->mode && one->oid == other->oid;
}

std::string shown(const std::optional<FoundEntry>& entry) {
  return entry ? concat(entry->oid, " of mode ", mode_text(entry->mode)) : "none";
}

/// As in a mail, an end behind each file that has no content, and behind the last one: libgit2 1.5 takes such a file for a broken
/// one where it is removed and another one follows, or where the text ends behind it. Of the form of patch_form, no content
/// begins like a header.
std::string with_ends(std::string_view patch) {
  constexpr std::string_view kEnd = "-- \n";
  std::string text;
  bool after_header = false;
  for (std::size_t begin = 0; begin < patch.size();) {
    const std::size_t end = std::min(patch.find('\n', begin), patch.size() - 1) + 1;
    const std::string_view line = patch.substr(begin, end - begin);
    if (after_header && line.starts_with("diff --git ")) text += kEnd;
    after_header = line.starts_with("index ");
    text += line;
    begin = end;
  }
  return text += kEnd;
}

class Application {
 public:
  Application(git_repository& repository, const std::string& tree) : repository_(repository), tree_(tree) {}

  Result<std::string> run(std::string_view patch) {
    CG_TRY(const auto files, check_patch_form(patch));
    CG_CHECK(walk_tree(repository_, tree_, kMostEntries, [](const auto&, auto, const auto&) {}));
    CG_TRY(base_, find_tree(repository_, tree_));
    const std::string text = with_ends(patch);
    git_diff* parsed = nullptr;
    CG_CHECK(checked(git_diff_from_buffer(&parsed, text.data(), text.size()), "the patch"));
    const Handle<git_diff> diff(parsed);
    CG_CHECK(read_names(*diff, files.size()));
    CG_CHECK(check_fit());
    CG_CHECK(check_moves(files));
    CG_CHECK(check_binaries(*diff));
    CG_TRY(const std::string result, apply(*diff));
    CG_CHECK(check_result(result));
    return result;
  }

 private:
  Result<void> read_names(const git_diff& diff, std::size_t files);
  Result<void> check_fit() const;
  Result<void> check_moves(const std::vector<PatchedFile>& files) const;
  Result<void> check_binaries(git_diff& diff) const;
  Result<std::string> apply(git_diff& diff);
  Result<void> check_result(const std::string& result) const;

  git_repository& repository_;
  const std::string& tree_;
  Handle<git_tree> base_;
  std::vector<Named> named_;
  std::unordered_map<std::string, std::size_t> by_path_;
};

Result<void> Application::read_names(const git_diff& diff, std::size_t files) {
  const std::size_t count = git_diff_num_deltas(&diff);
  if (count != files)
    return fail(ErrorCode::bad_input, concat("the patch: expected ", files, " files, libgit2 found ", count));
  for (std::size_t i = 0; i < count; ++i) {
    CG_TRY(Named named, read_delta(*git_diff_get_delta(&diff, i)));
    if (!by_path_.emplace(named.path, i).second) return refuse(named.path, "expected once, found twice");
    named_.push_back(std::move(named));
  }
  return {};
}

Result<void> Application::check_fit() const {
  for (const Named& named : named_) {
    CG_TRY(const auto entry, find_entry(*base_, named.path));
    if (!same(entry, named.before))
      return refuse(named.path, concat("expected ", shown(named.before), " before, found ", shown(entry)));
  }
  return {};
}

Result<void> Application::check_moves(const std::vector<PatchedFile>& files) const {
  std::uint64_t moved = 0;
  for (std::size_t i = 0; i < named_.size(); ++i) {
    if (files[i].uneven < 2 || !named_[i].before) continue;
    CG_TRY(const std::string content, read_blob(repository_, named_[i].before->oid, kMostMoved));
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(content, '\n')) + files[i].added + 1;
    moved += std::min(lines, kMostMoved) * sizeof(void*) * files[i].uneven / 2;
    if (moved > kMostMoved) return refuse(named_[i].path, "expected fewer hunks in so large a file");
  }
  return {};
}

/// Sizes in front of a delta: seven bits a byte, the lowest first.
std::optional<std::uint64_t> take_size(std::string_view& head) {
  std::uint64_t size = 0;
  for (unsigned shift = 0; shift < 63 && !head.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(head.front());
    head.remove_prefix(1);
    size |= static_cast<std::uint64_t>(byte & 0x7Fu) << shift;
    if ((byte & 0x80u) == 0) return size;
  }
  return std::nullopt;
}

struct Inflated {
  std::uint64_t size = 0;
  std::string head;  ///< enough for the two sizes of a delta
};

/// Inflates without keeping it, and not far beyond `most`; nullopt for what is no zlib stream from end to end. libgit2
/// inflates without a limit, and 1.5 a stream that is cut off without an end.
std::optional<Inflated> inflate_all(std::string_view packed, std::uint64_t most) {
  constexpr std::size_t kHead = 20;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return std::nullopt;
  // zlib does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::array<char, 1U << 16U> chunk{};
  Inflated inflated;
  int code = Z_OK;
  while (code == Z_OK && inflated.size <= most) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = chunk.size();
    code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = chunk.size() - stream.avail_out;
    if (inflated.head.size() < kHead) inflated.head.append(chunk.data(), std::min(got, kHead));
    inflated.size += got;
  }
  const bool whole = code == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  return whole ? std::optional(inflated) : std::nullopt;
}

/// Bytes of memory that libgit2 takes for one side, if it is what its line says.
Result<std::uint64_t> unpacked_size(const git_diff_binary_file& side, std::string_view path) {
  const auto inflated = inflate_all({side.data, side.datalen}, side.inflatedlen);
  if (!inflated || inflated->size != side.inflatedlen)
    return refuse(path, concat("expected binary content of ", side.inflatedlen, " bytes, found another size or none"));
  if (side.type == GIT_DIFF_BINARY_LITERAL) return inflated->size;
  std::string_view head = inflated->head;
  const auto base = take_size(head), result = take_size(head);
  constexpr std::uint64_t kLargest = 1ULL << 40U;
  if (!base || !result || *result > kLargest) return refuse(path, "expected a delta, found something else");
  return inflated->size + *result;
}

struct BinaryCheck {
  std::uint64_t left = PatchLimits{}.content;
  Result<void> answer;
};

Result<void> check_binary(const git_diff_delta& delta, const git_diff_binary& binary, std::uint64_t& left) {
  for (const auto* side : {&binary.new_file, &binary.old_file}) {
    CG_TRY(const std::uint64_t size, unpacked_size(*side, path_of(delta)));
    if (size > left)
      return refuse(path_of(delta),
                    concat("expected binary content of at most ", format_bytes(PatchLimits{}.content), " in all"));
    left -= size;
  }
  return {};
}

Result<void> Application::check_binaries(git_diff& diff) const {
  BinaryCheck check;
  const auto of_file = [](const git_diff_delta*, float, void*) { return 0; };
  const auto of_binary = [](const git_diff_delta* delta, const git_diff_binary* binary, void* to) {
    auto& into = *static_cast<BinaryCheck*>(to);
    if (into.answer) into.answer = check_binary(*delta, *binary, into.left);
    return into.answer ? 0 : static_cast<int>(GIT_EUSER);
  };
  const int code = git_diff_foreach(&diff, of_file, of_binary, nullptr, nullptr, &check);
  CG_CHECK(check.answer);
  return checked(code, "the patch");
}

Result<std::string> Application::apply(git_diff& diff) {
  std::string at;
  git_apply_options options;
  CG_CHECK(checked(git_apply_options_init(&options, GIT_APPLY_OPTIONS_VERSION), "applying the patch"));
  options.payload = &at;
  options.delta_cb = [](const git_diff_delta* delta, void* path) {
    *static_cast<std::string*>(path) = path_of(*delta);
    return 0;
  };
  git_index* made = nullptr;
  const int code = git_apply_to_tree(&made, &repository_, base_.get(), &diff, &options);
  CG_CHECK(checked(code, concat("the patch's file ", quoted(at, 200))));
  const Handle<git_index> index(made);
  return write_tree(repository_, *index);
}

/// Whatever libgit2 made of it: exactly the named paths differ, and each is what its index line says.
Result<void> Application::check_result(const std::string& result) const {
  CG_TRY(const auto made, find_tree(repository_, result));
  for (const Named& named : named_) {
    CG_TRY(const auto entry, find_entry(*made, named.path));
    if (!same(entry, named.after))
      return refuse(named.path, concat("expected ", shown(named.after), " after, found ", shown(entry)));
  }
  CG_TRY(const auto changes, difference(repository_, tree_, result));
  for (const TreeChange& change : changes) {
    if (!by_path_.contains(change.path)) return refuse(change.path, "is changed, but not named");
  }
  if (changes.size() != named_.size())
    return fail(ErrorCode::bad_input, concat("the patch: expected ", named_.size(), " changed files, found ",
                                             changes.size(), "; a file is named that does not change"));
  return {};
}

}  // namespace

Result<std::string> apply_patch(git_repository& repository, const std::string& tree, std::string_view patch) {
  return Application(repository, tree).run(patch);
}

}  // namespace crategate::git
