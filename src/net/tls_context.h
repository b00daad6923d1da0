// What TLS connections to one host have in common: trusted authorities and our own certificate.
// Belongs here: reading certificates.  Not here: which host uses which (certificates), the protocol (tls).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/result.h"
#include "net/certificates.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace crategate::net {

class TlsContext {
 public:
  /// `material` null: the system's authorities, or those of SSL_CERT_FILE and SSL_CERT_DIR, and nothing else.
  /// Errors: bad_input naming the file that is missing, unreadable or does not fit; internal.
  static Result<std::shared_ptr<const TlsContext>> make(const TlsMaterial* material);
  ssl_ctx_st* native() const { return native_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* native) const;
  };
  using Native = std::unique_ptr<ssl_ctx_st, Free>;
  explicit TlsContext(Native native) : native_(std::move(native)) {}
  static Result<Native> make_native(const TlsMaterial* material);
  Native native_;
};

/// The contexts of a client, each made when the first connection needs it. Thread-safe.
class TlsContexts {
 public:
  explicit TlsContexts(TlsMaterials materials) : materials_(std::move(materials)) {}
  /// Errors: as TlsContext::make.
  Result<std::shared_ptr<const TlsContext>> for_server(const Url& url);

 private:
  const TlsMaterials materials_;
  std::mutex mutex_;
  std::map<const TlsMaterial*, std::shared_ptr<const TlsContext>> made_;
};

}  // namespace crategate::net
