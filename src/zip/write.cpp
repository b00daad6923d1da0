// Members → parts of about a MiB → compressed on several threads → one stream in order.
#include "zip/write.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/sha256.h"
#include "base/strings.h"
#include "sys/cancel.h"
#include "sys/environment.h"
#include "zip/names.h"
#include "zip/ordered_work.h"
#include "zip/packer.h"

namespace crategate::zip {
namespace {

constexpr std::uint64_t kWideFrom = 0xF0000000;  ///< with room for what cannot be compressed
constexpr unsigned kMostThreads = 16;
constexpr std::size_t kDepth = 64;

/// Takes parts in order and gives the archive's bytes away.
class Archive {
 public:
  Archive(const std::vector<const Member*>& members, const ByteSink& sink) : members_(members), sink_(sink) {}

  Result<void> take(const Part& part) {
    CG_CHECK(sys::check_cancelled());
    if (part.portion.cut) return take_cut(part);
    const std::uint64_t begin = written_.size;
    CG_CHECK(give(part.bytes));
    for (const Entry& entry : part.entries) {
      Entry moved = entry;
      moved.offset += begin;
      add(moved);
    }
    return {};
  }

  Result<Written> finish(const std::string& comment) {
    const std::uint64_t offset = written_.size, size = directory_.size();
    CG_CHECK(give(directory_));
    CG_CHECK(give(end_records(written_.members, offset, size, comment)));
    written_.sha256 = hash_.finish();
    return written_;
  }

 private:
  Result<void> take_cut(const Part& part) {
    const Portion& portion = part.portion;
    const Member& member = *members_[portion.first];
    if (portion.offset == 0) {
      current_ = {.name = member.name, .mode = member.mode & 0777, .streamed = true, .method = kDeflated};
      current_.offset = written_.size;
      current_.wide = size_of(member) >= kWideFrom;
      stamp_ = part.stamp;
      CG_CHECK(give(local_header(current_)));
    }
    if (part.stamp != stamp_) return changed_meanwhile(member.source);
    CG_CHECK(give(part.bytes));
    current_.crc = join_crc32(current_.crc, part.crc, portion.length);
    current_.size += portion.length;
    current_.packed += part.bytes.size();
    if (current_.size < size_of(member)) return {};
    CG_CHECK(give(descriptor(current_)));
    add(current_);
    return {};
  }

  void add(const Entry& entry) {
    directory_ += central_header(entry);
    ++written_.members;
    written_.content += entry.size;
  }

  Result<void> give(std::string_view bytes) {
    written_.size += bytes.size();
    hash_.update(bytes);
    return sink_(bytes);
  }

  const std::vector<const Member*>& members_;
  const ByteSink& sink_;
  Sha256 hash_;
  Written written_;
  std::string directory_;
  Entry current_;  ///< the one that is cut
  Stamp stamp_;
};

Result<std::vector<const Member*>> in_order_of_names(const std::vector<Member>& members) {
  std::vector<const Member*> sorted;
  sorted.reserve(members.size());
  for (const Member& member : members) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(), [](const Member* a, const Member* b) { return a->name < b->name; });
  NameTree names;
  for (const Member* member : sorted) {
    const auto fault = fault_of_name(member->name, kDepth);
    if (fault || member->name.ends_with('/') != (member->kind == Member::Kind::directory))
      return fail(
          ErrorCode::bad_input,
          concat("the name ", quoted(member->name, 200), " ", fault.value_or("is not that of a file or directory"),
                 ": it could not be extracted everywhere"),
          "rename it, or leave it out");
    CG_CHECK(names.add(member->name));
  }
  return sorted;
}

Result<void> check_comment(const std::string& comment) {
  if (comment.size() > kLongestComment || comment.find("PK\x05\x06") != std::string::npos)
    return fail(ErrorCode::bad_input, concat("a comment of ", comment.size(), " bytes, expected at most ",
                                             kLongestComment, " and no end record in it"));
  return {};
}

}  // namespace

Result<Written> write(const std::vector<Member>& members, const WriteOptions& options, const ByteSink& sink) {
  CG_CHECK(check_comment(options.comment));
  CG_CHECK(Compressor::create(options.level));
  CG_TRY(const auto sorted, in_order_of_names(members));
  const auto portions = cut(sorted);
  const unsigned cores = options.workers > 0 ? options.workers : static_cast<unsigned>(sys::available_cores());
  Archive archive(sorted, sink);
  const auto create_packer = [&]() -> Result<Maker<Part>> {
    CG_TRY(Compressor compressor, Compressor::create(options.level));
    const auto packer = std::make_shared<Packer>(std::move(compressor), sorted, options.level);
    return [packer, &portions](std::size_t index) { return packer->pack(portions[index]); };
  };
  CG_CHECK(in_order<Part>(portions.size(), std::min(cores, kMostThreads), create_packer,
                          [&archive](Part&& part) { return archive.take(part); }));
  return archive.finish(options.comment);
}

}  // namespace crategate::zip
