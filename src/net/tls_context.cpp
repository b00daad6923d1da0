// Files into OpenSSL.
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/strings.h"

namespace crategate::net {
namespace {

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "an unknown failure";
}

Failure unusable_file(const sys::Path& file, std::string_view expected, std::string_view why) {
  return fail(ErrorCode::bad_input, concat(quoted(file.string()), ": expected ", expected, ", found: ", why),
              "check the file, and that this user may read it; certificates and keys are PEM, keys without passphrase");
}

/// OpenSSL's own words for a file that is not there are about its library.
Result<void> check_readable(const sys::Path& file, std::string_view expected) {
  if (::access(file.c_str(), R_OK) != 0) return unusable_file(file, expected, std::generic_category().message(errno));
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(file, unknown)) return unusable_file(file, expected, "not a regular file");
  return {};
}

Result<void> trust(SSL_CTX* context, const sys::Path& file) {
  constexpr std::string_view kExpected = "the certificate of an authority";
  CG_CHECK(check_readable(file, kExpected));
  if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) return unusable_file(file, kExpected, last_reason());
  return {};
}

/// Instead of asking at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<void> identify(SSL_CTX* context, const TlsMaterial& material) {
  constexpr std::string_view kCertificate = "our certificate, which needs its key";
  constexpr std::string_view kKey = "the key of our certificate";
  if (material.certificate.empty() && material.key.empty()) return {};
  CG_CHECK(check_readable(material.certificate, kCertificate));
  CG_CHECK(check_readable(material.key, kKey));
  if (SSL_CTX_use_certificate_chain_file(context, material.certificate.c_str()) != 1)
    return unusable_file(material.certificate, kCertificate, last_reason());
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_PrivateKey_file(context, material.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return unusable_file(material.key, concat(kKey, " ", material.certificate.string()), last_reason());
  return {};
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* native) const { SSL_CTX_free(native); }

Result<TlsContext::Native> TlsContext::make_native(const TlsMaterial* material) {
  ERR_clear_error();
  Native native(SSL_CTX_new(TLS_client_method()));
  if (!native || SSL_CTX_set_min_proto_version(native.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_default_verify_paths(native.get()) != 1)
    return fail(ErrorCode::internal, concat("OpenSSL cannot be set up for TLS: ", last_reason()));
  SSL_CTX_set_verify(native.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(native.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (material == nullptr) return native;
  for (const sys::Path& file : material->authorities) CG_CHECK(trust(native.get(), file));
  CG_CHECK(identify(native.get(), *material));
  return native;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsMaterial* material) {
  auto native = make_native(material);
  ERR_clear_error();
  if (!native) return fail(std::move(native).error());
  return std::shared_ptr<const TlsContext>(new TlsContext(*std::move(native)));
}

Result<std::shared_ptr<const TlsContext>> TlsContexts::for_server(const Url& url) {
  const TlsMaterial* material = material_for(materials_, url);
  const std::scoped_lock lock(mutex_);
  auto& context = made_[material];
  if (!context) {
    CG_TRY(context, TlsContext::make(material));
  }
  return context;
}

}  // namespace crategate::net
