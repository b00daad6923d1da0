#!/usr/bin/env bash
# Ctrl-C and SIGTERM: everything that was started ends, and the next run goes on.
# shellcheck disable=SC2016  # for the container's shell
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
PROJECT=$WORK/project
REPOSITORIES=("${CELLS[@]/#/$TO/tiny/app-}")
tiny_project "$PROJECT"

# start ARGUMENTS...: crategate in a session of its own, as on a terminal; PID leads it.
start() {
  COMMAND="crategate ${*@Q}"
  setsid crategate "$@" >"$WORK/out" 2>"$WORK/err" </dev/null &
  PID=$!
}

# ended_within SECONDS: STATUS, OUT and ERR as `run` leaves them.
ended_within() {
  local step
  for ((step = 0; step < $1 * 20; ++step)); do
    kill -0 "$PID" 2>/dev/null || break
    sleep 0.05
  done
  if kill -KILL -- "-$PID" 2>/dev/null; then fail "an end within $1 s"; fi
  STATUS=0
  wait "$PID" || STATUS=$?
  OUT=$(<"$WORK/out") ERR=$(<"$WORK/err")
}

expect_nothing_left() {
  expect_equal "containers" "$(containers_of "$PROJECT")" ""
  expect_equal "processes" "$(processes "$PROJECT" "$PID")" ""
  expect_equal "temporary files" "$(find .crategate -name 'crategate-??????')" ""
}

# The tests of one cell wait for as long as an ignored file is there, which is no input of the images.
tests_that_wait() {
  printf '%s\n' 'echo "Ran 3 tests in 0.1s"' \
    'while [ "$DEVICE,$PYTHON" = 0,3.11 ] && [ -e /work/tests/ignored-flag ]; do sleep 0.1; done' >tests/run.sh
  touch tests/ignored-flag
}

# waiting_container: the one whose tests wait.
waiting_container() {
  docker container ls --quiet --filter label=io.crategate.cell=cuda-py3.11 --filter "volume=$PROJECT/tests"
}

it_stops_on_control_c_in_the_middle_of_the_tests() {
  tests_that_wait
  start run --to "$TO" "${TAG_PUSH[@]}" --jobs 1
  wait_until 20 waiting_container
  kill -INT -- "-$PID" # a terminal sends it to the whole group
  ended_within 5
  expect_failure 130 interrupted '.' '.'
  expect_nothing_left
  expect_no_tags "${REPOSITORIES[@]}"
}

it_stops_when_its_terminal_is_closed() {
  tests_that_wait
  start run --to "$TO" "${TAG_PUSH[@]}" --jobs 1
  wait_until 20 waiting_container
  kill -HUP "$PID"
  ended_within 5
  expect_failure 143 terminated '.' '.'
  expect_nothing_left
  expect_no_tags "${REPOSITORIES[@]}"
}

it_finishes_the_rest_and_repeats_nothing_that_is_proven() {
  local log
  log=$(stat -c '%Y %i' tests/logs/test-py3.11-cpu.log)
  rm tests/ignored-flag
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  expect_no_match "stderr" "$ERR" 'cpu-py3\.11: (build|test|digest)'
  expect_match "stderr" "$ERR" 'cuda-py3\.11: build'
  expect_match "stderr" "$ERR" 'cuda-py3\.13: digest ok'
  expect_equal "log of the proven cell" "$(stat -c '%Y %i' tests/logs/test-py3.11-cpu.log)" "$log"
  for repository in "${REPOSITORIES[@]}"; do expect_equal "tags of $repository" "$(tags "$repository")" "latest v1.2.3"; done
}

it_stops_on_sigterm_as_well() {
  tests_that_wait
  start run --to "$TO/term" "${TAG_PUSH[@]}" --jobs 2
  wait_until 20 waiting_container
  kill -TERM "$PID" # a service manager sends it to the process only
  ended_within 5
  expect_failure 143 terminated '.' '.'
  expect_nothing_left
}

it_stops_a_single_stage() {
  start test --cell cuda-py3.11
  wait_until 20 waiting_container
  kill -INT "$PID"
  ended_within 5
  expect_failure 130 interrupted '.' '.'
  expect_nothing_left
  rm tests/ignored-flag
}

it_stops_a_build() {
  echo 'RUN echo this step waits && sleep 63' >>docker/Dockerfile.mustache
  start run --to "$TO/build" "${TAG_PUSH[@]}" --jobs 2
  wait_until 20 processes_with 'sleep 63'
  kill -INT -- "-$PID"
  ended_within 5
  expect_failure 130 interrupted '.' '.'
  expect_nothing_left
  expect_equal "steps that still run in the engine" "$(processes_with 'sleep 63')" ""
  sed -i '$d' docker/Dockerfile.mustache
}

it_stops_the_static_checks_and_all_their_children() {
  echo 'check: {run: [sh, -c, "sleep 61 & sleep 61 & wait"]}' >>crategate.yml
  start run --to "$TO/check" "${TAG_PUSH[@]}"
  wait_until 10 processes_with 'sleep 61'
  kill -INT "$PID"
  ended_within 5
  expect_failure 130 interrupted '.' '.'
  expect_nothing_left
  expect_equal "children of the checks" "$(processes_with 'sleep 61')" ""
  sed -i '$d' crategate.yml
}

it_ends_at_a_second_signal_too() {
  touch tests/ignored-flag
  start run --to "$TO/twice" "${TAG_PUSH[@]}" --jobs 1
  wait_until 20 waiting_container
  kill -INT "$PID"
  sleep 0.2
  kill -TERM "$PID" 2>/dev/null || true # a runner: first SIGINT, then SIGTERM
  ended_within 5
  expect_failure 130 interrupted '.' '.'
  expect_nothing_left
}

run_cases
