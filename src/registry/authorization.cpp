// Credentials and where they may go.
#include "registry/authorization.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "registry/credentials.h"

namespace crategate::registry {

Authorization::Authorization(std::vector<std::string> origins, bool is_bearer, Secret credential)
    : origins_(std::move(origins)), is_bearer_(is_bearer), credential_(std::move(credential)) {}

Authorization Authorization::basic(std::vector<std::string> origins, const std::string& username,
                                   const Secret& password) {
  return {std::move(origins), false, Secret(base64(concat(username, ':', password.reveal())))};
}

Authorization Authorization::bearer(std::vector<std::string> origins, Secret token) {
  return {std::move(origins), true, std::move(token)};
}

std::optional<std::string> Authorization::header_for(const net::Url& url) const {
  if (std::find(origins_.begin(), origins_.end(), url.origin()) == origins_.end()) return std::nullopt;
  return concat(is_bearer_ ? "Bearer " : "Basic ", credential_.reveal());
}

bool Authorization::same_as(const Authorization& other) const {
  return is_bearer_ == other.is_bearer_ && credential_.reveal() == other.credential_.reveal();
}

bool same_login(const std::optional<Credentials>& one, const std::optional<Credentials>& other) {
  if (!one || !other) return !one && !other;
  return one->username == other->username && one->password.reveal() == other->password.reveal() &&
         one->identity_token.reveal() == other->identity_token.reveal() &&
         one->registry_token.reveal() == other->registry_token.reveal();
}

}  // namespace crategate::registry
