#include "docker/client_config.h"

#include <utility>

#include "base/strings.h"
#include "json/value.h"

namespace crategate::docker {
namespace {

constexpr const char* kConfigFile = "config.json";
constexpr std::string_view kHubKey = "https://index.docker.io/v1/";

/// Docker's client knows Docker Hub by another name.
std::string key_of(const std::string& registry) {
  return registry.empty() || registry == "docker.io" ? std::string(kHubKey) : registry;
}

/// The object `key` of `root`, or an empty one, with one member more.
Result<json::Value> with_member(const std::optional<json::Reader>& root, std::string_view key, std::string name,
                                json::Value value) {
  json::Value object = json::Value::object();
  if (root) {
    CG_TRY(const auto found, root->find(key));
    if (found) {
      CG_CHECK(found->members());
      object = json::Value::from(*found);
    }
  }
  object.set(std::move(name), std::move(value));
  return object;
}

}  // namespace

Result<std::string> config_with_login(std::string_view existing, const RegistryLogin& login, std::string name) {
  std::optional<json::Document> document;
  std::optional<json::Reader> root;
  json::Value config = json::Value::object();
  if (!trim(existing).empty()) {
    CG_TRY(document, json::Document::parse(existing, std::move(name)));
    root = document->root();
    CG_CHECK(root->members());
    config = json::Value::from(*root);
  }
  const std::string key = key_of(login.registry);
  const std::string auth = base64(concat(login.username, ":", login.password.reveal()));
  CG_TRY(json::Value auths, with_member(root, "auths", key, json::Value::object({{"auth", auth}})));
  config.set("auths", std::move(auths));
  // An empty helper for this registry: its login is in this file, whatever keeps the others.
  CG_TRY(json::Value helpers, with_member(root, "credHelpers", key, ""));
  config.set("credHelpers", std::move(helpers));
  return config.canonical();
}

sys::Path ClientConfig::users_own() const {
  if (const auto configured = environment_.get("DOCKER_CONFIG"); configured && !configured->empty()) return *configured;
  const auto home = environment_.get("HOME");
  return home && !home->empty() ? sys::Path(*home) / ".docker" : sys::Path();
}

/// Where buildx keeps what it knows of builders; empty = it needs a place.
std::string ClientConfig::buildx_state() const {
  if (const auto configured = environment_.get("BUILDX_CONFIG"); configured && !configured->empty()) return *configured;
  const sys::Path own = users_own();
  if (own.empty() || !sys::is_writable(own / "buildx")) return {};
  // What a container action leaves in the runner's folders belongs to root, and the runner cannot remove it.
  std::error_code ignored;
  const bool is_runners = own.string().starts_with(concat(sys::kSharedBySteps, "/"));
  if (is_runners && !std::filesystem::exists(own / "buildx", ignored)) return {};
  return (own / "buildx").string();
}

Result<void> ClientConfig::write_login(const sys::PrivateDirectory& made) {
  if (std::exchange(written_, true)) return {};
  const sys::Path own = users_own();
  std::optional<std::string> existing;
  std::error_code error;
  if (std::filesystem::is_directory(own, error)) {
    for (const char* name : {"cli-plugins", "contexts"}) {
      if (std::filesystem::is_directory(own / name, error)) made.link(name, std::filesystem::absolute(own / name));
    }
    CG_TRY(existing, sys::PosixFileSystem().read(own / kConfigFile, sys::kTextLimit));
  }
  CG_TRY(const std::string config, config_with_login(existing.value_or(""), login_, (own / kConfigFile).string()));
  return made.write(kConfigFile, config);
}

Result<const sys::PrivateDirectory*> ClientConfig::directory() {
  if (!made_) {
    CG_TRY(made_,
           sys::PrivateDirectory::create({workspace_, environment_.get("RUNNER_TEMP").value_or(""),
                                          environment_.get("HOME").value_or(""), std::string(sys::kSharedBySteps)}));
  }
  return &*made_;
}

Result<std::map<std::string, std::string>> ClientConfig::variables(bool with_login) {
  std::map<std::string, std::string> variables;
  const std::string state = buildx_state();
  const bool logs_in = with_login && !login_.username.empty();
  if (!logs_in && !state.empty()) return variables;
  CG_TRY(const auto made, directory());
  variables["BUILDX_CONFIG"] = state.empty() ? (made->path() / "buildx").string() : state;
  if (!logs_in) return variables;
  CG_CHECK(write_login(*made));
  variables["DOCKER_CONFIG"] = made->path().string();
  return variables;
}

}  // namespace crategate::docker
