// What the strict registry holds, and what each request does to it.
// Belongs here: content and its rules.  Not here: connections, logins, faults.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "json/value.h"
#include "support/strict_registry_request.h"

namespace crategate::test {

/// Where real registries differ, each by its name.
enum class RegistryQuirk : unsigned char {
  no_mount,           ///< a mount begins an upload
  refuses_mount,      ///< a mount is answered 405
  no_delete,          ///< 405
  no_tag_delete,      ///< deletes by digest only: 400
  immutable_tags,     ///< a tag that exists stays
  collects_untagged,  ///< a manifest that lost its last tag is gone
  accepted_created,   ///< 202 where 201 belongs
  relative_location,
  uploads_elsewhere,  ///< the upload location is on another host
  blobs_elsewhere,    ///< a blob is a redirect to another host
  no_content_digest,  ///< no Docker-Content-Digest
  no_referrers,       ///< 404 for the referrers API, no OCI-Subject
  no_ranges,          ///< a Range is ignored
  no_resume,          ///< the status of an upload is unknown
  chunk_minimum,      ///< OCI-Chunk-Min-Length
  small_requests,     ///< 413 above `largest_request`
  pages,              ///< lists come in pages of `page`
  lag,                ///< a manifest is not found by the first `lag` reads
  no_head,            ///< HEAD of a manifest is answered 405
  head_not_found,     ///< HEAD of a manifest is answered 404
  hidden_unknown,     ///< 404 NAME_UNKNOWN for what is not allowed
  hidden_denied,      ///< 404 DENIED for what is not allowed
  html_errors         ///< errors are pages
};

struct StrictRules {
  std::set<RegistryQuirk> quirks;
  std::size_t page = 3;
  int lag = 2;
  std::size_t chunk_minimum = 1U << 20U;
  std::size_t largest_request = 1U << 20U;
  bool has(RegistryQuirk quirk) const { return quirks.contains(quirk); }
};

Reply registry_problem(int status, const std::string& code, const std::string& message);

class StrictStore {
 public:
  struct Manifest {
    std::string bytes, media_type;
    bool operator==(const Manifest&) const = default;
  };
  /// Everything that a client could see.
  struct Repository {
    std::map<std::string, std::shared_ptr<const std::string>> blobs;  ///< by digest
    std::map<std::string, Manifest> manifests;                        ///< by digest
    std::map<std::string, std::string> tags;
  };
  using Complain = std::function<void(std::string)>;
  StrictStore(StrictRules rules, Complain complain) : rules_(std::move(rules)), complain_(std::move(complain)) {}

  /// `upload_base`, `blob_base`: in front of the paths that are handed out; empty = relative.
  void set_bases(std::string upload_base, std::string blob_base);
  Reply carry_out(const StrictRequest& asked, ReceivedRequest& request, bool on_storage);
  /// Bytes of an upload that was cut within its body.
  void receive(const std::string& upload, std::string_view bytes);
  std::string add_blob(const std::string& repository, std::string bytes);
  std::string add_manifest(const std::string& repository, const std::string& tag, const std::string& bytes,
                           const std::string& media_type);
  const std::map<std::string, Repository>& repositories() const { return repositories_; }
  std::size_t uploads() const { return uploads_.size(); }  ///< begun, and neither ended nor cancelled

 private:
  struct Upload {
    std::string repository, bytes;
    bool chunked = false, short_chunk = false;
  };
  Reply blob(const StrictRequest& asked, const ReceivedRequest& request, bool on_storage);
  Reply remove_blob(const StrictRequest& asked);
  Reply start_upload(const StrictRequest& asked);
  Reply upload_whole(const StrictRequest& asked, ReceivedRequest& request);
  Reply mount(const StrictRequest& asked);
  Reply upload_request(const StrictRequest& asked, ReceivedRequest& request);
  Reply append(Upload& upload, const StrictRequest& asked, ReceivedRequest& request);
  Reply end_upload(const StrictRequest& asked, ReceivedRequest& request);
  Reply blob_created(const std::string& repository, const std::string& digest) const;
  std::string upload_location(const std::string& repository, const std::string& id) const;

  Reply manifest(const StrictRequest& asked, const ReceivedRequest& request);
  Reply put_manifest(const StrictRequest& asked, const ReceivedRequest& request);
  Reply remove_manifest(const StrictRequest& asked);
  Reply tags(const StrictRequest& asked) const;
  Reply referrers(const StrictRequest& asked) const;
  std::string manifest_problem(const Repository& repository, const json::Reader& document) const;
  void collect(Repository& repository, const std::string& digest) const;
  bool lags(const std::string& repository, const std::string& reference);
  Reply created(const std::string& location, const std::string& digest) const;

  StrictRules rules_;
  Complain complain_;
  std::string upload_base_, blob_base_;
  std::map<std::string, Repository> repositories_;
  std::map<std::string, Upload> uploads_;
  std::map<std::string, int> hidden_;  ///< "repository@reference" → reads that still find nothing
  int next_upload_ = 1;
};

}  // namespace crategate::test
