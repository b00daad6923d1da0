#!/usr/bin/env bash
# Inside a container action, started as a runner starts it: paths, logins, owners of files, children, a missing engine.
# shellcheck disable=SC2016  # for the containers' shells
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
IMAGE=$TOKEN-action:1
SOCKET=${DOCKER_HOST#unix://}
RUNNER=$WORK/runner
PROJECT=$RUNNER/app/app
CELL=cpu-py3.11
ONE_CELL=(--only 'runtime=cpu,python=3.11')
PASSWORD=hunter2-of-e2e

make_action() {
  local root=$WORK/root
  with_libraries "$CRATEGATE" "$root" /usr/bin/crategate
  with_libraries "$(command -v git)" "$root" /usr/bin/git
  with_libraries "$DOCKER_CONFIG/cli-plugins/docker-buildx" "$root" /usr/bin/buildx
  find "$root" -type f -exec strip --strip-all {} + 2>/dev/null || true
  printf 'FROM crategate/busybox:1\nCOPY . /\nENV PATH=/usr/bin:/bin\n' >"$WORK/Dockerfile"
  # Packing it would take longer than all the cases.
  docker buildx build --quiet --provenance=false --file "$WORK/Dockerfile" \
    --output "type=image,name=docker.io/library/$IMAGE,compression=uncompressed,unpack=true" "$root" >/dev/null
  rm -rf "$root"
}

# The project of a runner: its files belong to the runner's user, and the action is root.
make_project() {
  mkdir -p "$RUNNER"/_temp/{_github_home,_github_workflow,_runner_file_commands}
  tiny_project "$PROJECT" 'check: {image: "crategate/busybox:1", run: [sh, -c, "grep . /work/VERSION"]}'
  echo '{}' >"$RUNNER/_temp/_github_workflow/event.json"
  decoys
  as_root chown -R 1001:121 "$RUNNER"
}

# docker, buildx and git of the project's own: who starts one of them leaves a file.
decoys() {
  local name
  mkdir -p decoys
  echo decoys/ >>.git/info/exclude
  for name in docker buildx git; do
    printf '#!/bin/sh\necho %s >>/github/workspace/decoys/called\nexit 1\n' $name >decoys/$name
    chmod +x decoys/$name
  done
}

in_project() { git -C "$PROJECT" -c safe.directory="$PROJECT" "$@"; }

# in_action [OPTION-OF-DOCKER-RUN...] -- ARGUMENT...: a step of a workflow, with a fresh GITHUB_OUTPUT.
STEP=0
in_action() {
  local -a options=()
  while [[ $1 != -- ]]; do options+=("$1") && shift; done
  shift
  STEP=$((STEP + 1))
  : >"$RUNNER/_temp/_runner_file_commands/set_output_$STEP"
  as_root chown 1001:121 "$RUNNER/_temp/_runner_file_commands/set_output_$STEP"
  run env GITHUB_ACTIONS=true CI=true HOME=/github/home GITHUB_WORKSPACE=/github/workspace GITHUB_EVENT_NAME=push \
    GITHUB_REF=refs/tags/v1.2.3 GITHUB_SHA="$(in_project rev-parse HEAD)" GITHUB_EVENT_PATH=/github/workflow/event.json \
    GITHUB_OUTPUT=/github/file_commands/set_output_$STEP GITHUB_REPOSITORY=tiny/app RUNNER_TEMP=/github/runner_temp \
    docker run --name "$TOKEN-step-$STEP" --workdir /github/workspace --rm \
    -e HOME -e GITHUB_ACTIONS -e CI -e GITHUB_WORKSPACE -e GITHUB_EVENT_NAME -e GITHUB_REF -e GITHUB_SHA \
    -e GITHUB_EVENT_PATH -e GITHUB_OUTPUT -e GITHUB_REPOSITORY -e RUNNER_TEMP \
    -v "${ENGINE_SOCKET:-$SOCKET}:/var/run/docker.sock" -v "$RUNNER/_temp:/github/runner_temp" \
    -v "$RUNNER/_temp/_github_home:/github/home" -v "$RUNNER/_temp/_github_workflow:/github/workflow" \
    -v "$RUNNER/_temp/_runner_file_commands:/github/file_commands" -v "$PROJECT:/github/workspace" \
    "${options[@]}" "$IMAGE" "$@"
}

make_action
make_project

# A91: git works although the checkout is another's, and no configuration of git is written. A72: no decoy is started.
it_runs_the_whole_pipeline_in_the_workspace_of_the_host() {
  in_action -e PATH=/github/workspace/decoys:/usr/bin:/bin -- crategate run "${ONE_CELL[@]}" --to oci:out
  expect_ok
  expect_match "tests that the container saw" "$OUT" 'test ok: 3 tests'
  expect_equal "decoys" "$(cat "$PROJECT/decoys/called" 2>/dev/null || true)" ""
  expect_equal "what is left in HOME" "$(find "$RUNNER/_temp/_github_home" -mindepth 1)" ""
}

it_leaves_nothing_in_the_workspace_that_its_owner_cannot_remove() {
  expect_match "files" "$(ls "$PROJECT/.crategate" "$PROJECT/out" "$PROJECT/tests/logs" "$PROJECT/docker/dockerfiles")" 'plan.json'
  expect_equal "files that are not the runner's" "$(find "$PROJECT" '!' -user 1001 -printf '%u %p\n')" ""
}

# Another container's network is also its host name, as with act.
it_finds_its_mounts_when_the_network_is_anothers() {
  in_action --network host -- crategate test --cell "$CELL" --plan .crategate/plan.json
  expect_ok
  docker run --detach --rm --name "$TOKEN-job" --volume /tmp:/github/workspace crategate/busybox:1 sleep 60 >/dev/null
  in_action --network "container:$TOKEN-job" -- crategate test --cell "$CELL"
  docker kill "$TOKEN-job" >/dev/null
  expect_ok
  expect_match "tests that the container saw" "$OUT" '3 run'
}

# A77: nothing is tested in an empty directory that the engine made on its machine.
it_refuses_to_mount_what_only_the_container_has() {
  in_action -- sh -c 'cp -R /github/workspace /tmp/copy && crategate test --cell cpu-py3.11 --workspace /tmp/copy'
  expect_failure 2 bad-input '/tmp/copy/tests.*mounted are: .*/github/workspace' 'GITHUB_WORKSPACE'
  in_action -- sh -c 'cd / && cp -R /github/workspace /srv && crategate check --workspace /srv'
  expect_failure 2 bad-input '"/srv".*mounted are: ' 'mount'
  expect_equal "directories of the host" "$(ls -d /tmp/copy 2>/dev/null || true)" ""
}

it_mounts_folders_of_a_volume() {
  docker volume create "$TOKEN" >/dev/null
  docker run --rm --volume "$TOKEN:/to" --volume "$PROJECT:/from:ro" crategate/busybox:1 sh -c \
    'mkdir -p /to/deep && cp -R /from /to/deep/app && chown -R 1001:121 /to'
  in_action --volume "$TOKEN:/volume" -- crategate check --workspace /volume/deep/app
  expect_ok
  in_action --volume "$TOKEN:/volume" -- crategate test --cell "$CELL" --workspace /volume/deep/app
  docker volume rm "$TOKEN" >/dev/null
  expect_ok
}

# A74
it_gives_test_containers_nothing_of_its_own() {
  cp "$PROJECT/tests/run.sh" "$WORK/run.sh"
  printf '%s\n' 'echo "env: $(env | cut -d= -f1 | sort | tr "\n" " ")"' 'grep -E "^(NoNewPrivs|CapEff)" /proc/self/status' \
    'echo "init: $(tr "\0" " " </proc/1/cmdline)"' 'echo "links: $(ls /sys/class/net | tr "\n" " ")"' \
    'echo "pids: $(cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null)"' \
    'echo "sockets: $(find / -xdev -type s; ls /var/run/docker.sock /run/docker.sock 2>/dev/null)"' \
    'echo "writable: $(touch /work/tests/x 2>/dev/null && echo yes)"' 'echo "devices: $(ls /dev | grep -cE "^(sd|vd|kvm)")"' \
    'grep -cE " /(github|work) " /proc/self/mountinfo' 'echo "Ran 3 tests in 0.1s"' >"$PROJECT/tests/run.sh"
  INPUT_PASSWORD=$PASSWORD in_action -e INPUT_PASSWORD -e INPUT_USERNAME=me -e GITHUB_TOKEN=$PASSWORD -- \
    crategate test --cell "$CELL"
  cp "$WORK/run.sh" "$PROJECT/tests/run.sh"
  expect_ok
  local log
  log=$(<"$PROJECT/tests/logs/test-py3.11-cpu.log")
  expect_match "log" "$log" 'env: DEVICE HOME HOSTNAME (OLDPWD )?PATH PWD PYTHON (SHLVL )?'$'\n'
  expect_match "log" "$log" 'NoNewPrivs:[[:space:]]1'
  expect_no_match "log: all capabilities" "$log" 'CapEff:[[:space:]]0*(1ffffffffff|3fffffffff)'
  expect_match "log" "$log" 'init: /(sbin/docker-init|dev/init) '
  expect_match "log" "$log" $'links: (eth0 lo|lo eth0|lo) \n'
  expect_match "log" "$log" 'pids: 4096'
  expect_match "log" "$log" $'sockets: \n'
  expect_match "log" "$log" $'writable: \n'
  expect_match "log" "$log" $'devices: 0\n0\n'
  expect_no_match "log" "$log" "$PASSWORD"
}

# A74: a link in the project is not followed to the engine's socket.
it_mounts_no_link_out_of_the_workspace() {
  as_root ln -s /var/run "$PROJECT/ignored-link"
  sed -i.kept 's|"tests:/work/tests:ro"|"tests:/work/tests:ro", "ignored-link:/run:ro"|' "$PROJECT/crategate.yml"
  in_action -- crategate test --cell "$CELL"
  mv "$PROJECT/crategate.yml.kept" "$PROJECT/crategate.yml"
  expect_failure 2 bad-input 'test\.mounts: .*ignored-link.* leads to "/(var/)?run"' '.'
}

# B23
it_explains_a_missing_engine() {
  ENGINE_SOCKET=/dev/null in_action -- sh -c 'umount /var/run/docker.sock 2>/dev/null; DOCKER_HOST=unix:///var/run/none.sock crategate check'
  expect_failure 40 engine '/var/run/none\.sock does not answer' 'this container needs .*--volume /var/run/docker\.sock:/var/run/docker\.sock'
  (umask 077 && exec python3 "$E2E/cut_socket.py" "$WORK/locked.sock" "$SOCKET" >"$WORK/locked") &
  echo $! >>"$WORK/started"
  disown
  wait_until 10 grep listening "$WORK/locked"
  ENGINE_SOCKET=$WORK/locked.sock in_action --user 1001 -- crategate check
  expect_failure 40 engine 'docker\.sock does not answer: .*[Pp]ermission' 'run the container as root'
  python3 "$E2E/old_engine.py" "$WORK/old.sock" 1.40 >"$WORK/old" &
  echo $! >>"$WORK/started"
  disown
  wait_until 10 grep listening "$WORK/old"
  ENGINE_SOCKET=$WORK/old.sock in_action -- crategate check
  expect_failure 40 engine 'speaks API "1\.40", expected at least 1\.41' '20\.10'
}

closed_registry() {
  # tester and a password that is used nowhere else, by bcrypt with the lowest cost
  echo 'tester:$2b$04$IJg8KdlIRuplAhKQD7X6tuJC6CquH92DP9e/2.BIghJXHZWcp0nmy' >"$WORK/htpasswd"
  own_registry closed "auth: {htpasswd: {realm: test, path: $WORK/htpasswd}}"
  echo "$OWN" >"$WORK/closed"
  docker image save crategate/busybox:1 --output "$WORK/base.tar"
  skopeo copy --quiet --dest-tls-verify=false --dest-creds "tester:$PASSWORD" "docker-archive:$WORK/base.tar" \
    "docker://$OWN/private/base:1"
  sed -i "s|^FROM .*|FROM $OWN/private/base:1|" "$PROJECT/docker/Dockerfile.mustache"
  in_project commit --quiet --all --message 'A private base'
  in_project tag --force v1.2.3 >/dev/null
  rm -rf "$PROJECT/.crategate"
  as_root chown -R 1001:121 "$PROJECT"
}

# WITH_LOGIN: as a runner gives inputs, by name only.
export INPUT_REGISTRY='' INPUT_USERNAME=tester INPUT_PASSWORD=$PASSWORD
WITH_LOGIN=(-e INPUT_REGISTRY -e INPUT_USERNAME -e INPUT_PASSWORD --network host)

# passwords_in PLACE...: files there that hold the password or what a configuration makes of it.
passwords_in() { grep -rlE --exclude-dir=registry-closed "$PASSWORD|$(printf 'tester:%s' "$PASSWORD" | base64)" "$@" 2>/dev/null || true; }

# How many requests the registry has seen with the login.
logins_seen() { cat "$WORK/registry-closed"/{access,log} | grep -c tester || true; }

# A82
it_logs_in_for_a_private_base_and_the_cache() {
  closed_registry
  export INPUT_REGISTRY=$OWN
  in_action "${WITH_LOGIN[@]}" -- crategate plan --to "$OWN/closed" --cache-write --publish
  expect_ok
  in_action -- crategate generate
  expect_ok
  in_action --network host -- crategate build --cell "$CELL"
  expect_failure 40 engine "private/base:1" '(login|log in)'
  in_action "${WITH_LOGIN[@]}" -- sh -c 'crategate build --cell cpu-py3.11 && echo left: $(ls -A /dev/shm /tmp) && grep -rlE "$INPUT_PASSWORD|'"$(printf 'tester:%s' "$PASSWORD" | base64)"'" /dev/shm /tmp /root /github /etc 2>/dev/null | sed "s/^/holds the password: /"'
  expect_match "what is left in the container" "$OUT" 'left: /dev/shm: /tmp:'
  expect_no_match "output" "$OUT$ERR" "holds the password|$PASSWORD"
  ((0 < $(logins_seen))) || fail "a registry that was asked with the login"
  expect_equal "cache" "$(curl -fsS -u "tester:$PASSWORD" "http://$OWN/v2/closed/tiny/cache/tags/list" | jq -c .tags)" "[\"$CELL\"]"
  expect_equal "files of the host with the password" "$(passwords_in "$RUNNER" "$WORK/home")" ""
}

# A04, A83: the same inputs, and an event that runs by the rules of a pull request.
it_does_not_log_in_for_a_pull_request() {
  OWN=$(<"$WORK/closed")
  export INPUT_REGISTRY=$OWN
  echo '{"ref": "refs/tags/v1.2.3", "pull_request": {"number": 7}}' >"$RUNNER/_temp/_github_workflow/event.json"
  in_action "${WITH_LOGIN[@]}" -- crategate plan --to "$OWN/closed"
  expect_ok
  local before
  before=$(logins_seen)
  in_action "${WITH_LOGIN[@]}" -- crategate build --cell "$CELL"
  expect_failure 40 engine 'private/base:1' '.'
  expect_equal "requests with the login" "$(logins_seen)" "$before"
  echo '{}' >"$RUNNER/_temp/_github_workflow/event.json"
}

# A82: SIGTERM in the middle of a build, as a runner cancels it.
it_takes_its_login_away_when_it_is_cancelled() {
  OWN=$(<"$WORK/closed")
  export INPUT_REGISTRY=$OWN
  in_action "${WITH_LOGIN[@]}" -- crategate plan --to "$OWN/closed"
  expect_ok
  echo 'RUN sleep 64' >>"$PROJECT/docker/dockerfiles/Dockerfile.$CELL"
  mkdir -p "$WORK/shm"
  STEP=$((STEP + 100))
  (in_action "${WITH_LOGIN[@]}" --volume "$WORK/shm:/dev/shm" -- crategate build --cell "$CELL" && echo "$STATUS" >"$WORK/cancelled") &
  wait_until 20 processes_with 'sleep 64'
  expect_match "login while it builds" "$(passwords_in "$WORK/shm")" 'crategate-private-.*/config\.json'
  docker kill --signal TERM "$TOKEN-step-$((STEP + 1))" >/dev/null
  wait
  expect_equal "exit code" "$(<"$WORK/cancelled")" 143
  expect_equal "what is left" "$(ls -A "$WORK/shm")" ""
}

# A82: whenever it dies, the password is on no disk; the next start removes what was left in memory.
it_leaves_no_password_behind_when_it_is_killed() {
  OWN=$(<"$WORK/closed")
  local point pid left=0
  unset GITHUB_ACTIONS
  cd "$PROJECT"
  as_root chown -R "$(id -u)" "$PROJECT" # outside of the action git has no reason to trust another's
  for point in 0.02 0.05 0.08 0.11 0.14 0.17 0.2 0.25 0.3 0.4 0.5 0.7; do
    HOME=$WORK/home TMPDIR=$WORK/home setsid env -u INPUT_PASSWORD "PASSWORD=$PASSWORD" crategate build --cell "$CELL" --registry "$OWN" \
      --username tester --password env:PASSWORD </dev/null >"$WORK/out" 2>&1 &
    pid=$!
    sleep $point
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    [[ -z $(passwords_in /dev/shm/crategate-private-*) ]] || left=$((left + 1))
    expect_equal "files with the password" "$(passwords_in "$RUNNER" "$WORK/home" /tmp/crategate-private-*)" ""
  done
  ((left > 0)) || fail "at least one of the moments in which the login is there"
  run crategate plan --to "$OWN/closed" "${TAG_PUSH[@]}"
  expect_ok
  expect_equal "logins in memory" "$(passwords_in /dev/shm/crategate-private-*)" ""
}

# B23
it_tags_nothing_when_the_engine_goes_away_in_the_middle_of_a_build() {
  python3 "$E2E/cut_socket.py" "$WORK/cut.sock" "$SOCKET" >"$WORK/cut" &
  local proxy=$!
  echo $proxy >>"$WORK/started"
  disown $proxy
  wait_until 10 grep listening "$WORK/cut"
  tiny_project "$WORK/dying" 'exclude: [{runtime: cuda}, {python: "3.13"}]'
  echo 'RUN sleep 65' >>docker/Dockerfile.mustache
  commit 'Slow'
  git tag --force v1.2.3 >/dev/null
  (
    wait_until 20 processes_with 'sleep 65'
    kill -KILL $proxy
  ) &
  DOCKER_HOST=unix://$WORK/cut.sock run crategate run --to "$TO/dying" "${TAG_PUSH[@]}"
  expect_failure 40 engine "build of cell $CELL" '(went away|start the Docker engine)'
  expect_no_tags "$TO/dying/tiny/app-$CELL"
}

run_cases
