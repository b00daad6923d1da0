#!/usr/bin/env bash
# The action's image: what it holds, and that a container started as a runner starts it runs a stage and obeys signals.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
IMAGE=$TOKEN-action:1
PROJECT=$WORK/project

# step [-d] STAGE [INPUT=VALUE...]: a container step, with the workspace at the path that it has here.
step() {
  local detach=() input
  if [[ $1 == -d ]]; then
    detach=(--detach)
    shift
  fi
  local -a inputs=(--env "INPUT_STAGE=$1")
  shift
  for input in "$@"; do inputs+=(--env "INPUT_$input"); done
  docker run "${detach[@]}" --rm --workdir "$PROJECT" --volume "$PROJECT:$PROJECT" --volume "$WORK/runner:/github" \
    --volume "${DOCKER_HOST#unix://}:/var/run/docker.sock" --env GITHUB_ACTIONS=true --env HOME=/github/home \
    --env GITHUB_WORKSPACE="$PROJECT" --env GITHUB_EVENT_NAME=workflow_dispatch --env GITHUB_REF=refs/heads/main \
    --env GITHUB_SHA="$(git -C "$PROJECT" rev-parse HEAD)" --env GITHUB_OUTPUT=/github/output "${inputs[@]}" "$IMAGE"
}

it_is_built_around_a_compiled_program() {
  run "$REPO/tools/image" --program "$CRATEGATE" "$IMAGE"
  expect_ok
  run docker image inspect --format '{{json .Config.Entrypoint}} {{json .Config.Env}} {{.Config.User}}' "$IMAGE"
  expect_equal "configuration" "$OUT" '["/usr/bin/crategate"] ["PATH=/usr/bin"] '
  run docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.source"}}' "$IMAGE"
  expect_equal "source" "$OUT" https://github.com/crategate/crategate
}

it_holds_what_it_needs_and_no_shell() {
  local container path
  container=$(docker create "$IMAGE")
  docker export "$container" | tar -t >"$WORK/files"
  docker rm "$container" >/dev/null
  for path in usr/bin/crategate usr/bin/git usr/bin/buildx usr/lib/git-core/git-remote-https etc/ssl/certs/ca-certificates.crt etc/passwd tmp/ \
    usr/share/doc/git/copyright usr/share/doc/docker-buildx/copyright usr/share/doc/libc6/copyright; do
    grep -qxF "$path" "$WORK/files" || fail "$path in the image"
  done
  run grep -E '(^|/)(sh|bash|dash|busybox|perl|python3?|apt|dpkg|curl|openssl)$' "$WORK/files"
  expect_equal "shells and installers" "$OUT" ""
  run docker run --rm --entrypoint /usr/bin/buildx "$IMAGE" version
  expect_ok
}

it_runs_the_stage_that_the_input_names() {
  tiny_project "$PROJECT" 'check: {image: crategate/busybox:1, run: [sleep, "300"]}'
  mkdir -p "$WORK/runner/home"
  : >"$WORK/runner/output"
  run step plan
  expect_ok
  GITHUB_OUTPUT=$WORK/runner/output
  expect_equal "should_run" "$(output should_run)" true
  expect_equal "exit_code" "$(output exit_code)" 0
  run step generate
  expect_ok
  run step build CELL=cpu-py3.11
  expect_ok
  expect_equal "the image in the engine" "$(jq -r '."image.name"' <<<"$(output metadata)")" "$(output image)"
  run docker image inspect "$(output image)"
  expect_ok
  docker image rm --force "$(output image)" >/dev/null
}

it_refuses_a_stage_that_there_is_not() {
  run step plann
  expect_failure 2 bad-input 'input stage: expected one of run, plan, .*, found "plann"' 'Did you mean plan\?'
  run step ''
  expect_failure 2 bad-input 'input stage: .* found nothing' 'stage: plan'
  run step plan REGISTRI=x
  expect_failure 2 bad-input 'unknown input "registri"' 'Did you mean registry\?'
}

# SIGNAL CODE: the first process of a container has no handlers but its own, and nobody else stops what it has started.
stops_at() {
  local container
  container=$(step -d check)
  wait_until 20 docker container ls --quiet --filter label=io.crategate.stage --filter "volume=$PROJECT"
  docker logs --follow "$container" >"$WORK/log" 2>&1 &
  docker kill --signal "$1" "$container" >/dev/null
  expect_equal "exit code at $1" "$(timeout 10 docker wait "$container")" "$2"
  expect_equal "containers" "$(docker container ls --all --quiet --filter label=io.crategate.stage --filter "volume=$PROJECT")" ""
}

it_stops_its_containers_at_a_signal() {
  stops_at INT 130
  stops_at TERM 143
}

run_cases
