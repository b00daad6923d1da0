#include "app/push_app.h"

#include <string>
#include <utility>

#include "base/strings.h"

namespace crategate::app {
namespace {

constexpr std::string_view kCommand = "ci-image regen-apply";
constexpr std::size_t kLongestId = 100;

bool is_app_id(std::string_view text) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return text.size() <= kLongestId && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

Result<std::optional<github::GitHubApp>> take_push_app(config::Invocation& given, std::string_view command) {
  // A secret of one line has no room for line ends.
  github::GitHubApp app{.id = std::string(trim(given.push_app_id)),
                        .key = Secret(replace_all(std::exchange(given.push_app_key_text, {}), "\\n", "\n"))};
  if (app.id.empty() && app.key.empty()) return std::nullopt;
  if (command != kCommand) {
    return fail(ErrorCode::bad_input,
                concat("push-app-id and push-app-key: expected the command ", kCommand, ", found ", quoted(command)),
                "Give them to the job that pushes, and to no other.");
  }
  if (app.id.empty() || app.key.empty()) {
    return fail(ErrorCode::bad_input,
                concat("the App that pushes: expected push-app-id and push-app-key, found only ",
                       app.key.empty() ? "push-app-id" : "push-app-key"),
                "Give both, or neither; an empty secret counts as none.");
  }
  if (!given.push_token_text.empty()) {
    return fail(ErrorCode::bad_input, "who pushes: expected either push-token or push-app-id, found both",
                "Leave push-token out: the App's own token is made when it is needed.");
  }
  if (is_app_id(app.id)) return app;
  return fail(ErrorCode::bad_input,
              concat("push-app-id: expected an App id or client id, found ", app.id.size(),
                     " characters, some of them ", "neither letters, digits, nor . _ -"),
              "The App's page shows both under \"About\".");
}

}  // namespace crategate::app
