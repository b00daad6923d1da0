// Grammar and normal form of image references.
// Belongs here: text to parts and back.  Not here: which host serves a registry (registry).
#include "oci/reference.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace crategate::oci {
namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::string_view kHubAlias = "index.docker.io";
constexpr std::string_view kHubNamespace = "library/";
constexpr std::size_t kLongestName = 255;  // of the path, the registry's host aside
constexpr std::size_t kLongestTag = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_path_letter(char c) { return is_digit(c) || is_lower(c); }
bool is_letter_or_digit(char c) { return is_path_letter(c) || is_upper(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

struct Refusal {
  std::string_view what;  ///< "image reference"
  std::string_view text;  ///< the whole of it

  Failure operator()(std::string_view rule, std::string hint = {}) const {
    return fail(ErrorCode::bad_input, concat(what, " ", quoted(text, kLongestName), ": ", rule), std::move(hint));
  }
};

/// `[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]`
bool is_host_label(std::string_view label) {
  if (label.empty() || !is_letter_or_digit(label.front()) || !is_letter_or_digit(label.back())) return false;
  return std::all_of(label.begin(), label.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_host_name(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    const std::string_view address = host.substr(1, host.size() - 2);
    return std::all_of(address.begin(), address.end(), [](char c) { return is_hex(c) || c == ':'; });
  }
  const std::vector<std::string> labels = split(host, '.');
  return std::all_of(labels.begin(), labels.end(), is_host_label);
}

/// host[:port]; the port's colon is the last one outside of an IPv6 address's brackets.
bool is_registry(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos;
  if (!has_port) return is_host_name(text);
  const std::string_view port = text.substr(colon + 1);
  return !port.empty() && std::all_of(port.begin(), port.end(), is_digit) && is_host_name(text.substr(0, colon));
}

/// One of `.`, `_`, `__` or any number of `-`.
bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" || text.find_first_not_of('-') == std::string_view::npos;
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
bool is_path_component(std::string_view text) {
  if (text.empty() || !is_path_letter(text.front()) || !is_path_letter(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_path_letter(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (!is_path_letter(text[end])) ++end;
    if (!is_separator(text.substr(i, end - i))) return false;
    i = end;
  }
  return true;
}

bool is_registry_segment(std::string_view first) {
  return first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
         std::any_of(first.begin(), first.end(), is_upper);
}

Result<void> check_path(std::string_view path, const Refusal& refuse) {
  for (const std::string& component : split(path, '/')) {
    if (is_path_component(component)) continue;
    if (component.empty()) return refuse("expected a name between the slashes, found nothing");
    if (std::any_of(component.begin(), component.end(), is_upper)) {
      return refuse(concat("expected a repository in lower case, found ", quoted(component)),
                    concat("write ", to_lower(path)));
    }
    return refuse(concat("expected lower-case letters and digits, joined by one '.', one or two '_' or any '-', found ",
                         quoted(component)));
  }
  return {};
}

bool is_image_id(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), is_hex) && to_lower(text) == text;
}

Repository split_registry(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  if (slash == std::string_view::npos || !is_registry_segment(first)) return {std::string(kHub), std::string(text)};
  return {std::string(first == kHubAlias ? kHub : first), std::string(text.substr(slash + 1))};
}

Result<Repository> repository_of(std::string_view text, const Refusal& refuse) {
  if (text.empty()) return refuse("expected a repository, found nothing");
  if (is_image_id(refuse.text)) {
    return refuse("64 hex digits name an image ID, not a repository", "write NAME@sha256:… instead");
  }
  Repository repository = split_registry(text);
  const bool hub = repository.registry == kHub;
  CG_CHECK(check_path(repository.path, refuse));
  if (!is_registry(repository.registry)) {
    return refuse(concat("expected a registry host, with or without a port, found ", quoted(repository.registry)));
  }
  if (hub && repository.path.find('/') == std::string::npos) repository.path.insert(0, kHubNamespace);
  if (repository.path.size() > kLongestName) {
    return refuse(concat("expected a name of at most ", kLongestName, " characters, found ", repository.path.size()));
  }
  return repository;
}

bool is_tag(std::string_view tag) {
  const auto allowed = [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; };
  return !tag.empty() && tag.size() <= kLongestTag && tag.front() != '.' && tag.front() != '-' &&
         std::all_of(tag.begin(), tag.end(), allowed);
}

constexpr std::string_view kTagRule =
    "expected a tag of 1 to 128 letters, digits, '_', '.' and '-' that does not begin with '.' or '-', found ";

std::string suffixes(const Reference& reference) {
  std::string text;
  if (reference.tag) text += concat(":", *reference.tag);
  if (reference.digest) text += concat("@", reference.digest->text());
  return text;
}

}  // namespace

std::string Repository::familiar() const {
  if (registry != kHub) return full();
  const bool official = path.starts_with(kHubNamespace) && path.find('/', kHubNamespace.size()) == std::string::npos;
  if (official) return path.substr(kHubNamespace.size());
  // `docker.io/ghcr.io/app` is a repository of Docker Hub; without its host it would be one of another registry.
  return is_registry_segment(std::string_view(path).substr(0, path.find('/'))) ? full() : path;
}

std::string Repository::full() const { return concat(registry, "/", path); }

std::string Reference::familiar() const { return concat(repository.familiar(), suffixes(*this)); }

std::string Reference::full() const { return concat(repository.full(), suffixes(*this)); }

Result<std::string> parse_tag(std::string_view text) {
  if (is_tag(text)) return std::string(text);
  return fail(ErrorCode::bad_input, concat("tag: ", kTagRule, quoted(text)));
}

Result<Repository> parse_repository(std::string_view text) {
  const Refusal refuse{"repository", text};
  const std::size_t colon = text.rfind(':');
  const bool tagged = colon != std::string_view::npos && text.find('/', colon) == std::string_view::npos;
  const bool suffix = tagged || text.find('@') != std::string_view::npos;
  if (suffix) return refuse("expected a repository without a tag and a digest", "leave out what follows the name");
  return repository_of(text, refuse);
}

Result<Reference> parse_reference(std::string_view text) {
  const Refusal refuse{"image reference", text};
  Reference reference;
  std::string_view name = text;
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    auto digest = Digest::parse(name.substr(at + 1));
    if (!digest) return refuse(digest.error().message);
    reference.digest = *std::move(digest);
    name = name.substr(0, at);
  }
  const std::size_t colon = name.rfind(':');
  if (colon != std::string_view::npos && name.find('/', colon) == std::string_view::npos) {
    const std::string_view tag = name.substr(colon + 1);
    if (!is_tag(tag)) return refuse(concat(kTagRule, quoted(tag)));
    reference.tag = std::string(tag);
    name = name.substr(0, colon);
  }
  CG_TRY(reference.repository, repository_of(name, refuse));
  return reference;
}

}  // namespace crategate::oci
