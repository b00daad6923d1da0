// What must not compile: an Authorization cannot become text without the URL that it is for. CASE 0 is the one way.
#include "registry/authorization.h"

namespace crategate::registry {

std::optional<std::string> text_of(const Authorization& authorization, const net::Url& url) {
#if CASE == 0
  return authorization.header_for(url);
#elif CASE == 1
  (void)url;
  return authorization.header_for();
#elif CASE == 2
  (void)url;
  return std::string(authorization);
#elif CASE == 3
  (void)url;
  return authorization.credential_.reveal();
#elif CASE == 4
  return authorization.header_for(url.text());
#endif
}

}  // namespace crategate::registry
