// HttpRegistry: blobs of any size, as they arrive.
// Belongs here: going on after a cut, and with another source.  Not here: blobs that fit into memory (read).
#include "base/log.h"
#include "base/strings.h"
#include "registry/http_registry.h"

namespace crategate::registry {
namespace {

/// The parts of "bytes 5-9/10".
struct ContentRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> whole;
};

std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = parse_unsigned(text.substr(0, dash));
  if (!first) return std::nullopt;
  const auto whole = parse_unsigned(text.substr(slash + 1));
  return ContentRange{*first, whole ? std::optional<std::uint64_t>(*whole) : std::nullopt};
}

class Download {
 public:
  Download(Session& session, const oci::Repository& repository, const oci::Descriptor& blob, const net::BodySink& sink)
      : session_(session), sources_(session.sources(repository)), blob_(blob), sink_(sink), check_(blob.digest) {}

  Result<bool> run() {
    net::Deadline deadline = session_.deadline();
    for (int failed = 1;;) {
      const std::uint64_t before = check_.size();
      auto answer = attempt(deadline);
      if (last_word_) return fail(std::move(*last_word_));
      if (check_.size() > before) {
        deadline.renew();
        failed = 1;
      }
      if (answer && is_success(answer->response.status)) return finish();
      // All of it came, and only the answer's own end is missing: there is no rest to ask for.
      if (check_.size() > before && check_.size() == blob_.size) return finish();
      if (sources_.size() > 1) {
        log::debug(concat("mirror ", sources_.front().registry, " does not give ", blob_.digest.text()));
        sources_.erase(sources_.begin());
        continue;
      }
      if (session_.wait_for_another_try(answer, failed++, deadline)) continue;
      if (!answer) return fail(std::move(answer).error());
      if (answer->response.status != 404) return fail(registry_failure(answer->asked, answer->response));
      CG_CHECK(require_registry_404(*answer));
      if (check_.size() == 0) return false;
      return fail(registry_failure(answer->asked, answer->response));
    }
  }

 private:
  static bool is_success(int status) { return status == 200 || status == 206; }
  oci::Reference asked() const { return {sources_.front(), std::nullopt, blob_.digest}; }

  Result<Answer> attempt(net::Deadline& deadline) {
    Query query{.repository = sources_.front(),
                .path = concat("blobs/", blob_.digest.text()),
                .limit = kErrorLimit,
                .follow = true};
    query.hurried = sources_.size() > 1;
    const std::string& registry = query.repository.registry;
    if (check_.size() > 0 && session_.capabilities().has(registry, Capability::ranges)) {
      query.headers.emplace_back("Range", concat("bytes=", check_.size(), "-"));
    }
    query.on_head = [this](const net::Response& response) { return begin(response); };
    query.sink = [this](std::string_view bytes) { return take(bytes); };
    return session_.send(query, deadline);
  }

  Result<void> begin(const net::Response& response) {
    skip_ = 0;
    if (response.status == 200) {
      skip_ = check_.size();
      if (skip_ > 0) session_.capabilities().lacks(sources_.front().registry, Capability::ranges);
      const std::string length = response.header("content-length");
      if (length.empty() || length == std::to_string(blob_.size)) return {};
      return fail(wrong_content(asked(), concat(blob_.size, " bytes"), concat(neutralise(length.substr(0, 40)))));
    }
    if (response.status != 206) {
      if (response.status >= 400 || (response.status >= 300 && response.status != 304)) return {};
      return fail(wrong_content(asked(), "the blob, 200 or a part of it, 206", concat(response.status)));
    }
    const std::string text = response.header("content-range");
    const auto range = parse_content_range(text);
    if (range && range->first == check_.size() && range->whole.value_or(blob_.size) == blob_.size) return {};
    return fail(wrong_content(asked(), concat("bytes from ", check_.size(), " of ", blob_.size),
                              neutralise(text.substr(0, 60))));
  }

  Result<void> take(std::string_view bytes) {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= skipped;
    bytes.remove_prefix(skipped);
    if (bytes.empty()) return {};
    if (bytes.size() > blob_.size - check_.size()) {
      last_word_ = wrong_content(asked(), concat(blob_.size, " bytes"), "more");
      return fail(*last_word_);
    }
    check_.update(bytes);
    auto taken = sink_(bytes);
    if (!taken) last_word_ = taken.error();
    return taken;
  }

  Result<bool> finish() {
    if (check_.size() != blob_.size) {
      return fail(wrong_content(asked(), concat(blob_.size, " bytes"), concat(check_.size())));
    }
    const oci::Digest found = check_.finish();
    if (found == blob_.digest) return true;
    return fail(wrong_content(asked(), blob_.digest.text(), found.text()));
  }

  Session& session_;
  std::vector<oci::Repository> sources_;  ///< the first is asked now
  const oci::Descriptor& blob_;
  const net::BodySink& sink_;
  oci::DigestCheck check_;
  std::uint64_t skip_ = 0;          ///< bytes that were taken before, and come again
  std::optional<Error> last_word_;  ///< after which nothing more is asked: of the sink, or about too many bytes
};

}  // namespace

Result<bool> HttpRegistry::read_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                     const net::BodySink& sink) {
  return Download(impl_->session, repository, blob, sink).run();
}

}  // namespace crategate::registry
