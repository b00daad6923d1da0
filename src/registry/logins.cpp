// A memory with two locks: one for the question, one for the answers.
#include "registry/logins.h"

namespace crategate::registry {
namespace {

constexpr std::chrono::minutes kYoung{1};
constexpr const char* kTokenUser = "(identity token)";

}  // namespace

const Logins::Found& Logins::ask(const std::string& registry) {
  Result<std::optional<Credentials>> login = source_ ? source_(registry) : std::nullopt;
  const sys::Instant now = clock_.monotonic();
  const std::lock_guard lock(mutex_);
  return found_.insert_or_assign(registry, Found{std::move(login), now}).first->second;
}

Result<std::optional<Credentials>> Logins::get(const std::string& registry) {
  const std::lock_guard asking(asking_);
  const auto found = found_.find(registry);
  return found != found_.end() ? found->second.login : ask(registry).login;
}

Result<std::optional<Credentials>> Logins::again(const std::string& registry) {
  const std::lock_guard asking(asking_);
  const auto found = found_.find(registry);
  const bool young = found != found_.end() && clock_.monotonic() - found->second.at < kYoung;
  return young ? found->second.login : ask(registry).login;
}

std::string Logins::user(const std::string& registry) const {
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(registry);
  if (found == found_.end() || !found->second.login || !*found->second.login) return {};
  const std::string& name = (*found->second.login)->username;
  return name.empty() ? kTokenUser : name;
}

}  // namespace crategate::registry
