# shellcheck shell=bash disable=SC2016,SC2034  # texts for other shells and jq; the scripts read what is set here
# What the end-to-end scripts share: small projects, runs of the binary, judges, expectations.
#
# A script defines cases, functions named it_…, and ends with `run_cases`.  A case runs in a shell of its own, in the
# order of the file; what it leaves on the disk stays for the next one.  A broken expectation prints the command, its
# output and what was expected, and ends the case.
# Belongs here: nothing that only one script needs.  Not here: starting engines (tools/engine).
set -Eeuo pipefail
shopt -s inherit_errexit

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
REPO=$(cd "$E2E/../.." && pwd -P)
SCRIPT=$(realpath "$0")
CRATEGATE=$(realpath "${CRATEGATE:?the binary under test}")

# A runner's own facts are none of the tests'.
for name in $(compgen -e | grep -E '^(GITHUB|INPUT|RUNNER|ACTIONS)_|^NO_COLOR$' || true); do unset "$name"; done
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null

WORK=$(mktemp -d "${TMPDIR:-/tmp}/crategate-e2e.XXXXXX")
TOKEN=e2e-$(basename "$WORK" | tr '[:upper:].' '[:lower:]-')-$$
mkdir "$WORK/bin" "$WORK/home"
ln -s "$CRATEGATE" "$WORK/bin/crategate" # so that a hint's command can be run as it stands
COMMAND='' STATUS=0 OUT='' ERR='' CASE=''

# use_store STORE: the engine with that image store, and the registry.
use_store() {
  local variables
  variables=$("$REPO/tools/engine" env --store "$1")
  eval "$variables"
  export PATH=$WORK/bin:$PATH
  REGISTRY=$CRATEGATE_TEST_REGISTRY
  TO=$REGISTRY/$TOKEN # a prefix of its own: the registry holds nothing below it
}

# Servers and mounts of a case outlive its shell: they are found by file and by place.
clean_up() {
  local pid folder
  jobs -rp | xargs -r kill || true
  while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done < <(cat "$WORK/started" "$WORK"/beside/*/started 2>/dev/null)
  for folder in $(awk '{print $5}' /proc/self/mountinfo | grep -F "$WORK/" || true); do as_root umount "$folder" || true; done
  if [[ -n ${TO-} ]]; then
    images_of_ours | sed 's/^[^ ]*:<none> //; s/ .*//' | xargs -r docker image rm --force >/dev/null || true
  fi
  rm -rf "$WORK"
}
trap clean_up EXIT

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

# --- running --------------------------------------------------------------------------------------------------------

# run COMMAND...: never fails; COMMAND, STATUS, OUT and ERR tell what happened.
run() {
  COMMAND=${*@Q}
  STATUS=0
  "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || STATUS=$?
  OUT=$(tr -d '\0' <"$WORK/out")
  ERR=$(tr -d '\0' <"$WORK/err")
}

# run_case: CASE, in a shell of its own; counts it in FAILED. Never in a condition: errexit would be off in it.
run_case() {
  local began=${EPOCHREALTIME/./} word=ok status
  set +e
  (
    trap - EXIT
    trap 'broken "$BASH_COMMAND" "$(caller | cut -d" " -f1)"' ERR
    set -e
    "$CASE"
  )
  status=$?
  set -e
  ((status == 0)) || FAILED=$((FAILED + 1)) word=FAILED
  printf '%-6s %6d ms  %s\n' "$word" $(((${EPOCHREALTIME/./} - began) / 1000)) "${CASE//_/ }"
}

FAILED=0
run_cases() {
  local -a cases
  mapfile -t cases < <(grep -oE '^it_[a-z0-9_]+' "$SCRIPT")
  for CASE in "${cases[@]}"; do
    [[ $CASE == *"${CASES-}"* ]] || continue # CASES=part-of-a-name, for a person
    run_case
  done
  ((FAILED == 0))
}

# run_cases_beside COUNT: the first case as ever; then the others in COUNT lanes side by side. A lane has a copy of $WORK as the first case
# has left it, and takes every COUNT-th case, in the order of the file; at_work, a function of the script, sets what depends on $WORK.
# For cases of which much is waiting, or that one processor runs alone.
run_cases_beside() {
  local -a cases
  local lane
  mapfile -t cases < <(grep -oE '^it_[a-z0-9_]+' "$SCRIPT")
  CASE=${cases[0]}
  run_case
  mapfile -t cases < <(printf '%s\n' "${cases[@]:1}" | grep -F -- "${CASES-}" || true)
  mkdir "$WORK/beside"
  for ((lane = 0; lane < $1; ++lane)); do
    run_lane "$lane" "$1" "${cases[@]}" >"$WORK/beside/$lane.log" 2>&1 &
  done
  wait
  for ((lane = 0; lane < $1; ++lane)); do
    cat "$WORK/beside/$lane.log"
    [[ -e $WORK/beside/$lane.ok ]] || FAILED=$((FAILED + 1))
  done
  ((FAILED == 0))
}

# run_lane LANE COUNT CASE...: servers of the first case are not of this one.
run_lane() {
  local lane=$1 count=$2 top=$WORK at
  trap - EXIT
  FAILED=0
  WORK=$WORK/beside/$lane
  mkdir "$WORK"
  find "$top" -mindepth 1 -maxdepth 1 ! -name beside ! -name started ! -name port -exec cp -a -t "$WORK" {} +
  at_work
  for ((at = 3 + lane; at <= $#; at += count)); do
    CASE=${!at}
    run_case
  done
  ((FAILED > 0)) || : >"$top/beside/$lane.ok"
}
at_work() { :; }

# A command of a case itself failed.
broken() { ((BASH_SUBSHELL > 1)) || echo "${CASE//_/ }: line $2: failed: $1" >&2; }

# fail EXPECTATION: what was run, what came out, what should have.
fail() {
  {
    printf '\n%s\n  expected: %s\n' "${CASE//_/ }" "$1"
    printf '  at:       %s\n' "$(caller 1 | awk '{print $3 ":" $1}')"
    if [[ -n $COMMAND ]]; then
      printf '  command:  %s\n  exit:     %s\n' "${COMMAND:0:400}" "$STATUS"
      tail -n 15 <<<"$OUT" | cut -c1-600 | sed 's/^/  stdout | /'
      tail -n 30 <<<"$ERR" | cut -c1-600 | sed 's/^/  stderr | /'
    fi
  } >&2
  exit 1
}

# --- expectations ---------------------------------------------------------------------------------------------------

expect_ok() {
  ((STATUS == 0)) || fail "exit 0"
}

# expect_failure CODE NAME MESSAGE HINT: exit code and the last two lines of stderr; MESSAGE and HINT are extended
# regular expressions.  Leaves HINT_LINE, the command or advice of the last line.
expect_failure() {
  local -a last
  ((STATUS == $1)) || fail "exit $1"
  mapfile -t last < <(tail -n 2 <<<"$ERR")
  ((${#last[@]} == 2)) || fail "two lines on stderr"
  [[ ${last[0]} == "crategate: $1 $2: "* ]] || fail "the line before the last begins with: crategate: $1 $2:"
  [[ ${last[0]} =~ $3 ]] || fail "the line before the last matches: $3"
  [[ ${last[1]} == '→ '?* ]] || fail "the last line begins with →"
  [[ ${last[1]} =~ $4 ]] || fail "the last line matches: $4"
  [[ $(grep -c '^crategate: [0-9]* ' <<<"$ERR") == 1 ]] || fail "one closing line, not more"
  # shellcheck disable=SC2034  # for scripts
  HINT_LINE=${last[1]#→ }
}

expect_equal() { # WHAT FOUND WANTED
  [[ $2 == "$3" ]] || fail "$1: $(printf '\n    wanted %s\n    found  %s' "$3" "$2")"
}

expect_match() { # WHAT TEXT REGEX
  [[ $2 =~ $3 ]] || fail "$1 matches: $3"
}

expect_no_match() { # WHAT TEXT REGEX
  ! [[ $2 =~ $3 ]] || fail "$1 does not match: $3"
}

expect_within() { # WHAT SECONDS-FOUND SECONDS-WANTED
  (($2 <= $3)) || fail "$1: at most $3, found $2"
}

# --- projects -------------------------------------------------------------------------------------------------------

# tiny_project DIR [SETTING...]: a repository with two commits and the tag v1.2.3, of four cells that differ in their
# environment only.  Further lines go into crategate.yml.  tests/run.sh is the project's test command.
tiny_project() {
  local dir=$1
  shift
  mkdir -p "$dir"/{docker,src,tests}
  cd "$dir"
  {
    cat <<'YAML'
axes:
  python: {file: PYTHON_VERSIONS}
  runtime: {cpu: {device: "-1"}, cuda: {device: "0"}}
image: "tiny/app-{cell}"
cache: "tiny/cache:{cell}"
dependencies: [pyproject.toml]
generate: {template: docker/Dockerfile.mustache}
test:
  run: [sh, /work/tests/run.sh]
  source: mounted
  mounts: ["tests:/work/tests:ro"]
  workdir: /work
  timeout: 1m
YAML
    printf '%s\n' "$@"
  } >crategate.yml
  cat >docker/Dockerfile.mustache <<'DOCKERFILE'
FROM crategate/busybox:1
COPY src /opt/app
ENV DEVICE={{device}} PYTHON={{python}}
DOCKERFILE
  echo v1.2.3 >VERSION
  printf '3.11\n3.13\n' >PYTHON_VERSIONS
  echo "$TOKEN" >src/hello
  echo '[project]' >pyproject.toml
  passing_tests
  printf '%s\n' .crategate/ tests/logs/ docker/dockerfiles/ 'ignored*' >.gitignore
  git init --quiet --initial-branch=main
  git config user.name e2e
  git config user.email e2e@example.invalid
  git config advice.detachedHead false
  commit 'First release'
  echo text >README
  commit 'A read-me'
  git tag v1.2.3
}

commit() {
  git add --all
  git commit --quiet --message "$1"
}

passing_tests() {
  printf '%s\n' 'echo "in the container $(hostname)"' 'echo "Ran 3 tests in 0.1s"' 'echo OK' >tests/run.sh
}

# The four cells of a tiny project, in plan order.
CELLS=(cpu-py3.11 cuda-py3.11 cpu-py3.13 cuda-py3.13)
TAG_PUSH=(--event push --ref refs/tags/v1.2.3)

# --- judges: they know nothing of crategate --------------------------------------------------------------------------

# tags REPOSITORY-WITH-HOST: its tags, sorted; nothing when the registry has no such repository or no tag in it.
tags() {
  local host=${1%%/*} answer
  answer=$(curl -sS -m 10 "http://$host/v2/${1#*/}/tags/list")
  jq -r '(.tags // []) | sort | join(" ")' <<<"$answer"
}

# manifest_digest REFERENCE, config_digest REFERENCE, environment REFERENCE: what skopeo sees in the registry.
manifest_digest() { skopeo inspect --tls-verify=false --no-tags --format '{{.Digest}}' "docker://$1"; }
config_digest() { skopeo inspect --tls-verify=false --raw "docker://$1" | jq -r .config.digest; }
environment() { skopeo inspect --tls-verify=false --config "docker://$1" | jq -r '.config.Env[]'; }

# engine_config_digest IMAGE: the digest of the image's configuration, as `docker save` writes it out.
engine_config_digest() {
  docker image save "$1" | tar -xO --occurrence=1 manifest.json | jq -r '.[0].Config | sub("^blobs/sha256/"; "") | sub("\\.json$"; "")' | sed 's/^/sha256:/'
}

expect_no_tags() { # REPOSITORY...
  local repository
  for repository in "$@"; do expect_equal "tags of $repository" "$(tags "$repository")" ""; done
}

# image_of_test LOG: the image, by digest, of the container whose log this is; the engine's own memory tells.
image_of_test() {
  local container
  container=$(sed -n 's/^in the container //p' "$1")
  docker events --since 1h --until "$(date +%s)" --filter event=start --filter "container=$container" \
    --format '{{.Actor.Attributes.image}}'
}

# images_of_ours: those that this script's projects have in the engine.
images_of_ours() { docker image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | grep -F "$TOKEN" | sort; }

# containers_of PROJECT: crategate's containers that mount something of it, running or not.
containers_of() {
  docker container ls --all --quiet --filter label=io.crategate.stage --filter "volume=$1/tests"
}

# processes PROJECT [SESSION]: those that work in the project or belong to the session.
processes() {
  local folder stat state session place
  for folder in /proc/[0-9]*; do
    { stat=$(<"$folder/stat"); } 2>/dev/null || continue
    read -r state _ _ session _ <<<"${stat##*) }"
    place=$(readlink "$folder/cwd" 2>/dev/null) || place=''
    [[ $state != Z && ${folder#/proc/} != "$$" && $session != "$(session_of self)" ]] || continue
    [[ $session == "${2--}" || $place == "$1" || $place == "$1"/* ]] || continue
    echo "$(basename "$folder") $(tr '\0' ' ' 2>/dev/null <"$folder/cmdline")"
  done
}
session_of() {
  local stat
  stat=$(<"/proc/$1/stat")
  cut -d' ' -f4 <<<"${stat##*) }"
}
# processes_with TEXT: those whose command line is TEXT.
processes_with() {
  local folder
  for folder in /proc/[0-9]*; do
    if { [[ $(tr '\0' ' ' <"$folder/cmdline") == "$1 " ]]; } 2>/dev/null; then basename "$folder"; fi
  done
}

# wait_until SECONDS COMMAND...: until it succeeds and prints something.
wait_until() {
  local step limit=$1 text
  shift
  for ((step = 0; step < limit * 20; ++step)); do
    if text=$("$@" 2>/dev/null) && [[ -n $text ]]; then return; fi
    sleep 0.05
  done
  fail "within $limit s: $*"
}

# free_port: one that nobody listens on, below those that the kernel gives to connections of others meanwhile.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)) && (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# --- servers --------------------------------------------------------------------------------------------------------

# own_registry NAME [LINES-OF-CONFIGURATION]: another registry, with an access log.  Sets OWN (host:port), OWN_LOG.
own_registry() {
  local folder=$WORK/registry-$1
  mkdir "$folder"
  cat >"$folder/config.yml" <<YAML
version: 0.1
log: {level: info, formatter: json}
storage: {filesystem: {rootdirectory: "$folder/data"}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0"}
${2-}
YAML
  OTEL_TRACES_EXPORTER=none docker-registry serve "$folder/config.yml" >>"$folder/access" 2>"$folder/log" &
  OWN_PID=$!
  disown "$OWN_PID"
  echo "$OWN_PID" >>"$WORK/started"
  wait_until 10 grep -o 'listening on 127.0.0.1:[0-9]*' "$folder/log"
  OWN=localhost:$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$folder/log" | grep -oE '[0-9]+$')
  OWN_LOG=$folder/access
}

# requests [REGEX]: how many requests the own registry has seen, of that kind.
requests() { grep -cE "\"(${1-[A-Z]+}) /" "$OWN_LOG" || true; }
writes() { requests 'PUT|POST|PATCH|DELETE'; }
forget_requests() { : >"$OWN_LOG"; }

# --- images for a runner --------------------------------------------------------------------------------------------

# with_libraries PROGRAM ROOT TARGET: the program as ROOT/TARGET, with what it loads.
with_libraries() {
  local library
  install -D -m 755 "$(realpath "$1")" "$2$3"
  { ldd "$1" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | # a static program has none
    while read -r library; do install -D -m 755 "$(realpath "$library")" "$2$library"; done
}

# with_node ROOT: Debian's node reads some of its own modules from a folder beside it.
with_node() {
  local module
  with_libraries "$(command -v node)" "$1" /usr/bin/node
  for module in acorn acorn-walk amaro busboy cjs-module-lexer minimatch streamsearch undici; do
    [[ ! -d /usr/share/nodejs/$module ]] || install -d "$1/usr/share/nodejs"
    [[ ! -d /usr/share/nodejs/$module ]] || cp -rL "/usr/share/nodejs/$module" "$1/usr/share/nodejs/"
  done
}

# image_of ROOT NAME: busybox with the files of ROOT, which are moved there.
image_of() {
  printf 'FROM crategate/busybox:1\nCOPY . /\nENV PATH=/usr/bin:/bin\n' >"$WORK/Dockerfile"
  docker build --quiet --provenance=false --file "$WORK/Dockerfile" --tag "$2" "$1" >/dev/null
  rm -rf "$1"
}

# --- the runner's files ----------------------------------------------------------------------------------------------

# output NAME: its last value in the file GITHUB_OUTPUT, by the grammar of the runner: NAME=VALUE, or
# NAME<<DELIMITER, lines, DELIMITER.  Fails when the file breaks that grammar.
output() {
  local line name delimiter value wanted=$1 found='' seen=no
  while IFS= read -r line; do
    if [[ $line =~ ^([A-Za-z_][A-Za-z0-9_-]*)\<\<(.+)$ ]]; then
      name=${BASH_REMATCH[1]} delimiter=${BASH_REMATCH[2]} value=''
      while true; do
        IFS= read -r line || fail "output $name ends with its delimiter"
        [[ $line != "$delimiter" ]] || break
        value+=${value:+$'\n'}$line
      done
    elif [[ $line =~ ^([A-Za-z_][A-Za-z0-9_-]*)=(.*)$ ]]; then
      name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    else
      fail "GITHUB_OUTPUT: a line by the runner's grammar, not: $line"
    fi
    [[ $name != "$wanted" ]] || { found=$value seen=yes; }
  done <"$GITHUB_OUTPUT"
  [[ $seen == yes ]] || fail "an output $wanted"
  printf '%s' "$found"
}

# as_runner EVENT REF PAYLOAD: the variables of a step of a workflow, with fresh files.
as_runner() {
  export GITHUB_ACTIONS=true GITHUB_EVENT_NAME=$1 GITHUB_REF=$2 GITHUB_EVENT_PATH=$WORK/event.json
  export GITHUB_SHA GITHUB_WORKSPACE=$PWD GITHUB_REPOSITORY=tiny/app GITHUB_SERVER_URL=https://github.example
  export GITHUB_RUN_ID=4711 GITHUB_RUN_ATTEMPT=1 GITHUB_OUTPUT=$WORK/output GITHUB_STEP_SUMMARY=$WORK/summary
  GITHUB_SHA=$(git rev-parse HEAD)
  printf '%s' "$3" >"$GITHUB_EVENT_PATH.$BASHPID"
  mv "$GITHUB_EVENT_PATH.$BASHPID" "$GITHUB_EVENT_PATH" # whole at every moment: jobs of a test may start side by side
  : >"$GITHUB_OUTPUT"
  : >"$GITHUB_STEP_SUMMARY"
}
