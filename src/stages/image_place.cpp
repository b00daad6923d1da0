#include "stages/image_place.h"

#include <algorithm>
#include <filesystem>

#include "base/strings.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kLayout = "oci:";
constexpr std::string_view kDocker = "docker://";
/// A layout is one repository; its name is never sent anywhere.
const oci::Repository kInLayout{"layout.invalid", "image"};

/// The only image of a layout that nobody named one of.
Result<oci::Reference> only_image(const std::string& text, const layout::OciLayout& layout) {
  CG_TRY(const auto names, layout.names());
  if (names.size() == 1) return oci::Reference{kInLayout, std::nullopt, names.front().second};
  CG_TRY(const auto unnamed, layout.manifests());
  if (names.empty() && unnamed.size() == 1) return oci::Reference{kInLayout, std::nullopt, unnamed.front()};
  return fail(ErrorCode::bad_input,
              concat(text, ": expected one image, found ", std::max(names.size(), unnamed.size())),
              "name one: oci:DIR:NAME; `crategate registry ls oci:DIR` prints the names");
}

Result<oci::Reference> named_in_layout(const std::string& text, const std::string& name) {
  if (name.starts_with("sha256:")) {
    CG_TRY(auto digest, oci::Digest::parse(name));
    return oci::Reference{kInLayout, std::nullopt, std::move(digest)};
  }
  if (name.find_first_of("\r\n\t ") == std::string::npos) return oci::Reference{kInLayout, name, std::nullopt};
  return fail(ErrorCode::bad_input, concat(quote(text), ": expected a name without spaces after the second colon"));
}

Result<ImagePlace> in_layout(const std::string& text, bool create, bool whole) {
  const std::string place = text.substr(kLayout.size());
  const auto colon = place.find(':');
  const std::string directory = place.substr(0, colon);
  const std::string name = colon == std::string::npos ? std::string() : place.substr(colon + 1);
  std::error_code failed;
  if (directory.empty() || (!create && !std::filesystem::exists(sys::Path(directory) / "oci-layout", failed))) {
    return fail(ErrorCode::not_found, concat(text, ": expected the directory of an OCI layout, found none"),
                "write oci:DIR or oci:DIR:NAME");
  }
  if (create) std::filesystem::create_directories(directory, failed);
  CG_TRY(auto layout, create ? layout::OciLayout::open(directory) : layout::OciLayout::open_existing(directory));
  ImagePlace found;
  found.reference = {kInLayout, std::nullopt, std::nullopt};
  if (!name.empty()) {
    CG_TRY(found.reference, named_in_layout(text, name));
  } else if (!create && !whole) {
    CG_TRY(found.reference, only_image(text, layout));
  }
  found.directory = directory;
  found.layout = std::make_shared<LayoutRegistry>(std::move(layout), LayoutNames::tags);
  found.reader = found.layout.get();
  found.writer = found.layout.get();
  return found;
}

/// An address with a login in it must not be repeated in a message.
Result<void> refuse_address(std::string_view text) {
  if (text.starts_with(kDocker)) text.remove_prefix(kDocker.size());
  const auto at = text.rfind('@');
  const bool login = at != std::string_view::npos && !text.substr(at + 1).starts_with("sha");
  if (!login && text.find("://") == std::string_view::npos) return {};
  return fail(ErrorCode::bad_input,
              concat("expected an image as NAME[:TAG][@DIGEST] or oci:DIR[:NAME], found ",
                     login ? "a login in it" : "an address with a scheme"),
              "write docker.io/library/alpine:3; logins are given by --registry, --username and the input password");
}

}  // namespace

std::string ImagePlace::text() const {
  if (!layout) return reference.familiar();
  if (reference.tag) return concat(kLayout, directory, ":", *reference.tag);
  return reference.digest ? concat(kLayout, directory, ":", reference.digest->text()) : concat(kLayout, directory);
}

Result<ImagePlace> find_in_layout(const std::string& text) { return in_layout(text, false, false); }

Result<ImagePlace> find_place(const std::string& text, registry::RegistryReader& reader,
                              registry::RegistryWriter& writer, const std::string& default_tag, bool create) {
  if (text.starts_with(kLayout)) return in_layout(text, create, default_tag.empty());
  ImagePlace found;
  CG_CHECK(refuse_address(text));
  CG_TRY(found.reference, oci::parse_reference(text.starts_with(kDocker) ? text.substr(kDocker.size()) : text));
  if (!found.reference.tag && !found.reference.digest && !default_tag.empty()) found.reference.tag = default_tag;
  found.reader = &reader;
  found.writer = &writer;
  return found;
}

}  // namespace crategate::stages
