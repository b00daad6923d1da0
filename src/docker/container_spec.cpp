// What a container may and may not do, as the engine's creation request.
#include "base/strings.h"
#include "docker/container.h"
#include "json/value.h"

namespace crategate::docker {
namespace {

constexpr std::int64_t kProcessLimit = 4096;

Result<json::Value> bind_mount(const std::string& bind) {
  const auto parts = split(bind, ':');
  const bool has_mode = parts.size() == 3;
  const bool complete = (parts.size() == 2 || has_mode) && parts[0].starts_with('/') && parts[1].starts_with('/');
  if (!complete || (has_mode && parts[2] != "ro" && parts[2] != "rw")) {
    return fail(ErrorCode::bad_input,
                concat("mount: expected /host/path:/container/path[:ro|:rw], found ", crategate::quoted(bind)),
                "give both paths from the root; a path cannot contain a colon");
  }
  return json::Value::object(
      {{"Type", "bind"}, {"Source", parts[0]}, {"Target", parts[1]}, {"ReadOnly", has_mode && parts[2] == "ro"}});
}

Result<json::Value> host_config(const ContainerSpec& spec) {
  json::Value mounts = json::Value::array();
  for (const std::string& bind : spec.binds) {
    CG_TRY(json::Value mount, bind_mount(bind));
    mounts.push(std::move(mount));
  }
  json::Value host = json::Value::object({{"Init", true},
                                          {"AutoRemove", false},
                                          {"Privileged", false},
                                          {"SecurityOpt", json::Value::array_of({"no-new-privileges"})},
                                          {"PidsLimit", kProcessLimit},
                                          {"Mounts", std::move(mounts)}});
  // The attached stream is the only log: a test that prints a gigabyte must not fill the engine's disk as well.
  host.set("LogConfig", json::Value::object({{"Type", "none"}}));
  if (!spec.network.empty()) host.set("NetworkMode", spec.network);
  return host;
}

}  // namespace

Result<std::string> creation_body(const ContainerSpec& spec) {
  json::Value body = json::Value::object({{"Image", spec.image},
                                          {"Tty", false},
                                          {"OpenStdin", false},
                                          {"AttachStdout", true},
                                          {"AttachStderr", true},
                                          {"Env", json::Value::array_of(spec.env)},
                                          {"Labels", json::Value::object_of(spec.labels)}});
  if (!spec.command.empty()) body.set("Cmd", json::Value::array_of(spec.command));
  if (spec.override_entrypoint) {
    // One empty word is how the engine spells "no entrypoint".
    body.set("Entrypoint",
             spec.entrypoint.empty() ? json::Value::array_of({""}) : json::Value::array_of(spec.entrypoint));
  }
  if (!spec.workdir.empty()) body.set("WorkingDir", spec.workdir);
  if (!spec.user.empty()) body.set("User", spec.user);
  CG_TRY(json::Value host, host_config(spec));
  body.set("HostConfig", std::move(host));
  return body.canonical();
}

}  // namespace crategate::docker
