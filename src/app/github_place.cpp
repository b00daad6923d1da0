#include "app/github_place.h"

#include <cstdint>
#include <optional>

#include "actions/names.h"
#include "app/repository_page.h"
#include "base/strings.h"

namespace crategate::app {
namespace {

constexpr std::uint64_t kLargestNumber = (std::uint64_t{1} << 53) - 1;

std::optional<std::int64_t> number_of(const Application& app, std::string_view variable) {
  const auto number = parse_unsigned(app.environment().get(variable).value_or(""));
  if (!number || *number > kLargestNumber) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

}  // namespace

Result<github::RepositoryName> repository_of(const Application& app) {
  const std::string text = app.environment().get(actions::kRepository).value_or("");
  if (!text.empty()) return github::RepositoryName::parse(text);
  return fail(ErrorCode::bad_input,
              concat(actions::kRepository, ": expected the repository of the pull request, found none"),
              "A runner sets it; elsewhere write GITHUB_REPOSITORY=OWNER/NAME in front.");
}

stages::WaitPlace place_of(const Application& app) {
  return {.repository = app.environment().get(actions::kRepository).value_or(""),
          .id = number_of(app, actions::kRepositoryId),
          .address = repository_page(app.environment())};
}

}  // namespace crategate::app
