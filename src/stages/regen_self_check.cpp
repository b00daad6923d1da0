#include "stages/regen_self_check.h"

#include "actions/names.h"
#include "base/log.h"
#include "base/strings.h"
#include "git/kept_logins.h"
#include "pipeline/regen_safety.h"

namespace crategate::stages {
namespace {

/// Any doubt is a yes.
bool may_write(const SelfCheckServices& svc) {
  if (svc.github == nullptr) return false;
  const auto repository = github::RepositoryName::parse(svc.environment.get(actions::kRepository).value_or(""));
  if (!repository) return true;
  const auto answer = svc.github->may_push(*repository);
  if (!answer) log::warning(concat("the rights of github-token: ", describe(answer.error())));
  return !answer || answer->value_or(true);
}

/// Since its version 6 actions/checkout writes the login beside the checkout.
Result<std::vector<std::string>> login_files(const SelfCheckServices& svc) {
  std::vector<std::string> found;
  const std::string folder = svc.environment.get(actions::kRunnerTemp).value_or("");
  if (folder.empty()) return found;
  CG_TRY(const auto names, svc.files.list(folder));
  for (const auto& name : names)
    if (name.starts_with("git-credentials-") && name.ends_with(".config"))
      found.push_back(concat("RUNNER_TEMP/", name));
  return found;
}

}  // namespace

Result<void> check_surroundings(const Workspace& workspace, const SelfCheckServices& svc) {
  CG_TRY(auto logins, git::kept_logins(svc.processes, svc.environment, workspace.root));
  CG_TRY(const auto files, login_files(svc));
  logins.insert(logins.end(), files.begin(), files.end());
  return pipeline::require_harmless({.token_may_write = may_write(svc), .kept_logins = std::move(logins)});
}

}  // namespace crategate::stages
