// Image references as docker reads them (https://pkg.go.dev/github.com/distribution/reference).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "oci/digest.h"

namespace crategate::oci {

/// A registry and a repository in it, in normal form (`ubuntu` = docker.io/library/ubuntu, index.docker.io =
/// docker.io).
struct Repository {
  std::string registry;  ///< host[:port]; `docker.io` for Docker Hub
  std::string path;      ///< `library/ubuntu`
  /// `docker.io` is left out, as people write it: "braindotai/opencrate", "localhost:5000/a".
  std::string familiar() const;
  /// Always with the registry: "docker.io/library/ubuntu".
  std::string full() const;
  auto operator<=>(const Repository&) const = default;
};

struct Reference {
  Repository repository;
  std::optional<std::string> tag;
  std::optional<Digest> digest;
  std::string familiar() const;
  std::string full() const;
  auto operator<=>(const Reference&) const = default;
};

/// `[host[:port]/]path`, no tag.
/// Errors: bad_input, quoting the text and naming the rule that it breaks.
Result<Repository> parse_repository(std::string_view text);
/// `repository[:tag][@digest]`; no implicit `latest`.
Result<Reference> parse_reference(std::string_view text);
/// Tag grammar `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`.
Result<std::string> parse_tag(std::string_view text);

}  // namespace crategate::oci
