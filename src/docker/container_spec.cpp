// What a container may and may not do, as the engine's creation request.
#include "docker/container.h"
#include "json/value.h"

namespace crategate::docker {
namespace {

constexpr std::int64_t kCpuPeriod = 100'000;  // microseconds

json::Value mount_of(const HostMount& mount) {
  json::Value value = json::Value::object(
      {{"Type", mount.type}, {"Source", mount.source}, {"Target", mount.target}, {"ReadOnly", mount.read_only}});
  if (mount.type != kVolume) return value;
  // NoCopy: an empty volume is not to be filled from the image.
  json::Value options = json::Value::object({{"NoCopy", true}});
  if (!mount.subpath.empty()) options.set("Subpath", mount.subpath);
  value.set("VolumeOptions", std::move(options));
  return value;
}

/// Members that are absent where there is no limit: the engine's own defaults hold then.
void set_limits(json::Value& host, const ContainerLimits& limits) {
  host.set("PidsLimit", limits.processes);
  if (limits.memory > 0) host.set("Memory", limits.memory).set("MemorySwap", limits.memory);  // together: no swap
  // As a share of time: NanoCpus is refused where the machine has fewer processors than that.
  if (limits.cpus > 0) host.set("CpuPeriod", kCpuPeriod).set("CpuQuota", kCpuPeriod * limits.cpus);
  if (limits.file_size > 0) {
    host.set("Ulimits", json::Value::array({json::Value::object(
                            {{"Name", "fsize"}, {"Soft", limits.file_size}, {"Hard", limits.file_size}})}));
  }
  if (limits.drop_capabilities) host.set("CapDrop", json::Value::array_of({"ALL"}));
  if (limits.read_only_root) host.set("ReadonlyRootfs", true);
  if (!limits.tmpfs.empty()) host.set("Tmpfs", json::Value::object_of(limits.tmpfs));
}

json::Value host_config(const ContainerSpec& spec, const std::vector<HostMount>& host_mounts) {
  json::Value mounts = json::Value::array();
  for (const HostMount& mount : host_mounts) mounts.push(mount_of(mount));
  json::Value host = json::Value::object({{"Init", true},
                                          {"AutoRemove", false},
                                          {"Privileged", false},
                                          {"SecurityOpt", json::Value::array_of({"no-new-privileges"})},
                                          {"Mounts", std::move(mounts)}});
  // The attached stream is the only log: a test that prints a gigabyte must not fill the engine's disk as well.
  host.set("LogConfig", json::Value::object({{"Type", "none"}}));
  if (!spec.network.empty()) host.set("NetworkMode", spec.network);
  set_limits(host, spec.limits);
  return host;
}

}  // namespace

std::string creation_body(const ContainerSpec& spec, const std::vector<HostMount>& mounts) {
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
  body.set("HostConfig", host_config(spec, mounts));
  return body.canonical();
}

}  // namespace crategate::docker
