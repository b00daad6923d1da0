// Folders first, then files on several threads, then the one step that makes them visible.
#include "zip/extract.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>

#include "base/strings.h"
#include "sys/beneath.h"
#include "sys/cancel.h"
#include "sys/environment.h"
#include "sys/ownership.h"
#include "zip/inflate.h"
#include "zip/ordered_work.h"

namespace crategate::zip {
namespace {

constexpr std::size_t kBatch = 32;  ///< files that a thread takes at once
constexpr unsigned kMostThreads = 16;
constexpr unsigned kOwnerReads = 0400, kOwnerAll = 0700;

Failure cannot_write(const std::string& name, int number) {
  return fail(sys::system_error(concat("cannot write ", quoted(name, 200)), number));
}

/// The folders that members are in or are, sorted; without a last '/'. Those around them are not in it.
std::set<std::string_view> folders(const std::vector<Entry>& entries) {
  std::set<std::string_view> all;
  for (const Entry& entry : entries) {
    const std::string_view name = entry.name;
    if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos) all.insert(name.substr(0, slash));
  }
  return all;
}

Result<void> make_folder(const sys::Descriptor& root, const std::string& folder) {
  if (::mkdirat(root.get(), folder.c_str(), kOwnerAll) != 0)
    return errno == EEXIST ? Result<void>() : cannot_write(folder, errno);
  sys::give_to_owner(root.get(), folder);
  // The umask has no say: what is unpacked is the same everywhere.
  return ::fchmodat(root.get(), folder.c_str(), 0755, 0) == 0 ? Result<void>() : cannot_write(folder, errno);
}

Result<void> make_folders(const sys::Descriptor& root, const std::vector<Entry>& entries) {
  std::string_view before;
  for (const std::string_view folder : folders(entries)) {
    // What it begins with like the one before is there already.
    const auto differ = std::mismatch(folder.begin(), folder.end(), before.begin(), before.end()).first;
    const auto same = static_cast<std::size_t>(differ - folder.begin());
    for (std::size_t end = folder.find('/', same); end != std::string_view::npos; end = folder.find('/', end + 1))
      CG_CHECK(make_folder(root, std::string(folder.substr(0, end))));
    CG_CHECK(make_folder(root, std::string(folder)));
    before = folder;
  }
  return {};
}

/// One thread's: its buffers, and the folder it is in.
class Extractor {
 public:
  Extractor(const Bytes& archive, const sys::Descriptor& root) : archive_(archive), root_(root) {}

  Result<void> extract(const Entry& entry) {
    CG_TRY(const int folder, open_folder(entry.name));
    const std::string leaf = entry.name.substr(entry.name.rfind('/') + 1);
    const sys::Descriptor file(
        ::openat(folder, leaf.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnerAll & 0600));
    if (!file.valid()) return cannot_write(entry.name, errno);
    sys::give_to_owner(root_, file);
    CG_CHECK(unpacker_.unpack(archive_, entry, [&](std::string_view bytes) -> Result<void> {
      const int number = sys::write_all(file.get(), bytes);
      return number == 0 ? sys::check_cancelled() : Result<void>(cannot_write(entry.name, number));
    }));
    if (::fchmod(file.get(), entry.mode | kOwnerReads) != 0) return cannot_write(entry.name, errno);
    return {};
  }

 private:
  Result<int> open_folder(const std::string& name) {
    const std::size_t slash = name.rfind('/');
    if (slash == std::string::npos) return root_.get();
    if (const auto folder = name.substr(0, slash); folder != folder_) {
      CG_TRY(const auto components, sys::components_below(folder));
      opened_ = sys::open_beneath(root_, components, O_PATH | O_DIRECTORY);
      if (!opened_.valid()) return cannot_write(name, errno);
      folder_ = folder;
    }
    return opened_.get();
  }

  const Bytes& archive_;
  const sys::Descriptor& root_;
  Unpacker unpacker_;
  std::string folder_;
  sys::Descriptor opened_;
};

/// The members that are files, in rows for one thread at a time; a large one alone.
std::vector<std::vector<const Entry*>> batches(const std::vector<Entry>& entries) {
  constexpr std::uint64_t kLarge = 1u << 20;
  std::vector<std::vector<const Entry*>> all;
  for (const Entry& entry : entries) {
    if (entry.directory) continue;
    const bool joins =
        !all.empty() && all.back().size() < kBatch && entry.size < kLarge && all.back().back()->size < kLarge;
    if (!joins) all.emplace_back();
    all.back().push_back(&entry);
  }
  return all;
}

struct Done {};

Result<void> make_files(const Bytes& archive, const sys::Descriptor& root, const std::vector<Entry>& entries,
                        unsigned threads) {
  const auto work = batches(entries);
  const auto create = [&]() -> Result<Maker<Done>> {
    const auto extractor = std::make_shared<Extractor>(archive, root);
    return [extractor, &work](std::size_t index) -> Result<Done> {
      CG_CHECK(sys::check_cancelled());
      for (const Entry* entry : work[index]) CG_CHECK(extractor->extract(*entry));
      return Done{};
    };
  };
  return in_order<Done>(work.size(), threads, create, [](Done&&) { return Result<void>(); });
}

Result<void> set_folder_modes(const sys::Descriptor& root, const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (entry.directory && ::fchmodat(root.get(), entry.name.c_str(), entry.mode | kOwnerAll, 0) != 0)
      return cannot_write(entry.name, errno);
  }
  return {};
}

std::uint64_t content_of(const Directory& directory) {
  std::uint64_t total = 0;
  for (const Entry& entry : directory.entries) total += entry.size;
  return total;
}

Result<Extracted> extract_below(const Bytes& archive, const sys::Path& destination, const ExtractOptions& options) {
  CG_TRY(Directory directory, read_directory(archive, options.limits));
  const Extracted done{directory.entries.size(), content_of(directory), directory.comment};
  CG_TRY(const std::uint64_t room, sys::PosixFileSystem().free_space(destination));
  if (done.content > room)
    return fail(ErrorCode::no_space,
                concat("the archive unpacks to ", format_bytes(done.content), " and there are ", format_bytes(room)),
                "free some disk space and run the same command again");
  CG_TRY(Staging staging, Staging::create(destination, directory.entries, options.existing));
  CG_CHECK(make_folders(staging.directory(), directory.entries));
  const unsigned cores = options.workers > 0 ? options.workers : static_cast<unsigned>(sys::available_cores());
  CG_CHECK(make_files(archive, staging.directory(), directory.entries, std::min(cores, kMostThreads)));
  CG_CHECK(set_folder_modes(staging.directory(), directory.entries));
  CG_CHECK(staging.give(directory.entries));
  return done;
}

}  // namespace

Result<Extracted> extract(const sys::Path& archive, const sys::Path& destination, const ExtractOptions& options) {
  CG_TRY(const Bytes bytes, bytes_of_file(archive));
  auto done = extract_below(bytes, destination, options);
  if (!done) return fail(std::move(done).error().within(concat("extracting ", quoted(archive.string(), 200))));
  return done;
}

}  // namespace crategate::zip
