# shellcheck shell=bash disable=SC2034  # ENGINE is read by images.bash
# Engines: the machine's own (only looked at), and private ones with their own containerd, data root,
# exec root, socket, bridge and address pools.

# at_least HAVE WANT, versions by component
at_least() { [[ $(printf '%s\n' "$2" "$1" | sort -V | head -n1) == "$2" ]]; }

machine_engine_usable() {
  local api buildx
  command -v docker >/dev/null || return 1
  api=$(timeout 10 docker version --format '{{.Server.APIVersion}}' 2>/dev/null) || return 1
  buildx=$(timeout 10 docker buildx version 2>/dev/null | sed -n 's/^[^ ]* v\{0,1\}\([0-9][0-9.]*\).*/\1/p') || return 1
  [[ $api =~ ^[0-9.]+$ && -n $buildx ]] || return 1
  at_least "$api" 1.41 && at_least "$buildx" 0.13 && [[ $(machine_host) == unix://* ]]
}

machine_host() {
  if [[ -n ${DOCKER_HOST-} ]]; then
    echo "$DOCKER_HOST"
  else
    docker context inspect --format '{{.Endpoints.docker.Host}}'
  fi
}

engine_host() {
  if [[ $1 == machine ]]; then
    machine_host
  else
    echo "unix://$RUN/$1/docker.sock"
  fi
}

engine_answers() {
  if [[ $1 == machine ]]; then
    machine_engine_usable
  else
    running "$1/dockerd" && running "$1/containerd" && socket_answers "$1"
  fi
}

socket_answers() {
  curl -fsS -m 10 -o /dev/null --unix-socket "$RUN/$1/docker.sock" http://engine/_ping 2>/dev/null
}

engine_store() {
  if [[ $1 != machine ]]; then
    echo "$1"
  elif docker info --format '{{json .DriverStatus}}' | grep -q io.containerd.snapshotter; then
    echo containerd
  else
    echo classic
  fi
}

engine_line() {
  if [[ $1 == machine ]]; then
    echo "this machine's own engine ($(engine_host machine), $(engine_store machine) image store)"
  else
    echo "private engine ($(engine_host "$1"), $1 image store)"
  fi
}

# From here on `docker` means that engine, with a client configuration of its own.
use_engine() {
  ENGINE=$1
  local config=$STATE/$1/docker-config plugin=$ROOT/usr/libexec/docker/cli-plugins/docker-buildx
  if [[ $1 == machine ]]; then
    plugin=$(docker info --format '{{range .ClientInfo.Plugins}}{{if eq .Name "buildx"}}{{.Path}}{{end}}{{end}}')
  else
    PATH=$ROOT/usr/bin:$ROOT/usr/sbin:$PATH
  fi
  DOCKER_HOST=$(engine_host "$1")
  DOCKER_CONFIG=$config
  export DOCKER_HOST DOCKER_CONFIG PATH
  if [[ $(readlink "$config/cli-plugins/docker-buildx" 2>/dev/null) != "$plugin" ]]; then
    mkdir -p "$config/cli-plugins"
    ln -sfn "$plugin" "$config/cli-plugins/docker-buildx"
    [[ -e $config/config.json ]] || echo '{}' >"$config/config.json"
    give_to_caller "$config"
  fi
}

ip_number() {
  local IFS=.
  # shellcheck disable=SC2086  # split at the dots
  set -- $1
  echo $((($1 << 24) + ($2 << 16) + ($3 << 8) + $4))
}

# True when no route of this machine (other than the default one) overlaps NETWORK/20.
network_is_free() {
  local first last route bits from
  first=$(ip_number "$1")
  last=$((first + (1 << 12) - 1))
  while read -r route; do
    [[ $route =~ ^([0-9.]+)(/([0-9]+))?$ ]] || continue
    bits=${BASH_REMATCH[3]:-32}
    from=$(ip_number "${BASH_REMATCH[1]}")
    if ((from <= last && from + (1 << (32 - bits)) > first)); then
      return 1
    fi
  done < <(ip -4 route show | awk '{print $1}')
}

# A /20 for one engine: its first /24 for the bridge, its upper half for networks made later.
pick_network() {
  local second third
  for second in 29 28 27 26 25 24 30 31; do
    for third in 0 16 32 48 64 80 96 112; do
      if network_is_free "172.$second.$third.0"; then
        echo "172.$second.$third"
        return
      fi
    done
  done
  die "no free network among 172.24.0.0 to 172.31.127.255 for the engine's bridge"
}

bridge_of() {
  case $1 in
    containerd) echo "cg${ID}d" ;;
    classic) echo "cg${ID}c" ;;
  esac
}

# Prints A.B.C of the bridge's network, kept while the bridge lives.
bridge_up() {
  local bridge network
  bridge=$(bridge_of "$1")
  network=$({ ip -4 -o address show dev "$bridge" 2>/dev/null || true; } | sed -n 's/.* inet \([0-9]*\.[0-9]*\.[0-9]*\)\.1\/24 .*/\1/p')
  if [[ -z $network ]]; then
    ip link delete "$bridge" 2>/dev/null || true
    network=$(pick_network)
    ip link add "$bridge" type bridge
    ip address add "$network.1/24" dev "$bridge"
  fi
  ip link set "$bridge" up
  echo "$network"
}

# Overlay mounts need a file system that carries them (an overlay itself does not).
overlay_works() {
  local try=$STATE/tmp/overlay result=1
  rm -rf "$try"
  mkdir -p "$try"/{lower,upper,work,merged}
  if mount -t overlay overlay -o "lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work" "$try/merged" 2>/dev/null; then
    umount "$try/merged"
    result=0
  fi
  rm -rf "$try"
  return $result
}

daemon_configure() {
  local store=$1 network=$2 third driver='' features='{}'
  third=${network##*.}
  if [[ $store == containerd ]]; then
    features='{"containerd-snapshotter": true}'
  fi
  if ! overlay_works; then
    driver=$([[ $store == containerd ]] && echo native || echo vfs)
    say "no overlay mounts below $STATE: using the slow driver $driver"
  fi
  cat >"$STATE/$store/containerd.toml" <<CONF
version = 2
root = "$STATE/$store/containerd"
state = "$RUN/$store/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$RUN/$store/containerd.sock"
CONF
  # The registry as Docker Hub's mirror: a build with --pull finds the base images there.
  jq -n \
    --argjson features "$features" --arg driver "$driver" \
    --arg run "$RUN/$store" --arg data "$STATE/$store/data" --arg bridge "$(bridge_of "$store")" \
    --arg pool "${network%.*}.$((third + 8)).0/21" --arg group "${SUDO_GID:-0}" \
    --arg mirror "http://localhost:$(registry_port)" '{
      features: $features,
      containerd: "\($run)/containerd.sock",
      "data-root": $data,
      "exec-root": "\($run)/exec",
      pidfile: "\($run)/dockerd.pid",
      hosts: ["unix://\($run)/docker.sock"],
      group: $group,
      bridge: $bridge,
      "default-address-pools": [{base: $pool, size: 26}],
      "registry-mirrors": [$mirror],
      "shutdown-timeout": 10
    } + if $driver == "" then {} else {"storage-driver": $driver} end' >"$STATE/$store/daemon.json"
}

# The registry may have moved to another port while this engine ran.
daemon_follow_registry() {
  local config=$STATE/$1/daemon.json mirror
  mirror=http://localhost:$(registry_port)
  if ! grep -qF "\"$mirror\"" "$config"; then
    jq --arg mirror "$mirror" '."registry-mirrors" = [$mirror]' "$config" >"$config.new"
    mv "$config.new" "$config"
    kill -HUP "$(pid_of "$1/dockerd")"
  fi
}

daemon_up() {
  local store=$1 network
  if engine_answers "$store"; then
    daemon_follow_registry "$store"
    return
  fi
  if [[ -e $RUN/$store/dockerd.process || -e $RUN/$store/containerd.process ]]; then
    say "the $store engine is there but does not answer: starting it anew"
  fi
  daemon_down "$store"
  packages_unpack "${ENGINE_PACKAGES[@]}"
  mkdir -p "$STATE/$store" "$RUN/$store"
  chmod 711 "$RUN/$store"
  network=$(bridge_up "$store")
  daemon_configure "$store" "$network"
  firewall_remember
  say "starting the engine with the $store image store"
  local path=$ROOT/usr/bin:$ROOT/usr/sbin:$ROOT/usr/libexec/docker:$PATH
  start "$store/containerd" "$STATE/$store/containerd.log" \
    env "PATH=$path" containerd --config "$STATE/$store/containerd.toml"
  wait_for "$store/containerd" "$STATE/$store/containerd.log" 30 test -S "$RUN/$store/containerd.sock"
  start "$store/dockerd" "$STATE/$store/dockerd.log" \
    env "PATH=$path" dockerd --config-file "$STATE/$store/daemon.json"
  wait_for "$store/dockerd" "$STATE/$store/dockerd.log" 90 socket_answers "$store"
}

# Shims outlive a killed containerd; ours name its socket.
stop_shims() {
  local file pid
  local -a words
  for file in /proc/[0-9]*/cmdline; do
    pid=${file#/proc/}
    pid=${pid%/cmdline}
    mapfile -d '' words 2>/dev/null <"$file" || continue
    if [[ ${words[0]-} == *containerd-shim* && " ${words[*]} " == *" -address $RUN/$1/containerd.sock "* ]]; then
      kill -KILL "$pid" 2>/dev/null || true
    fi
  done
}

# Bridges of the networks that were made in the engine.
made_bridges() {
  socket_answers "$1" || return 0
  curl -fsS -m 5 --unix-socket "$RUN/$1/docker.sock" http://engine/networks 2>/dev/null |
    jq -r '.[] | select(.Driver == "bridge" and .Name != "bridge") | "br-" + .Id[0:12]' || true
}

daemon_down() {
  local store=$1
  local -a bridges=("$(bridge_of "$1")")
  if running "$store/dockerd" || running "$store/containerd"; then
    mapfile -t -O 1 bridges < <(made_bridges "$store")
    say "stopping the engine with the $store image store"
  elif [[ ! -d $RUN/$store ]]; then
    return 0
  fi
  stop "$store/dockerd" 40
  stop_shims "$store"
  stop "$store/containerd" 20
  unmount_below "$STATE/$store" "$RUN/$store"
  firewall_drop_bridges "${bridges[@]}"
  rm -rf "${RUN:?}/$store"
}
