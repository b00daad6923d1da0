// HttpRegistry: what refers to a manifest.
// Belongs here: the referrers API, and the tag that stands in for it.  Not here: copying them (copy).
#include "registry/referrers.h"

#include <algorithm>

#include "base/strings.h"
#include "oci/media_types.h"
#include "registry/http_registry.h"

namespace crategate::registry {
namespace {

constexpr int kMostPages = 1000;
constexpr std::size_t kMostReferrers = 1024;
constexpr int kTriesOfAList = 8;

Result<void> add_page(const Answer& answer, std::vector<oci::Descriptor>& found) {
  CG_TRY(auto index, oci::parse_index(answer.response.body, answer.response.header("content-type")));
  std::move(index.manifests.begin(), index.manifests.end(), std::back_inserter(found));
  if (found.size() <= kMostReferrers) return {};
  return fail(ErrorCode::integrity, concat(answer.asked.repository.familiar(), ": expected at most ", kMostReferrers,
                                           " referrers of a manifest, found more"));
}

/// nullopt = the registry has no such API.
Result<std::optional<std::vector<oci::Descriptor>>> listed_by_api(Session& session, const oci::Repository& repository,
                                                                  const oci::Digest& subject) {
  if (!session.capabilities().has(repository.registry, Capability::referrers)) return std::nullopt;
  Query query{.repository = repository,
              .path = concat("referrers/", subject.text()),
              .headers = {{"Accept", std::string(oci::kOciIndex)}}};
  std::vector<oci::Descriptor> found;
  net::Deadline deadline = session.deadline();
  for (int page = 0; page < kMostPages; ++page) {
    CG_TRY(const Answer answer, session.send_patiently(query, deadline));
    const int status = answer.response.status;
    // A registry that has the API answers 200 with an empty list for what nobody refers to.
    if (page == 0 && (status == 404 || status == 400 || status == 405 || status == 501)) {
      // A repository that is not there says nothing about the others.
      if (!is_registry_404(answer.response)) session.capabilities().lacks(repository.registry, Capability::referrers);
      return std::nullopt;
    }
    if (status != 200) return fail(registry_failure(answer.asked, answer.response));
    CG_CHECK(add_page(answer, found));
    CG_TRY(query.url, next_page(answer));
    if (!query.url) return found;
  }
  return fail(ErrorCode::integrity, concat("registry ", repository.registry, ": expected a list of at most ",
                                           kMostPages, " pages, found more"));
}

Result<oci::Index> listed_by_tag(RegistryReader& reader, const oci::Reference& tag) {
  CG_TRY(const auto stored, reader.manifest(tag));
  if (!stored) return oci::Index{std::string(oci::kOciIndex), {}, {}};
  return oci::parse_index(stored->bytes, stored->descriptor.media_type);
}

oci::Reference fallback(const oci::Repository& repository, const oci::Digest& subject) {
  return {repository, oci::referrers_tag(subject), std::nullopt};
}

bool names(const std::vector<oci::Descriptor>& list, const oci::Digest& digest) {
  return std::ranges::find(list, digest, &oci::Descriptor::digest) != list.end();
}

/// Until `change` finds nothing left to do: false = the list is as it should be.
Result<void> change_list(const Lists& lists, const oci::Reference& tag,
                         const std::function<bool(std::vector<oci::Descriptor>&)>& change) {
  const std::lock_guard lock(lists.changing);
  for (int tried = 0;; ++tried) {
    CG_TRY(oci::Index index, listed_by_tag(lists.reader, tag));
    if (!change(index.manifests)) return {};
    if (tried == kTriesOfAList) break;
    CG_CHECK(lists.write(tag, index));
    lists.wait(tried + 1);
  }
  return fail(ErrorCode::unavailable,
              concat(tag.familiar(), ": expected the list of referrers as it was written, found another ",
                     kTriesOfAList, " times"),
              "something else writes to the same list, or the registry ignores the write; run again");
}

}  // namespace

Result<std::vector<oci::Descriptor>> HttpRegistry::referrers(const oci::Repository& repository,
                                                             const oci::Digest& subject) {
  CG_TRY(auto listed, listed_by_api(impl_->session, repository, subject));
  if (listed) return *std::move(listed);
  CG_TRY(auto index, listed_by_tag(*this, fallback(repository, subject)));
  return std::move(index.manifests);
}

Result<bool> lists_referrers(Session& session, const oci::Repository& repository, const oci::Digest& subject) {
  CG_TRY(const auto listed, listed_by_api(session, repository, subject));
  return listed.has_value();
}

Result<void> list_as_referrer(const Lists& lists, const oci::Repository& repository, std::string_view bytes,
                              std::string_view media_type) {
  CG_TRY(const auto referral, oci::parse_referral(bytes, media_type));
  if (!referral) return {};
  return change_list(lists, fallback(repository, referral->subject), [&](std::vector<oci::Descriptor>& list) {
    if (names(list, referral->entry.digest)) return false;
    list.push_back(referral->entry);
    return true;
  });
}

Result<void> list_unless_listed(const Lists& lists, const oci::Repository& repository, std::string_view bytes,
                                std::string_view media_type) {
  CG_TRY(const auto referral, oci::parse_referral(bytes, media_type));
  if (!referral) return {};
  CG_TRY(const auto listed, lists.reader.referrers(repository, referral->subject));
  if (names(listed, referral->entry.digest)) return {};
  return list_as_referrer(lists, repository, bytes, media_type);
}

Result<void> unlist_referrer(const Lists& lists, const oci::Repository& repository, const oci::Referral& gone) {
  return change_list(lists, fallback(repository, gone.subject), [&](std::vector<oci::Descriptor>& list) {
    return std::erase_if(list, [&](const auto& entry) { return entry.digest == gone.entry.digest; }) > 0;
  });
}

}  // namespace crategate::registry
