// HttpRegistry: blobs on their way to the registry.
// Belongs here: mounting, one PUT or chunks, and going on after a cut
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-blobs).
#include <algorithm>

#include "base/strings.h"
#include "registry/http_registry.h"
#include "sys/cancel.h"

namespace crategate::registry {
namespace {

/// Where a registry takes no larger body and names no size itself; a quarter after each that is refused, too.
constexpr std::uint64_t kChunk = 32u << 20, kLeastChunk = 512u << 10;

net::Url with_digest(net::Url url, const oci::Digest& digest) {
  const char separator = url.target.find('?') == std::string::npos ? '?' : '&';
  url.target += concat(separator, "digest=", net::url_encode(digest.text()));
  return url;
}

/// The first `length` bytes of `source`.
net::BodySource first_of(net::BodySource source, std::uint64_t length) {
  return [source = std::move(source), length]() mutable -> Result<std::string> {
    if (length == 0) return std::string();
    CG_TRY(std::string bytes, source());
    if (bytes.size() > length) bytes.resize(static_cast<std::size_t>(length));
    length -= bytes.size();
    return bytes;
  };
}

/// "0-1023" → 1024: how much of an upload the registry has. nullopt = the header says nothing.
std::optional<std::uint64_t> received_bytes(const net::Response& response) {
  const std::string range = response.header("range");
  const auto dash = range.find('-');
  if (dash == std::string::npos) return std::nullopt;
  // Nothing yet is "0-0" to some and "0--1" to others; one byte is sent again rather than none.
  const auto last = parse_unsigned(std::string_view(range).substr(dash + 1));
  return last && *last > 0 ? *last + 1 : 0;
}

class Upload {
 public:
  Upload(Session& session, const oci::Repository& repository, const oci::Descriptor& blob, const BlobSource& source)
      : session_(session), repository_(repository), blob_(blob), source_(source), deadline_(session.deadline()) {}

  Result<BlobArrival> run() {
    if (source_.mount_from) {
      CG_TRY(const bool mounted, mount());
      if (mounted) return BlobArrival::mounted;
      if (!source_.open) return BlobArrival::not_mounted;
    }
    CG_TRY(const bool present, is_there());
    if (present) return BlobArrival::present;
    return send_all();
  }

 private:
  Query query(std::string method) const {
    Query query{.method = std::move(method), .repository = repository_, .actions = std::string(kPushActions)};
    query.limit = kErrorLimit;
    query.public_only = public_only_;
    return query;
  }
  Query start() const {
    Query started = query("POST");
    started.path = "blobs/uploads/";
    return started;
  }
  Result<bool> is_there() {
    auto there = is_blob_there(session_, repository_, blob_.digest, kPushActions, deadline_, blob_.size);
    // A registry that does not answer HEAD takes the upload of what it has, too.
    if (!there && there.error().http && there.error().http->status == 405) return false;
    return there;
  }

  /// An answer that got lost leaves open whether the blob was mounted: HEAD says it. False = upload it; the session that
  /// a registry without mounts may have opened instead is used for that.
  Result<bool> mount() {
    if (!session_.capabilities().has(repository_.registry, Capability::mount)) return false;
    Query asked = start();
    asked.path +=
        concat("?mount=", net::url_encode(blob_.digest.text()), "&from=", net::url_encode(source_.mount_from->path));
    if (source_.mount_from->path != repository_.path) asked.also_pull.push_back(*source_.mount_from);
    for (int failed = 1;; ++failed) {
      const auto answer = session_.send(asked, deadline_);
      if (answer && answer->response.status == 201) return true;
      if (answer && answer->response.status == 202) return keep_session(*answer);
      if (session_.wait_for_another_try(answer, failed, deadline_)) {
        CG_TRY(const bool present, is_there());
        if (present) return true;
        continue;
      }
      if (!answer) return fail(Error(answer.error()).within(concat("mounting ", blob_.digest.text())));
      const int status = answer->response.status;
      if (status == 404 || status == 405 || status == 501) {
        session_.capabilities().lacks(repository_.registry, Capability::mount);
      }
      // Whatever stands against the mount need not stand against the upload.
      if (status == 501 || (status >= 400 && status < 500 && status != 401 && status != 429)) return false;
      return fail(registry_failure(answer->asked, answer->response).within(concat("mounting ", blob_.digest.text())));
    }
  }

  Result<bool> keep_session(const Answer& answer) {
    if (!source_.open) return false;
    CG_CHECK(open_at(answer));
    return false;
  }

  /// Takes over where the next bytes go.
  Result<void> open_at(const Answer& answer) {
    public_only_ = answer.response.from_public;
    CG_TRY(location_, session_.location(answer));
    if (const auto least = parse_unsigned(answer.response.header("oci-chunk-min-length"))) least_chunk_ = *least;
    return {};
  }

  Result<void> open_session() {
    if (location_) return {};
    offset_ = 0;
    CG_TRY(const Answer started, session_.send_patiently(start(), deadline_));
    if (started.response.status != 202) return fail(registry_failure(started.asked, started.response));
    return open_at(started);
  }

  Result<BlobArrival> send_all() {
    for (int failed = 1;; ++failed) {
      CG_CHECK(open_session());
      auto answer = send_rest();
      if (source_error_) return fail(std::move(*source_error_));
      if (answer && (answer->response.status == 201 || answer->response.status == 204)) return BlobArrival::uploaded;
      if (got_ahead()) failed = 1;
      if (answer && answer->response.status == 413 && take_smaller_bodies()) continue;
      // A PUT whose answer got lost, or that says 200 or 202, may have ended the upload: HEAD decides.
      const int status = answer ? answer->response.status : 0;
      const bool unclear = status == 0 || status == 200 || status == 202 || status >= 500;
      const bool out_of_step = status == 416 || status == 404;
      const bool again = out_of_step ? failed < session_.patience().retry.tries
                                     : session_.wait_for_another_try(answer, failed, deadline_);
      if (unclear) {
        CG_CHECK(sys::check_cancelled());
        const auto present = is_there();
        if (present && *present) return BlobArrival::uploaded;
      }
      if (!again) return fail(answer ? registry_failure(answer->asked, answer->response) : std::move(answer).error());
      CG_CHECK(find_offset());
      if (got_ahead()) failed = 0;
    }
  }

  /// Since it was asked last the registry has got more than it ever had: of an upload that begins anew the same bytes
  /// count once.
  bool got_ahead() {
    if (offset_ <= furthest_) return false;
    furthest_ = offset_;
    deadline_.renew();
    return true;
  }

  /// False when they are as small as can be.
  bool take_smaller_bodies() {
    if (!whole() && chunk_ / 4 < std::max(kLeastChunk, least_chunk_)) return false;
    if (!whole()) chunk_ /= 4;
    session_.capabilities().lacks(repository_.registry, Capability::whole_upload);
    location_.reset();
    return true;
  }

  bool whole() const { return session_.capabilities().has(repository_.registry, Capability::whole_upload); }

  /// All that is left: in one PUT, or chunk by chunk and a PUT without a body.
  Result<Answer> send_rest() {
    if (whole() && offset_ == 0) {
      Query put = body_query("PUT", blob_.size);
      put.url = with_digest(*location_, blob_.digest);
      return session_.send(put, deadline_);
    }
    while (offset_ < blob_.size) {
      const std::uint64_t length =
          std::min(blob_.size - offset_, whole() ? blob_.size : std::max(chunk_, least_chunk_));
      Query patch = body_query("PATCH", length);
      patch.headers.emplace_back("Content-Range", concat(offset_, "-", offset_ + length - 1));
      CG_TRY(Answer taken, session_.send(patch, deadline_));
      if (taken.response.status != 202 && taken.response.status != 204) return taken;
      offset_ += length;
      deadline_.renew();
      if (!taken.response.header("location").empty()) CG_CHECK(open_at(taken));
    }
    Query put = query("PUT");
    put.url = with_digest(*location_, blob_.digest);
    return session_.send(put, deadline_);
  }

  Query body_query(std::string method, std::uint64_t length) {
    Query sent = query(std::move(method));
    sent.url = location_;
    sent.headers = {{"Content-Type", "application/octet-stream"}};
    sent.length = length;
    sent.open = [this, length]() -> Result<net::BodySource> {
      auto opened = source_.open(offset_);
      if (!opened) return keep(std::move(opened).error());
      // The last piece is not limited: its source says at its end whether all of it was right.
      const bool last = offset_ + length == blob_.size;
      net::BodySource piece = last ? *std::move(opened) : first_of(*std::move(opened), length);
      return [this, end = offset_, rest = std::move(piece)]() mutable -> Result<std::string> {
        auto bytes = rest();
        if (!bytes) return keep(std::move(bytes).error());
        end += bytes->size();
        if (end > taken_) {  // a body may take long while it moves on
          taken_ = end;
          deadline_.renew();
        }
        return bytes;
      };
    };
    return sent;
  }

  /// What the source cannot give is no failure of this registry, and is not tried again.
  Failure keep(Error error) {
    source_error_ = error;
    return fail(std::move(error));
  }

  /// After a cut: how much the registry has; without an answer to that the upload begins anew.
  Result<void> find_offset() {
    std::optional<net::Url> cut;
    std::swap(cut, location_);
    if (!cut || !session_.capabilities().has(repository_.registry, Capability::upload_status)) return {};
    Query status = query("GET");
    status.url = cut;
    const auto answer = session_.send(status, deadline_);
    CG_CHECK(sys::check_cancelled());
    if (!answer) return {};
    const auto received = received_bytes(answer->response);
    if ((answer->response.status != 204 && answer->response.status != 202 && answer->response.status != 200) ||
        !received) {
      if (answer->response.status == 405)
        session_.capabilities().lacks(repository_.registry, Capability::upload_status);
      return {};
    }
    if (*received == 0 || *received > blob_.size) return {};
    offset_ = *received;
    location_ = cut;
    if (!answer->response.header("location").empty()) return open_at(*answer);
    return {};
  }

  Session& session_;
  const oci::Repository& repository_;
  const oci::Descriptor& blob_;
  const BlobSource& source_;
  net::Deadline deadline_;
  std::optional<net::Url> location_;  ///< of the upload that is open
  std::uint64_t offset_ = 0;          ///< bytes of it that the registry has
  std::uint64_t furthest_ = 0;        ///< the largest of all offsets
  std::uint64_t taken_ = 0;           ///< bytes of the blob that were handed out to be sent
  std::uint64_t chunk_ = kChunk, least_chunk_ = 0;
  bool public_only_ = false;  ///< whoever named the location has a public address
  std::optional<Error> source_error_;
};

}  // namespace

Result<BlobArrival> HttpRegistry::put_blob(const oci::Repository& repository, const oci::Descriptor& blob,
                                           const BlobSource& source) {
  auto arrived = Upload(impl_->session, repository, blob, source).run();
  if (!arrived) return fail(std::move(arrived.error()).within(concat("uploading ", blob.digest.text())));
  return arrived;
}

}  // namespace crategate::registry
