#include "stages/load_ci_image.h"

#include <filesystem>
#include <utility>

#include "base/strings.h"
#include "layout/archive.h"
#include "layout/archive_writer.h"
#include "layout/blob_file.h"
#include "oci/image_choice.h"
#include "oci/media_types.h"
#include "pipeline/ci_tags.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kUnpacked = "ci-image/loaded";

struct Found {
  layout::OciLayout layout;
  oci::Digest image;
};

Failure no_image(const sys::Path& from, std::string_view found) {
  return fail(ErrorCode::not_found,
              concat("ci-image load: expected one image in an OCI layout at ", quote(from.string()), ", found ", found),
              "Give the folder that the artifact ci-image was downloaded to, or an archive of an OCI layout.");
}

/// Of an index the image for this machine.
Result<oci::Digest> image_in(const layout::OciLayout& layout, const CiImageLoadInputs& in) {
  CG_TRY(const auto listed, layout.manifests());
  if (listed.size() != 1) return no_image(in.from, concat(listed.size()));
  CG_TRY(const auto stored, layout.find(listed.front()));
  if (!stored)
    return fail(ErrorCode::integrity, concat("expected the manifest ", listed.front().text(), ", found no such blob"));
  if (!oci::is_index(stored->descriptor.media_type)) return listed.front();
  CG_TRY(const auto index, oci::parse_index(stored->bytes, stored->descriptor.media_type));
  const oci::Platform machine{.os = "linux", .architecture = in.architecture, .variant = {}};
  CG_TRY(const auto entry, oci::choose_image(index, machine, [](const oci::Descriptor&) -> Result<oci::Index> {
           return fail(ErrorCode::integrity, "ci-image load: expected images in the index, found another index");
         }));
  return entry.digest;
}

Result<Found> find_in_directory(const CiImageLoadInputs& in) {
  std::error_code ignored;
  if (!std::filesystem::exists(in.from / "oci-layout", ignored)) return no_image(in.from, "no file oci-layout");
  CG_TRY(auto layout, layout::OciLayout::open_existing(in.from));
  CG_TRY(auto image, image_in(layout, in));
  return Found{std::move(layout), std::move(image)};
}

Result<Found> unpack(const CiImageLoadInputs& in, const sys::Path& directory, sys::FileSystem& files) {
  CG_CHECK(files.remove_tree(directory));
  CG_CHECK(files.make_directories(directory));
  CG_TRY(auto layout, layout::OciLayout::open(directory));
  CG_TRY(const auto archive, layout::file_source(in.from));
  const oci::Platform machine{.os = "linux", .architecture = in.architecture, .variant = {}};
  CG_TRY(const auto imported, layout::import_archive(archive, machine, layout));
  return Found{std::move(layout), imported.manifest.digest};
}

Result<CiImageLoaded> load(const Found& found, const CiImageLoadInputs& in, docker::Engine& engine) {
  CG_TRY(const auto repository, oci::parse_repository(in.settings.image));
  const oci::Reference name{repository, std::string(pipeline::kForkTag), std::nullopt};
  CG_TRY(const auto archive, layout::write_archive(found.layout, found.image, name));
  CG_CHECK(engine.load_image(archive.source, archive.size));
  CG_TRY(const auto loaded, engine.find_image(name.familiar()));
  // The engine's id is the one digest or the other, by its store.
  if (loaded && (loaded->id == found.image.text() || loaded->id == archive.config.text()))
    return CiImageLoaded{name.familiar(), found.image};
  return fail(ErrorCode::engine,
              concat("ci-image load: expected ", found.image.text(), " as ", name.familiar(), " in the engine, found ",
                     loaded ? loaded->id : std::string("none")),
              "Look at the log of the Docker engine.");
}

Result<CiImageLoaded> load_from(const CiImageLoadInputs& in, docker::Engine& engine, sys::FileSystem& files) {
  std::error_code ignored;
  if (std::filesystem::is_directory(in.from, ignored)) {
    CG_TRY(const auto found, find_in_directory(in));
    return load(found, in, engine);
  }
  if (!std::filesystem::is_regular_file(in.from, ignored)) return no_image(in.from, "no such file");
  const sys::Path directory = in.workspace.state() / kUnpacked;
  const auto found = unpack(in, directory, files);
  auto loaded = found ? load(*found, in, engine) : Result<CiImageLoaded>(fail(found.error()));
  static_cast<void>(files.remove_tree(directory));
  return loaded;
}

}  // namespace

Result<CiImageLoaded> load_ci_image(const CiImageLoadInputs& in, docker::Engine& engine, sys::FileSystem& files) {
  auto loaded = load_from(in, engine, files);
  if (loaded || loaded.error().code != ErrorCode::integrity) return loaded;
  // Whatever is wrong with it, it is so where it came from: nothing of it is made here.
  Error error = std::move(loaded).error().within(concat("ci-image load ", in.from.string()));
  error.hint =
      "It is cut or changed, or has a symbolic link, which is not followed: download the artifact ci-image again; if "
      "it "
      "stays so, run its build again.";
  return fail(std::move(error));
}

}  // namespace crategate::stages
