// Who may do what in the strict registry: nothing asked, Basic, or tokens of its own token server.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/strict_registry_request.h"

namespace crategate::test {

enum class RegistryAuth : unsigned char { none, basic, token };

inline constexpr const char* kWriter = "me";  ///< may do everything
inline constexpr const char* kWriterPassword = "pass-word-of-me";
inline constexpr const char* kReader = "reader";  ///< may pull
inline constexpr const char* kReaderPassword = "pass-word-of-reader";

class StrictLogin {
 public:
  using Complain = std::function<void(std::string)>;
  /// `now`: what a token's age is counted by.
  StrictLogin(RegistryAuth auth, bool anonymous_pull, std::int64_t lifetime,
              std::function<std::chrono::steady_clock::time_point()> now, Complain complain)
      : auth_(auth),
        anonymous_pull_(anonymous_pull),
        lifetime_(lifetime),
        now_(std::move(now)),
        complain_(std::move(complain)) {}
  void set_realm(std::string realm) { realm_ = std::move(realm); }

  enum class Verdict : unsigned char { granted, unknown, lacks_right };
  Verdict judge(const StrictRequest& asked, const ReceivedRequest& request);
  /// The answer to a request that was not granted.
  Reply challenge(const StrictRequest& asked, Verdict verdict);
  Reply token(const StrictRequest& asked, const ReceivedRequest& request);
  /// True where `text` holds a password or a token in any form in which it is sent.
  bool holds_secret(const std::string& text) const;
  /// From here on the tokens that were given are refused.
  void revoke() { tokens_.clear(); }
  /// The password of the writer from here on.
  void change_password(const std::string& password) { passwords_[kWriter] = password; }
  const std::vector<std::string>& scopes() const { return scopes_; }  ///< that tokens were asked for, each time

 private:
  struct Token {
    std::string user;
    std::map<std::string, std::set<std::string>> granted;
    std::chrono::steady_clock::time_point until;
  };
  std::set<std::string> rights(const std::string& user) const;
  /// The user of Basic credentials; nullopt = wrong.
  std::optional<std::string> user_of(std::string_view encoded) const;
  Reply give(const std::string& user, const std::vector<std::string>& scopes, bool refreshable);
  std::string new_secret(std::string_view kind);

  RegistryAuth auth_;
  bool anonymous_pull_;
  std::int64_t lifetime_;
  std::function<std::chrono::steady_clock::time_point()> now_;
  Complain complain_;
  std::string realm_;
  std::map<std::string, std::string> passwords_{{kWriter, kWriterPassword}, {kReader, kReaderPassword}};
  std::map<std::string, Token> tokens_;
  std::map<std::string, std::string> refresh_tokens_;  ///< → user
  std::set<std::string> secrets_;
  std::vector<std::string> scopes_;
  bool challenged_ = false;
  int next_ = 1;
};

/// "repository:NAME:ACTIONS" for what a request needs; a mount needs two.
std::vector<std::string> scopes_of(const StrictRequest& asked);

}  // namespace crategate::test
