// One entry of the central directory, and the extra fields that local headers have as well.
// Belongs here: what one record says.  Not here: whether the records of an archive agree (directory).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "zip/records.h"

namespace crategate::zip {

struct CentralRecord {
  std::string_view fixed;  ///< its first 46 bytes
  std::string_view name, extra;
};

/// Errors: integrity for a name that cannot be extracted (names.h), and what read_directory refuses of one member.
Result<Entry> parse_central(const CentralRecord& record, std::size_t depth);

/// One extra field; nullopt when it is absent.
/// Errors: integrity when the fields do not fill their room, or it is there twice.
Result<std::optional<std::string_view>> extra_field(std::string_view extra, std::uint64_t id, const std::string& name);
/// A second name that other readers would use must be the same one.
Result<void> check_second_name(std::string_view extra, const std::string& name);

/// "the archive has the member "a", which …".
Failure refuse_member(const std::string& name, std::string_view why);

}  // namespace crategate::zip
