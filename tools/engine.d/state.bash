# shellcheck shell=bash disable=SC2034,SC2153  # read by the other parts; sudo sets its own
# Where things are, what runs, and how it is said.  Nothing here knows Docker.

say() { echo "${0##*/}: $*" >&2; }

die() {
  echo "${0##*/}: $1" >&2
  exit "${2:-1}"
}

# die_with_log LOG MESSAGE: every failure of a part shows what the part said last.
die_with_log() {
  echo "${0##*/}: $2; the last lines of $1:" >&2
  tail -n 15 "$1" 2>/dev/null | sed 's/^/  | /' >&2
  exit 1
}

# Sets STATE (kept), RUN (sockets and pid records; short, since a socket's path holds 107 bytes) and
# ROOT (the unpacked packages).
state_open() {
  local id
  STATE=$(realpath -m "${CRATEGATE_ENGINE_DIR:-$REPO/build/engine}")
  id=$(printf %s "$STATE" | sha256sum | cut -c1-8)
  ID=$id
  ROOT=$STATE/packages/root
  if [[ -d /run/crategate-$id ]] || ((EUID == 0)); then
    RUN=/run/crategate-$id
  else
    RUN=${TMPDIR:-/tmp}/crategate-$id
  fi
  ((${#RUN} <= 70)) || RUN=/tmp/crategate-$id

  # What an earlier `env` exported is not this machine's own engine.
  if [[ ${DOCKER_HOST-} == unix://*/crategate-????????/*/docker.sock ]]; then
    unset DOCKER_HOST DOCKER_CONFIG
  elif [[ ${DOCKER_CONFIG-} == */machine/docker-config ]]; then
    unset DOCKER_CONFIG
  fi
  ORIGINAL_PATH=$(tr ':' '\n' <<<"$PATH" | grep -vxF -e "$ROOT/usr/bin" -e "$ROOT/usr/sbin" | paste -sd :)
  PATH=$ORIGINAL_PATH:/usr/sbin:/sbin
  export PATH
}

# One command at a time; a second one waits.
LOCKED=no
take_lock() {
  [[ $LOCKED == no ]] || return 0
  mkdir -p "$STATE/tmp" 2>/dev/null || die "cannot write $STATE (made by root? then: sudo tools/engine …)"
  mkdir -p "$RUN"
  chmod 711 "$RUN" 2>/dev/null || true
  [[ -O $RUN && ! -L $RUN ]] || die "$RUN belongs to somebody else"
  exec 9>"$STATE/lock"
  flock -n 9 || { say "waiting for another command of this state"; flock 9; }
  LOCKED=yes
}

# What needs no root itself, unless the state was made by root.
take_lock_as_owner() {
  [[ (! -e $STATE || -w $STATE) && (! -d $RUN || -O $RUN) ]] || continue_as_root "$STATE was made by root"
  take_lock
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# continue_as_root [REASON]: an engine needs root.  The socket and the client's configuration stay usable for the caller.
continue_as_root() {
  local reason=${1-a private engine needs root}
  ((EUID != 0)) || return 0
  command -v sudo >/dev/null || die "$reason, and there is no sudo here: run it as root"
  say "$reason: continuing through sudo"
  # Proxies and Go's settings count; sudo would drop them.
  local name keep=''
  for name in {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY GOPROXY GOSUMDB GOPRIVATE GOTOOLCHAIN SSL_CERT_FILE SSL_CERT_DIR; do
    [[ -z ${!name-} ]] || keep+=${keep:+,}$name
  done
  exec sudo ${keep:+"--preserve-env=$keep"} env "PATH=$PATH" "CRATEGATE_ENGINE_DIR=$STATE" "$REPO/tools/${0##*/}" "${ARGUMENTS[@]}"
}

give_to_caller() {
  if ((EUID == 0)) && [[ -n ${SUDO_UID-} ]]; then
    chown -R "$SUDO_UID:$SUDO_GID" "$@"
  fi
}

# A process is known by its id and its start time of this boot: an id alone may have been given anew.
start_time_of() {
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra stat <<<"${stat##*) }"
  [[ ${stat[0]} != [ZX] ]] || return 1
  echo "${stat[19]} $(</proc/sys/kernel/random/boot_id)"
}

pid_of() {
  local pid started
  { read -r pid started <"$RUN/$1.process"; } 2>/dev/null || return 1
  [[ $(start_time_of "$pid") == "$started" ]] || return 1
  echo "$pid"
}

running() { pid_of "$1" >/dev/null; }

# start NAME LOG COMMAND...: in a session of its own, without our lock.
start() {
  local name=$1 log=$2
  shift 2
  mkdir -p "$(dirname "$RUN/$name")"
  if [[ -s $log && $(stat -c %s "$log") -gt 10000000 ]]; then
    mv "$log" "$log.old"
  fi
  setsid "$@" >>"$log" 2>&1 </dev/null 9>&- &
  echo "$! $(start_time_of $! || echo gone)" >"$RUN/$name.process"
}

# stop NAME SECONDS: asks, waits, then insists.
stop() {
  local name=$1 limit=$2 pid step
  if pid=$(pid_of "$name"); then
    kill -TERM "$pid" 2>/dev/null || true
    for ((step = 0; step < limit * 20; ++step)); do
      running "$name" || break
      sleep 0.05
    done
    if running "$name"; then
      say "$name (pid $pid) did not stop within $limit s: killed"
      kill -KILL "$pid" 2>/dev/null || true
      while running "$name"; do sleep 0.05; done
    fi
  fi
  rm -f "$RUN/$name.process"
}

# wait_for NAME LOG SECONDS TEST...: until TEST succeeds; the process must live.
wait_for() {
  local name=$1 log=$2 limit=$3 step
  shift 3
  for ((step = 0; step < limit * 10; ++step)); do
    if "$@" 2>/dev/null; then return; fi
    running "$name" || die_with_log "$log" "$name ended while starting"
    sleep 0.1
  done
  die_with_log "$log" "$name does not answer after $limit s"
}

# What was noted of an engine goes; tools/registries has processes of its own.
forget_run() {
  [[ ! -d $RUN ]] || find "$RUN" -mindepth 1 -maxdepth 1 ! -name registries -exec rm -rf {} +
  rmdir "$RUN/registries" "$RUN" 2>/dev/null || true
}

# unmount_below FOLDER...: what a killed engine left.
unmount_below() {
  local folder target
  for folder in "$@"; do
    awk '{print $5}' /proc/self/mountinfo | sort -r | while read -r target; do
      target=$(printf %b "$target")
      if [[ $target == "$folder"/* ]]; then
        umount -l "$target" || true
      fi
    done
  done
}

# What an interrupted command left; only while holding the lock.
clear_interrupted_work() {
  if [[ -n $(ls -A "$STATE/tmp") ]]; then
    unmount_below "$STATE/tmp"
    as_root rm -rf "$STATE/tmp"
    mkdir "$STATE/tmp"
  fi
}

# purge [STORE]: the state of one engine, or all of it.
purge() {
  local folder=$STATE${1:+/$1}
  unmount_below "$folder"
  if [[ $folder == "$STATE" ]]; then
    # Only what is ours: the folder may have been given by the caller.
    rm -rf "$STATE"/{containerd,classic,machine,registry,registries,packages,images,buildkit,runner,tmp,engine,lock}
    rmdir "$STATE" 2>/dev/null || true
  else
    rm -rf "$folder"
  fi
}
