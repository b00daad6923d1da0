#include "app/repository_page.h"

#include "actions/names.h"
#include "base/strings.h"

namespace crategate::app {

std::string repository_page(const sys::Environment& environment) {
  const std::string server = environment.get(actions::kServerUrl).value_or("");
  const std::string repository = environment.get(actions::kRepository).value_or("");
  return server.empty() || repository.empty() ? std::string() : concat(server, "/", repository);
}

}  // namespace crategate::app
