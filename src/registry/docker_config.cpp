// Credentials in the docker command line's config.json.
// Belongs here: text → credentials.  Not here: where the file is, credential helpers (they run programs).
#include "base/strings.h"
#include "json/value.h"
#include "registry/client.h"

namespace crategate::registry {
namespace {

// "https://index.docker.io/v1/" → "docker.io", "https://ghcr.io/v2/" → "ghcr.io"
std::string registry_of_key(std::string_view key) {
  const auto scheme = key.find("://");
  if (scheme != std::string_view::npos) key.remove_prefix(scheme + 3);
  std::string host = to_lower(key.substr(0, key.find('/')));
  if (host == "index.docker.io" || host == "registry-1.docker.io") return "docker.io";
  return host;
}

Result<std::optional<Credentials>> read_entry(const json::Reader& entry) {
  CG_TRY(const std::string auth, entry.string_or("auth", ""));
  if (auth.empty()) return std::nullopt;  // kept by a credential helper
  auto decoded = decode_base64(auth);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos || colon == 0) {
    return fail(ErrorCode::bad_input, concat(entry.path(), ".auth: expected base64 of user:password"),
                "run docker login again");
  }
  std::string password = decoded->substr(colon + 1);
  while (password.ends_with('\0')) password.pop_back();
  if (password.empty()) return std::nullopt;  // an identity token stands beside it
  return Credentials{decoded->substr(0, colon), Secret(std::move(password))};
}

}  // namespace

Result<std::map<std::string, Credentials>> parse_docker_config(std::string_view text, std::string_view file_name) {
  CG_TRY(const json::Document document, json::Document::parse(text, std::string(file_name)));
  std::map<std::string, Credentials> credentials;
  CG_TRY(const auto auths, document.root().find("auths"));
  if (!auths) return credentials;
  CG_TRY(const auto entries, auths->members());
  for (const auto& [key, entry] : entries) {
    auto read = read_entry(entry);
    if (!read) return fail(std::move(read.error()).within(std::string(file_name)));
    if (*read) credentials.insert_or_assign(registry_of_key(key), std::move(**read));
  }
  return credentials;
}

}  // namespace crategate::registry
