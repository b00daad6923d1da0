// RestGitHubClient: versions of container packages.
#include "github/packages.h"

#include <utility>

#include "base/strings.h"
#include "github/client.h"
#include "github/session.h"

namespace crategate::github {
namespace {

/// What the token may do is half of it: a package has access rights of its own.
Error with_role(Error error, const ContainerPackage& package, std::string_view role) {
  const bool refused = error.code == ErrorCode::forbidden || error.code == ErrorCode::not_found;
  if (!refused) return error;
  error.hint += concat("; and give the repository the role ", role, " in the settings of the package ", package.text(),
                       ", under \"Manage Actions access\"");
  return error;
}

std::string versions_path(const ContainerPackage& package) {
  return concat(package.of_organisation ? "/orgs/" : "/users/", net::url_encode(package.owner), "/packages/container/",
                net::url_encode(package.name), "/versions");
}

Query version_query(const ContainerPackage& package, std::int64_t id, std::string_view verb, std::string_view needs) {
  return {.path = concat(versions_path(package), '/', id),
          .task = concat(verb, " version ", id, " of the package ", package.text()),
          .needs = std::string(needs)};
}

Result<PackageVersion> read_version(const json::Reader& item) {
  PackageVersion version;
  CG_TRY(version.id, item.integer("id"));
  if (version.id <= 0) return item.expected("a version with a positive id");
  CG_TRY(version.digest, item.string("name"));
  CG_TRY(const json::Reader metadata, item.at("metadata"));
  CG_TRY(const json::Reader container, metadata.at("container"));
  CG_CHECK(container.at("tags"));
  CG_TRY(version.tags, container.strings("tags"));
  return version;
}

}  // namespace

Result<std::optional<ContainerPackage>> RestGitHubClient::container_package(const oci::Repository& images) {
  const std::size_t slash = images.path.find('/');
  if (images.registry != container_registry(session_->endpoint()) || slash == std::string::npos) return std::nullopt;
  ContainerPackage package{.owner = images.path.substr(0, slash), .name = images.path.substr(slash + 1)};
  const Query query{.path = concat("/users/", net::url_encode(package.owner)),
                    .task = concat("tell whose packages those of ", package.owner, " are")};
  CG_TRY(const json::Document document, session_->read(query));
  const auto type = document.root().string("type");
  if (!type) return fail(Error(type.error()).within(concat("GitHub: cannot ", query.task)));
  package.of_organisation = *type == "Organization";
  return package;
}

Result<std::vector<PackageVersion>> RestGitHubClient::package_versions(const ContainerPackage& package) {
  const Query query{.path = concat(versions_path(package), "?per_page=100"),
                    .task = concat("list the versions of the package ", package.text()),
                    .needs = "packages: read"};
  std::vector<PackageVersion> versions;
  auto listed = session_->each_page(query, [&versions](const json::Reader& page) -> Result<void> {
    CG_TRY(const auto items, page.items());
    for (const json::Reader& item : items) {
      CG_TRY(versions.emplace_back(), read_version(item));
    }
    return {};
  });
  if (listed) return versions;
  return fail(with_role(std::move(listed).error(), package, "Read"));
}

Result<std::optional<PackageVersion>> RestGitHubClient::package_version(const ContainerPackage& package,
                                                                        std::int64_t id) {
  const Query query = version_query(package, id, "read", "packages: read");
  auto document = session_->read(query);
  if (!document && document.error().code == ErrorCode::not_found) return std::nullopt;
  if (!document) return fail(with_role(std::move(document).error(), package, "Read"));
  auto version = read_version(document->root());
  if (version) return *std::move(version);
  return fail(std::move(version).error().within(concat("GitHub: cannot ", query.task)));
}

Result<void> RestGitHubClient::delete_package_version(const ContainerPackage& package, std::int64_t id) {
  Query query = version_query(package, id, "delete", "packages: write");
  query.method = "DELETE";
  net::Deadline deadline = session_->deadline();
  auto answer = session_->send(query, deadline);
  if (answer) return {};
  return fail(with_role(std::move(answer).error(), package, "Admin"));
}

}  // namespace crategate::github
