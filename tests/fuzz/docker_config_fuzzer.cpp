// libFuzzer target: any bytes as docker's config.json. Every login has a registry and something to prove it; written as a
// file of its own it is the same login.
#include "registry/docker_config.h"

#include "base/strings.h"
#include "fuzz/property.h"
#include "json/value.h"

namespace crategate::registry {
namespace {

using fuzz::require;

json::Value entry_of(const Credentials& login) {
  json::Value entry = json::Value::object();
  if (!login.username.empty()) entry.set("auth", base64(concat(login.username, ":", login.password.reveal())));
  if (!login.identity_token.empty()) entry.set("identitytoken", login.identity_token.reveal());
  if (!login.registry_token.empty()) entry.set("registrytoken", login.registry_token.reveal());
  return entry;
}

void check_login(const std::string& registry, const Credentials& login) {
  require(!login.empty() && registry == to_lower(registry) && registry.find('/') == std::string::npos);
  require(login.username.empty() == login.password.empty());
  // What `auth` cannot say: a colon in the name, and zeros at the end of a password.
  if (login.username.find(':') != std::string::npos || login.password.reveal().ends_with('\0')) return;
  const auto file = json::Value::object({{"auths", json::Value::object({{registry, entry_of(login)}})}}).canonical();
  const auto again = parse_docker_config(file, "again");
  require(again && again->logins.size() == 1 && again->logins.begin()->first == registry);
  const Credentials& read = again->logins.begin()->second;
  require(read.username == login.username && read.password.reveal() == login.password.reveal());
  require(read.identity_token.reveal() == login.identity_token.reveal());
  require(read.registry_token.reveal() == login.registry_token.reveal());
}

void read(std::string_view text) {
  const auto config = parse_docker_config(text, "config.json");
  if (!config) return require(config.error().code == ErrorCode::bad_input);
  for (const auto& [registry, login] : config->logins) check_login(registry, login);
  for (const auto& [registry, helper] : config->helpers) require(config->helper_for(registry) == helper);
  require(config->helper_for("nobody.invalid") == config->store || config->helpers.contains("nobody.invalid"));
}

}  // namespace
}  // namespace crategate::registry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  crategate::registry::read(crategate::fuzz::text_of(data, size));
  return 0;
}
