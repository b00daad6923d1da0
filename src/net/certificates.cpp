// Names of files.
#include "net/certificates.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::net {
namespace {

Result<TlsMaterial> read_host(const std::vector<std::string>& names, const sys::Path& directory) {
  TlsMaterial material;
  const auto has = [&names](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto half = [&directory](const std::string& found, const std::string& missing) {
    return fail(ErrorCode::bad_input, concat((directory / found).string(), ": expected ", missing, " beside it"),
                "a client certificate is NAME.cert with NAME.key; an authority's certificate ends with .crt");
  };
  for (const std::string& name : names) {
    const sys::Path path = directory / name;
    const std::string stem = path.stem().string();
    if (path.extension() == ".crt") material.authorities.push_back(path);
    if (path.extension() == ".key" && !has(stem + ".cert")) return half(name, stem + ".cert");
    if (path.extension() != ".cert") continue;
    if (!has(stem + ".key")) return half(name, stem + ".key");
    if (!material.certificate.empty())
      return fail(ErrorCode::bad_input,
                  concat("expected one client certificate for a host, found ", material.certificate.string(), " and ",
                         path.string()),
                  "remove the one that the host does not ask for");
    material.certificate = path;
    material.key = directory / (stem + ".key");
  }
  return material;
}

}  // namespace

const TlsMaterial* material_for(const TlsMaterials& materials, const Url& url) {
  auto found = materials.find(concat(url.host, ":", url.port));
  if (found == materials.end() && url.port == 443) found = materials.find(url.host);
  return found == materials.end() ? nullptr : &found->second;
}

Result<TlsMaterials> read_certificate_directory(const sys::FileSystem& files, const sys::Path& directory) {
  TlsMaterials materials;
  CG_TRY(const std::vector<std::string> hosts, files.list(directory));
  for (const std::string& host : hosts) {
    if (!files.exists(directory / host / ".")) continue;  // not a directory
    CG_TRY(const std::vector<std::string> names, files.list(directory / host));
    CG_TRY(TlsMaterial material, read_host(names, directory / host));
    if (!material.authorities.empty() || !material.certificate.empty())
      materials.emplace(to_lower(host), std::move(material));
  }
  return materials;
}

}  // namespace crategate::net
