// HttpRegistry: lists that come in pages.
// Belongs here: tags, and where the next page may be.  Not here: referrers, whose list can also be a tag (referrers).
#include "base/strings.h"
#include "json/value.h"
#include "net/link.h"
#include "registry/http_registry.h"

namespace crategate::registry {
namespace {

constexpr int kMostPages = 1000;
constexpr std::size_t kMostTags = 1000000;

Result<void> add_tags(const Answer& answer, std::vector<std::string>& tags) {
  CG_TRY(const auto document,
         json::Document::parse(answer.response.body, "tags", {.max_bytes = oci::kManifestLimit}, ErrorCode::integrity));
  CG_TRY(const auto list, document.root().find("tags"));
  if (!list || list->is_null()) return {};
  CG_TRY(const auto items, list->items());
  for (const auto& item : items) {
    CG_TRY(const std::string text, item.as_string());
    auto tag = oci::parse_tag(text);
    if (!tag) return item.expected("a tag");
    tags.push_back(*std::move(tag));
  }
  if (tags.size() <= kMostTags) return {};
  return fail(ErrorCode::integrity,
              concat(answer.asked.repository.familiar(), ": expected at most ", kMostTags, " tags, found more"));
}

}  // namespace

Result<std::optional<net::Url>> next_page(const Answer& answer) {
  CG_TRY(const auto next, net::next_page(answer.response.headers));
  if (!next) return std::nullopt;
  CG_TRY(net::Url url, net::resolve(answer.url, *next));
  if (url.origin() != answer.url.origin()) {
    return fail(ErrorCode::integrity,
                concat("registry ", answer.asked.repository.registry, ": expected the next page on ",
                       answer.url.origin(), ", found ", url.origin()),
                "ask whoever runs the registry; nothing was sent to the other address");
  }
  if (url.target == answer.url.target) {
    return fail(ErrorCode::integrity,
                concat("registry ", answer.asked.repository.registry, ": a page of a list names itself as the next"));
  }
  return url;
}

Result<std::optional<std::vector<std::string>>> HttpRegistry::tags(const oci::Repository& repository) {
  Query query{.repository = repository, .path = "tags/list"};
  std::vector<std::string> tags;
  net::Deadline deadline = impl_->session.deadline();
  for (int page = 0; page < kMostPages; ++page) {
    CG_TRY(const Answer answer, impl_->session.send_patiently(query, deadline));
    if (answer.response.status == 404) {
      CG_CHECK(require_registry_404(answer));
      return std::nullopt;
    }
    if (answer.response.status != 200) return fail(registry_failure(answer.asked, answer.response));
    CG_CHECK(add_tags(answer, tags));
    CG_TRY(query.url, next_page(answer));
    if (!query.url) return tags;
  }
  return fail(ErrorCode::integrity, concat("registry ", repository.registry, ": expected a list of at most ",
                                           kMostPages, " pages, found more"));
}

}  // namespace crategate::registry
