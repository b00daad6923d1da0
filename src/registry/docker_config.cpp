// Keys, entries, and which of several entries counts.
#include "registry/docker_config.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::registry {
namespace {

constexpr std::string_view kHub = "docker.io";
/// How Docker Hub is called, the key that docker itself writes first.
constexpr std::array<std::string_view, 4> kHubKeys{"https://index.docker.io/v1/", "index.docker.io", "docker.io",
                                                   "registry-1.docker.io"};

// "https://index.docker.io/v1/" → "docker.io", "https://ghcr.io/v2/" → "ghcr.io"
std::string registry_of_key(std::string_view key) {
  const auto scheme = key.find("://");
  if (scheme != std::string_view::npos) key.remove_prefix(scheme + 3);
  std::string host = to_lower(key.substr(0, key.find('/')));
  return std::find(kHubKeys.begin(), kHubKeys.end(), host) != kHubKeys.end() ? std::string(kHub) : host;
}

/// Of several keys for one registry the lowest counts: its own name, then the longer ones.
std::size_t rank_of_key(std::string_view key, const std::string& registry) {
  if (registry != kHub) return key == registry ? 0 : key.size();
  const auto found = std::find(kHubKeys.begin(), kHubKeys.end(), key);
  return found == kHubKeys.end() ? key.size() + kHubKeys.size() : static_cast<std::size_t>(found - kHubKeys.begin());
}

/// user:password
Result<void> read_auth(const json::Reader& entry, Credentials& login) {
  CG_TRY(const std::string auth, entry.string_or("auth", ""));
  if (auth.empty()) return {};
  auto decoded = decode_base64(auth);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos || colon == 0) {
    return fail(ErrorCode::bad_input, concat(entry.path(), ".auth: expected base64 of user:password"),
                "run docker login again");
  }
  std::string password = decoded->substr(colon + 1);
  while (password.ends_with('\0')) password.pop_back();
  if (password.empty()) return {};  // an identity token stands beside it
  login.username = decoded->substr(0, colon);
  login.password = Secret(std::move(password));
  return {};
}

/// An empty one is kept by a credential helper.
Result<Credentials> read_entry(const json::Reader& entry) {
  Credentials login;
  CG_CHECK(read_auth(entry, login));
  if (login.username.empty()) {
    CG_TRY(std::string username, entry.string_or("username", ""));
    CG_TRY(std::string password, entry.string_or("password", ""));
    if (!username.empty() && !password.empty()) login = {std::move(username), Secret(std::move(password))};
  }
  CG_TRY(std::string identity, entry.string_or("identitytoken", ""));
  CG_TRY(std::string token, entry.string_or("registrytoken", ""));
  login.identity_token = Secret(std::move(identity));
  login.registry_token = Secret(std::move(token));
  return login;
}

/// The members of `section`, by registry.
template <class T, class Read>
Result<std::map<std::string, T>> by_registry(const json::Reader& root, std::string_view section, Read read) {
  std::map<std::string, T> values;
  std::map<std::string, std::size_t> ranks;
  CG_TRY(const auto found, root.find(section));
  if (!found) return values;
  CG_TRY(const auto members, found->members());
  for (const auto& [key, member] : members) {
    CG_TRY(T value, read(member));
    const std::string registry = registry_of_key(key);
    const std::size_t rank = rank_of_key(key, registry);
    const auto known = ranks.find(registry);
    if (known != ranks.end() && known->second <= rank) continue;
    ranks[registry] = rank;
    values.insert_or_assign(registry, std::move(value));
  }
  return values;
}

Result<DockerConfig> read_config(const json::Reader& root) {
  DockerConfig config;
  CG_TRY(config.logins, by_registry<Credentials>(root, "auths", read_entry));
  std::erase_if(config.logins, [](const auto& login) { return login.second.empty(); });
  CG_TRY(config.helpers,
         by_registry<std::string>(root, "credHelpers", [](const json::Reader& helper) { return helper.as_string(); }));
  CG_TRY(config.store, root.string_or("credsStore", ""));
  return config;
}

}  // namespace

std::string DockerConfig::helper_for(const std::string& registry) const {
  const auto own = helpers.find(to_lower(registry));
  return own == helpers.end() ? store : own->second;
}

std::optional<Credentials> DockerConfig::login_for(const std::string& registry) const {
  const auto found = logins.find(to_lower(registry));
  return found == logins.end() ? std::nullopt : std::optional(found->second);
}

Result<DockerConfig> parse_docker_config(std::string_view text, std::string_view file_name) {
  CG_TRY(const json::Document document, json::Document::parse(text, std::string(file_name)));
  auto config = read_config(document.root());
  if (!config) return fail(std::move(config.error()).within(std::string(file_name)));
  return config;
}

}  // namespace crategate::registry
