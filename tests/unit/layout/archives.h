// Image archives for tests: tar streams written by hand, so that hostile ones can be written too.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/http.h"
#include "oci/digest.h"

namespace crategate::test {

/// One tar entry; `type` and `link` as in ustar headers.
struct Entry {
  std::string name, data;
  char type = '0';
  std::string link;
  std::string size_field = {};  ///< instead of the true size, octal
};

/// A PAX header with such records (`path=x`) for the entry after it.
Entry pax(const std::vector<std::string>& records);

std::string tar(const std::vector<Entry>& entries);
/// In pieces of `piece` bytes.
net::BodySource source_of(std::string bytes, std::size_t piece = 1000);
std::string drain(const net::BodySource& source);
std::string hex(const std::string& bytes);
std::string gzip(const std::string& bytes);
std::string zstd(const std::string& bytes);

/// A one-platform image in the forms that engines save.
struct SavedImage {
  std::vector<std::string> layers{"layer one", "layer two"};  ///< uncompressed
  std::string architecture = "amd64";
  bool compressed = false;
  std::vector<std::string> diff_ids = {};  ///< instead of the true ones

  std::string config() const;
  std::string manifest() const;
  std::string stored(std::size_t index) const;  ///< a layer as it is in the archive
  std::vector<Entry> oci_entries() const;       ///< docker 25 and newer, containerd
  std::vector<Entry> legacy_entries() const;    ///< docker 20.10
};

std::string index_of(const std::string& media_type, const std::string& manifest, const std::string& extra = {});

}  // namespace crategate::test
