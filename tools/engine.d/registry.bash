# shellcheck shell=bash
# The registry (distribution 2.8) on a free port of 127.0.0.1, shared by all engines of this state.

registry_port() { cat "$STATE/registry/port" 2>/dev/null; }

registry_answers() {
  running registry && curl -fsS -m 5 -o /dev/null "http://127.0.0.1:$(registry_port)/v2/" 2>/dev/null
}

port_is_free() {
  ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && ! (exec 3<>"/dev/tcp/::1/$1") 2>/dev/null
}

# pick_port FILE FIRST: the port of the last time, or FIRST, when it is free.
pick_port() {
  local port
  port=$(cat "$1" 2>/dev/null) || port=$2
  while ! port_is_free "$port"; do
    port=$((20000 + RANDOM % 12000))
  done
  echo "$port"
}

registry_up() {
  local attempt log=$STATE/registry/log
  if registry_answers; then return; fi
  stop registry 5
  packages_unpack "${SMALL_PACKAGES[@]}"
  mkdir -p "$STATE/registry/data"
  for attempt in 1 2 3; do
    pick_port "$STATE/registry/port" 5000 >"$STATE/registry/port.new"
    mv "$STATE/registry/port.new" "$STATE/registry/port"
    registry_start
    if [[ $attempt == 3 ]] || registry_settles; then break; fi
  done
  wait_for registry "$log" 20 registry_answers
}

registry_start() {
  cat >"$STATE/registry/config.yml" <<CONF
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: "$STATE/registry/data"}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
http: {addr: "127.0.0.1:$(registry_port)"}
CONF
  say "starting the registry on localhost:$(registry_port)"
  start registry "$STATE/registry/log" env OTEL_TRACES_EXPORTER=none \
    "$ROOT/usr/bin/docker-registry" serve "$STATE/registry/config.yml"
}

# False when it ended at once: somebody else took the port between the look and the start.
registry_settles() {
  local step
  for ((step = 0; step < 50; ++step)); do
    if registry_answers; then return 0; fi
    running registry || return 1
    sleep 0.1
  done
}

registry_down() {
  if running registry; then
    say "stopping the registry"
  fi
  stop registry 10
}

# registry_config REPOSITORY TAG: the image's configuration, or nothing.
registry_config() {
  local url config
  url=http://127.0.0.1:$(registry_port)/v2/$1
  config=$(curl -fsS -m 10 -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "$url/manifests/$2" 2>/dev/null |
    jq -r '.config.digest // empty') || return 0
  if [[ -n $config ]]; then
    curl -fsS -m 10 "$url/blobs/$config" 2>/dev/null || true
  fi
}
