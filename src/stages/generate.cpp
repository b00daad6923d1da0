// generate: render every planned Dockerfile, compare, write what changed.
// Belongs here: files in, files out.  Not here: template syntax (dockerfile/template).
#include "stages/generate.h"

#include <map>

#include "base/strings.h"
#include "dockerfile/template.h"

namespace crategate::stages {
namespace {

using Contents = std::map<std::string, std::string>;  // path → bytes

Result<Contents> render_all(const GenerateInputs& in, const sys::FileSystem& files) {
  CG_TRY(const auto text, files.read_below(in.workspace.root, in.generate.template_file));
  if (!text) {
    return fail(ErrorCode::bad_input,
                concat("generate.template: expected a template, found no file ", quote(in.generate.template_file)),
                "Correct generate.template in crategate.yml; the path is relative to the repository root.");
  }
  Contents rendered;
  for (const auto& cell : in.plan.cells) {
    auto result = dockerfile::render(*text, cell.variables, in.generate.template_file);
    if (!result) return fail(std::move(result).error().within(concat("cell ", cell.key)));
    rendered[cell.dockerfile] = *std::move(result);
  }
  return rendered;
}

Result<Contents> read_present(const GenerateInputs& in, const sys::FileSystem& files) {
  Contents present;
  for (const auto& cell : in.plan.cells) {
    CG_TRY(auto text, files.read_below(in.workspace.root, cell.dockerfile));
    if (text) present[cell.dockerfile] = *std::move(text);
  }
  return present;
}

docker::ContainerSpec generator_container(const GenerateInputs& in) {
  docker::ContainerSpec spec;
  spec.image = in.generate.image;
  set_command(spec, in.generate.run);
  spec.binds = {concat(in.workspace.root.string(), ":/work")};
  spec.workdir = "/work";
  spec.labels = {{"io.crategate.stage", "generate"}};
  return spec;
}

Result<void> run_generator(const GenerateInputs& in, const CommandServices& svc) {
  if (in.generate.image.empty() && in.in_action) {
    return fail(ErrorCode::bad_input, "generate.image: expected an image to run the generator in, found none",
                "Inside the action there is no host to run on: set generate.image, or use generate.template.");
  }
  CG_CHECK(svc.files.make_directories(in.workspace.state() / "logs"));
  CG_TRY(auto log, sys::LogFile::create(in.workspace.state(), "logs/generate.log", kLogLimit));
  OutputCollector output(std::move(log), svc.progress);
  Result<CommandResult> ran = fail(ErrorCode::internal, "the generator did not run");
  if (in.generate.image.empty()) {
    ran = run_on_host({}, in.generate.run, in.workspace.root, in.generate.timeout, output, svc.host);
  } else {
    CG_TRY(docker::Engine* const engine, svc.engine());
    CG_CHECK(provide_image(in.generate.image, *engine));
    ran = run_in_container(generator_container(in), in.generate.timeout, output, *engine);
  }
  CG_TRY(const auto result, std::move(ran));
  if (result.exit_code == 0 && !result.timed_out && !result.cancelled) return {};
  return fail(command_failure("generate.run", result, in.generate.timeout,
                              (in.workspace.state_name / "logs/generate.log").string(),
                              concat("Run it yourself: ", describe_command(in.generate.run))));
}

/// A check leaves the planned Dockerfiles as they were, whatever the generator did to them.
Result<void> put_back(const GenerateInputs& in, const Contents& before, sys::FileSystem& files) {
  for (const auto& cell : in.plan.cells) {
    const auto known = before.find(cell.dockerfile);
    if (known != before.end()) {
      CG_CHECK(files.write_below(in.workspace.root, cell.dockerfile, known->second));
    } else if (files.read_below(in.workspace.root, cell.dockerfile).value_or(std::nullopt)) {
      CG_CHECK(files.remove_tree(in.workspace.root / cell.dockerfile));
    }
  }
  return {};
}

/// What the project's generator writes, with the files as they were put back for a drift check.
Result<Contents> generate_by_command(const GenerateInputs& in, const Contents& before, const CommandServices& svc) {
  const auto ran = run_generator(in, svc);
  auto after = read_present(in, svc.files);
  if (in.check_only) CG_CHECK(put_back(in, before, svc.files));
  CG_CHECK(ran);
  return after;
}

Result<void> require_all(const GenerateInputs& in, const Contents& contents) {
  for (const auto& cell : in.plan.cells) {
    if (contents.contains(cell.dockerfile)) continue;
    return fail(
        ErrorCode::bad_input,
        concat("cell ", cell.key, ": expected the Dockerfile ", quote(cell.dockerfile), ", found none"),
        "Set generate.template or generate.run, or commit a Dockerfile at the path that generate.output names.");
  }
  return {};
}

std::size_t first_differing_line(const std::string& a, const std::string& b) {
  std::size_t line = 1;
  for (std::size_t i = 0; i < a.size() && i < b.size() && a[i] == b[i]; ++i) line += a[i] == '\n' ? 1 : 0;
  return line;
}

Error drift(const std::vector<std::string>& drifted, const Contents& wanted, const Contents& before) {
  const std::string& first = drifted.front();
  const auto present = before.find(first);
  const bool missing = present == before.end();
  Error error{ErrorCode::drifted,
              concat("generated files: expected what the template gives, found ", drifted.size(), " of ", wanted.size(),
                     " different: ", join(drifted, ", "), missing ? " (the first is missing)" : ""),
              "Run `crategate generate` and commit the result; never edit generated files by hand.",
              {},
              {},
              {}};
  if (!missing) {
    error.location = Location{first, static_cast<int>(first_differing_line(wanted.at(first), present->second)), 0};
  }
  return error;
}

}  // namespace

Result<Generated> run_generate(const GenerateInputs& in, const CommandServices& svc) {
  // Facts
  CG_TRY(const Contents before, read_present(in, svc.files));
  Contents wanted = before;
  if (!in.generate.template_file.empty()) {
    CG_TRY(wanted, render_all(in, svc.files));
  } else if (!in.generate.run.empty()) {
    CG_TRY(wanted, generate_by_command(in, before, svc));
  }
  CG_CHECK(require_all(in, wanted));
  // Decision
  Generated generated;
  for (const auto& cell : in.plan.cells) {
    generated.files.push_back(cell.dockerfile);
    const auto present = before.find(cell.dockerfile);
    if (present == before.end() || present->second != wanted.at(cell.dockerfile))
      generated.written.push_back(cell.dockerfile);
  }
  // Effects
  if (in.check_only && !generated.written.empty()) return fail(drift(generated.written, wanted, before));
  if (in.generate.template_file.empty()) return generated;
  for (const auto& path : generated.written) {
    CG_CHECK(svc.files.write_below(in.workspace.root, path, wanted.at(path)));
  }
  return generated;
}

}  // namespace crategate::stages
