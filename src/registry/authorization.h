// What proves to a server who we are, and to no other server.
// Belongs here: the bond between a credential and where it may go (A41, A42).  Not here: how it is got (authorizer).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "net/http.h"

namespace crategate::registry {

/// The value of an Authorization header. Its text is had by naming the URL that it is for, and in no other way.
class Authorization {
 public:
  /// `origins` as net::Url::origin() gives them.
  static Authorization basic(std::vector<std::string> origins, const std::string& username, const Secret& password);
  static Authorization bearer(std::vector<std::string> origins, Secret token);
  /// nullopt for a URL of any other origin.
  std::optional<std::string> header_for(const net::Url& url) const;
  /// The same credential: another try with it would be answered in the same way.
  bool same_as(const Authorization& other) const;

 private:
  Authorization(std::vector<std::string> origins, bool is_bearer, Secret credential);
  std::vector<std::string> origins_;
  bool is_bearer_ = false;
  Secret credential_;  ///< token, or base64 of user:password
};

}  // namespace crategate::registry
