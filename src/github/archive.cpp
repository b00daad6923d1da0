// The first request streams; after a cut the rest comes in pieces, whose place is known before they are handed on.
#include "github/archive.h"

#include <algorithm>

#include "base/strings.h"
#include "github/failure.h"

namespace crategate::github {
namespace {

constexpr std::uint64_t kPiece = 4U << 20U;

struct Range {
  std::uint64_t first = 0, total = 0;
};

/// "bytes 5-9/20" (RFC 9110 §14.4).
std::optional<Range> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  const auto first = parse_unsigned(trim(text.substr(0, dash)));
  const auto total = parse_unsigned(trim(text.substr(slash + 1)));
  if (!first || !total) return std::nullopt;
  return Range{*first, *total};
}

/// Answers of the storage that a new address may mend: the signature has expired.
bool is_expired(int status) { return status == 401 || status == 403 || status == 404 || status == 410; }

}  // namespace

Failure ArchiveTransfer::wrong(std::string_view what, std::string_view expected, std::string_view found) const {
  return fail(ErrorCode::integrity,
              concat("GitHub: artifact ", artifact_.id, artifact_.name.empty() ? "" : " ",
                     artifact_.name.empty() ? std::string() : quoted(artifact_.name), ": ", what, ": expected ",
                     expected, ", found ", found),
              "do not use what was received; download it again, or run its workflow again");
}

Failure ArchiveTransfer::storage_failure(const Answer& answer) {
  retry_after_ = answer.response.header("retry-after");
  const int status = answer.response.status;
  Error error;
  error.code = is_expired(status) || net::may_recover(status) ? ErrorCode::unavailable : ErrorCode::github_api;
  error.message = concat("the storage that GitHub named answered ", status, " after ", format_bytes(received_));
  error.hint = "try again; if it persists, look at https://www.githubstatus.com";
  error.http = http_failure(query_, answer);
  return fail(no_answer(query_, std::move(error)));
}

Result<void> ArchiveTransfer::take(std::string_view bytes) {
  if (artifact_.digest && received_ + bytes.size() > artifact_.size) {
    final_ = true;
    return wrong("its size", concat(artifact_.size, " bytes"), "more");
  }
  hash_.update(bytes);
  received_ += bytes.size();
  deadline_.renew();
  auto taken = sink_(bytes);
  final_ = !taken;
  return taken;
}

Result<void> ArchiveTransfer::take_all(const net::Url& url) {
  net::Request request{.url = url, .sink = [this](std::string_view bytes) { return take(bytes); }};
  auto answer = session_.fetch(std::move(request));
  if (!answer) return final_ ? fail(std::move(answer).error()) : fail(no_answer(query_, std::move(answer).error()));
  if (answer->response.status != 200) return storage_failure(*answer);
  content_type_ = answer->response.header("content-type");
  return {};
}

Result<ArchiveTransfer::Progress> ArchiveTransfer::accept_piece(const Answer& answer) {
  content_type_ = answer.response.header("content-type");
  const std::string& body = answer.response.body;
  if (answer.response.status == 200) {  // no ranges there, and all of it fitted
    if (body.size() < received_)
      return wrong("its size after a cut", concat("at least ", received_), concat(body.size()));
    CG_CHECK(take(std::string_view(body).substr(static_cast<std::size_t>(received_))));
    return Progress::complete;
  }
  const auto range = parse_content_range(answer.response.header("content-range"));
  if (!range || range->first != received_ || body.empty() || received_ + body.size() > range->total) {
    final_ = true;
    return wrong("the part after a cut", concat("bytes from ", received_),
                 quoted(answer.response.header("content-range")));
  }
  CG_CHECK(take(body));
  return received_ == range->total ? Progress::complete : Progress::more;
}

Result<ArchiveTransfer::Progress> ArchiveTransfer::take_piece(const net::Url& url) {
  net::Request request{.url = url, .body_limit = kPiece};
  request.headers.emplace_back("Range", concat("bytes=", received_, '-', received_ + kPiece - 1));
  auto answer = session_.fetch(std::move(request));
  if (!answer) {
    Error error = std::move(answer).error();
    final_ = error.http && error.http->status == 200;
    if (final_) error.message = concat("the storage does not go on where it broke off: ", error.message);
    return fail(no_answer(query_, std::move(error)));
  }
  const int status = answer->response.status;
  if (status != 206 && status != 200) return storage_failure(*answer);
  return accept_piece(*answer);
}

Result<void> ArchiveTransfer::transfer(const net::Url& url) {
  if (received_ == 0) return take_all(url);
  while (true) {
    CG_TRY(const Progress progress, take_piece(url));
    if (progress == Progress::complete) return {};
  }
}

Result<Downloaded> ArchiveTransfer::finish() {
  const oci::Digest digest = oci::Digest::from_sha256_hex(hash_.finish());
  if (artifact_.digest && received_ != artifact_.size)
    return wrong("its size", concat(artifact_.size, " bytes"), concat(received_, " bytes"));
  if (artifact_.digest && *artifact_.digest != digest)
    return wrong("its digest", artifact_.digest->text(), digest.text());
  return Downloaded{received_, digest, content_type_};
}

Result<Downloaded> ArchiveTransfer::run() {
  if (artifact_.digest && artifact_.digest->algorithm() != "sha256")
    return wrong("its digest", "a SHA-256 digest", artifact_.digest->algorithm());
  if (artifact_.expired)
    return fail(ErrorCode::not_found, concat("GitHub: cannot ", query_.task, ": it has expired"),
                "run the workflow again that made it");
  for (int failed = 0;;) {
    CG_TRY(const net::Url url, session_.location(query_, deadline_));
    const std::uint64_t before = received_;
    retry_after_.clear();
    auto done = transfer(url);
    if (done) return finish();
    failed = received_ > before ? 1 : failed + 1;
    // Without a digest nothing could tell parts of two archives from one; some are made anew for each request.
    const bool can_go_on = received_ == 0 || artifact_.digest;
    const bool helps = can_go_on && !final_ && net::may_recover(done.error());
    const auto pause = helps ? session_.pause_after(failed, retry_after_) : std::nullopt;
    if (!pause || !deadline_.sleep(*pause)) return fail(std::move(done).error());
  }
}

}  // namespace crategate::github
