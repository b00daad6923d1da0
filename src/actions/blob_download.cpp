// GET with a range after a cut (RFC 9110 §14).
#include "actions/blob_download.h"

#include <algorithm>

#include "actions/block_storage.h"
#include "base/strings.h"

namespace crategate::actions {
namespace {

constexpr int kOk = 200, kPartial = 206, kForbidden = 403, kChanged = 412;
constexpr int kRenewals = 2;
constexpr std::uint64_t kWorthwhile = 64u << 10;  ///< a try that brings this much does not count as failed

std::string reading(const Artifact& artifact) { return concat("reading the artifact ", quoted(artifact.name)); }

Error changed(const Artifact& artifact, std::string_view why) {
  return {.code = ErrorCode::integrity,
          .message = concat(reading(artifact), ": it cannot be continued after a cut: ", why),
          .hint = "run the job again; if it stays, something replaces the artifact meanwhile"};
}

}  // namespace

Result<void> BlobDownload::refuse(Error error) {
  refused_ = std::move(error);
  return fail(*refused_);
}

Result<void> BlobDownload::take_head(const Artifact& artifact, const net::Response& head) {
  if (head.status == kChanged) return refuse(changed(artifact, "the storage now has other content"));
  if (head.status != kOk && head.status != kPartial) return {};
  if (received_ == 0) {
    etag_ = head.header("etag");
    type_ = head.header("content-type");
  }
  skip_ = 0;
  if (head.status == kPartial) {
    if (received_ > 0 && first_of_range(head) == received_) return {};
    return refuse(changed(artifact, concat("expected bytes from ", received_, ", found another range")));
  }
  if (received_ == 0) return {};
  if (artifact.digest.empty()) return refuse(changed(artifact, "the storage begins anew, and there is no digest"));
  skip_ = received_;
  return {};
}

Result<void> BlobDownload::take(const Artifact& artifact, std::string_view bytes, const net::BodySink& sink) {
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
  skip_ -= skipped;
  bytes.remove_prefix(skipped);
  if (bytes.empty()) return {};
  if (artifact.size && bytes.size() > *artifact.size - received_) {
    return refuse({.code = ErrorCode::integrity,
                   .message = concat(reading(artifact), ": expected ", *artifact.size, " bytes, found more"),
                   .hint = "do not use it; run the job that made it again"});
  }
  hash_.update(bytes);
  received_ += bytes.size();
  if (auto taken = sink(bytes); !taken) return refuse(std::move(taken).error());
  return {};
}

Result<void> BlobDownload::repeat(const std::function<Result<net::Response>(const net::Url&)>& attempt,
                                  const std::string& what) {
  CG_TRY(net::Url url, sign_());
  for (int tried = 1, renewals = 0;; ++tried) {
    const std::uint64_t before = received_;
    const auto response = attempt(url);
    if (refused_) return fail(*refused_);
    if (response && (response->status == kOk || response->status == kPartial)) return {};
    if (received_ - before >= kWorthwhile) {
      tried = 1;
      patience_.made_progress();
    }
    if (response && response->status == kForbidden && renewals < kRenewals) {
      ++renewals;
      CG_TRY(url, sign_());
      continue;
    }
    CG_TRY(const bool again, patience_.wait(tried, response));
    if (again) continue;
    if (!response) return fail(storage_failure(what, response.error()));
    return fail(storage_failure(what, get_blob(url), *response));
  }
}

Result<Downloaded> BlobDownload::run(const Artifact& artifact, const net::BodySink& sink) {
  const auto attempt = [&](const net::Url& url) -> Result<net::Response> {
    if (artifact.size && received_ > 0 && received_ == *artifact.size) return net::Response{.status = kOk};
    net::Request request = received_ == 0 ? get_blob(url) : get_range(url, concat(received_, "-"), etag_);
    request.timeout = silence_;
    request.on_head = [&](const net::Response& head) { return take_head(artifact, head); };
    request.sink = [&](std::string_view bytes) { return take(artifact, bytes, sink); };
    return http_.send(request);
  };
  CG_CHECK(repeat(attempt, reading(artifact)));
  return check_received(
      artifact,
      {.size = received_, .digest = concat("sha256:", hash_.finish()), .digest_checked = false, .content_type = type_});
}

Result<std::string> BlobDownload::tail(const Artifact& artifact, std::size_t bytes) {
  const std::uint64_t wanted = std::min<std::uint64_t>(bytes, artifact.size.value_or(bytes));
  if (wanted == 0) return std::string();
  std::string kept;
  const std::string range =
      artifact.size ? concat(*artifact.size - wanted, "-", *artifact.size - 1) : concat("-", wanted);
  const auto attempt = [&](const net::Url& url) {
    kept.clear();
    net::Request request = get_range(url, range, "");
    request.timeout = silence_;
    request.sink = [&](std::string_view more) -> Result<void> {
      kept += more;
      if (kept.size() > 2 * wanted + (64u << 10)) kept.erase(0, kept.size() - static_cast<std::size_t>(wanted));
      return {};
    };
    return http_.send(request);
  };
  CG_CHECK(repeat(attempt, reading(artifact)));
  if (kept.size() > wanted) kept.erase(0, kept.size() - static_cast<std::size_t>(wanted));
  return kept;
}

}  // namespace crategate::actions
