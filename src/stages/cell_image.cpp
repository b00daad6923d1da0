#include "stages/cell_image.h"

#include "base/strings.h"

namespace crategate::stages {

Result<docker::EngineImage> find_cell_image(const pipeline::Plan& plan, const pipeline::Cell& cell,
                                            const Workspace& workspace, const sys::FileSystem& files,
                                            docker::Engine& engine) {
  CG_TRY(const auto built, load_built(files, workspace, plan, cell.key));
  const std::string name = built ? built->image_id : local_image_name(plan, cell);
  CG_TRY(auto image, engine.find_image(name));
  if (image) return *std::move(image);
  return fail(
      ErrorCode::not_found,
      concat("cell ", cell.key, ": expected the image ", local_image_name(plan, cell), " in the engine, found none"),
      concat("Run `crategate build --cell ", cell.key,
             "` first. If the name is not what was built: commit VERSION before tagging."));
}

}  // namespace crategate::stages
