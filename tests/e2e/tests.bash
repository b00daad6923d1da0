#!/usr/bin/env bash
# The project's tests fail, hang, fork, flood, command the runner, or test nothing.
# shellcheck disable=SC2016,SC2028  # for the container's shell
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
PROJECT=$WORK/project
REPOSITORIES=("${CELLS[@]/#/$TO/tiny/app-}")
tiny_project "$PROJECT"
LOG=tests/logs/test-py3.11-cpu.log

# tests_do LINE-OF-SHELL...: what the tests do.
tests_do() { printf '%s\n' "$@" >tests/run.sh; }

# planned_and_built: one cell's image in the engine, ready for `crategate test`; what its tests do is no part of it.
planned_and_built() {
  [[ ! -e $WORK/built ]] || return 0
  touch "$WORK/built"
  run crategate plan --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  run crategate generate
  expect_ok
  run crategate build --cell cpu-py3.11
  expect_ok
}

it_publishes_nothing_when_one_cell_fails() {
  tests_do 'echo "FAIL: test_device"' 'echo "Ran 3 tests in 0.1s"' 'echo' \
    '[ "$DEVICE,$PYTHON" != 0,3.13 ] || { echo "FAILED (failures=1)"; exit 1; }' 'echo OK'
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_failure 11 tests-failed 'cell cuda-py3\.13: expected exit 0.*, found exit 1 with 1 of 3 tests failed; log: tests/logs/test-py3\.13-cuda\.log' \
    '^→ crategate test --cell cuda-py3\.13$'
  expect_no_tags "${REPOSITORIES[@]}"
  echo "$HINT_LINE" >"$WORK/hint"
}

it_repeats_the_failure_by_the_command_of_the_last_line() {
  run bash -c "$(<"$WORK/hint")"
  expect_failure 11 tests-failed 'cell cuda-py3\.13: expected exit 0.*, found exit 1' '^→ crategate test --cell cuda-py3\.13$'
  expect_match "output" "$OUT$ERR" 'FAIL: test_device'
  expect_no_tags "${REPOSITORIES[@]}"
}

it_repeats_it_with_the_options_of_the_run() {
  tests_do 'sleep 30' 'echo "Ran 3 tests in 0.1s"'
  run crategate run --to "$TO" "${TAG_PUSH[@]}" --only runtime=cpu,python=3.11 --state .crategate-other --test-timeout 1s
  expect_failure 11 tests-failed 'expected an end within test.timeout' '^→ crategate test '
  run timeout 15 bash -c "$HINT_LINE"
  expect_failure 11 tests-failed 'expected an end within test.timeout' '^→ crategate test '
}

it_names_the_failures_of_several_cells() {
  tests_do 'exit 7'
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_failure 11 tests-failed 'cell cpu-py3\.11: expected exit 0.*, found exit 7.*\(4 cells failed\)' 'crategate test --cell cpu-py3\.11'
  expect_no_tags "${REPOSITORIES[@]}"
}

it_leaves_no_evidence_for_a_cell_whose_tests_failed() {
  # All four cells had been tested with success before, for the same plan; what counts is the last time.
  run crategate digest --cell cpu-py3.11
  expect_failure 11 tests-failed 'cell cpu-py3\.11: expected tests that passed for this plan, found failed' 'crategate test --cell cpu-py3\.11'
  run crategate push
  expect_failure 10 gate-refused '4 of 4 cells refused; .*nothing was published' '.'
  expect_no_tags "${REPOSITORIES[@]}"
}

# A76
it_stops_tests_that_hang() {
  planned_and_built
  tests_do 'echo started' 'trap "" TERM INT' 'while true; do sleep 1; done'
  local began=$SECONDS
  run crategate test --cell cpu-py3.11 --timeout 2s
  expect_failure 11 tests-failed 'expected an end within test.timeout, found none after [0-9.]+ s' 'crategate test --cell cpu-py3\.11'
  expect_within "seconds" $((SECONDS - began)) 30
  expect_equal "containers" "$(containers_of "$PROJECT")" ""
  expect_match "log" "$(<$LOG)" '^started'
}

it_ends_with_the_tests_whatever_they_left_running() {
  planned_and_built
  tests_do 'sleep 600 &' 'setsid sleep 600 &' '(setsid sh -c "sleep 600 & sleep 600" &)' 'echo "Ran 3 tests in 0.1s"' 'echo OK'
  local began=$SECONDS
  run crategate test --cell cpu-py3.11
  expect_ok
  expect_within "seconds" $((SECONDS - began)) 30
  expect_equal "containers" "$(containers_of "$PROJECT")" ""
}

# A76
it_survives_a_fork_bomb() {
  planned_and_built
  # Harmless to the machine: the container has a limit of processes.
  tests_do 'f() { f & f & }' 'f 2>/dev/null' 'sleep 1' 'echo "Ran 3 tests in 0.1s"' 'exit 3'
  run crategate test --cell cpu-py3.11 --timeout 5s
  expect_failure 11 tests-failed 'cell cpu-py3\.11' 'crategate test --cell cpu-py3\.11'
  expect_equal "containers" "$(containers_of "$PROJECT")" ""
}

it_caps_the_log_of_a_flood_and_still_counts() {
  tests_do 'line=$(head -c 2000 /dev/zero | tr "\0" x)' 'yes "$line" | head -c 200000000' 'echo' 'echo "Ran 3 tests in 0.1s"' \
    'echo' 'echo "OK (skipped=1)"'
  run crategate run --to "$TO/flood" "${TAG_PUSH[@]}" --only runtime=cpu,python=3.11 --state .crategate-flood
  expect_ok
  expect_equal "tests" "$(jq -c '[.cells[0].tests | .total, .skipped]' .crategate-flood/release.json)" '[2,1]' # a skipped one did not run
  local size
  size=$(stat -c %s "$LOG")
  ((size <= 64 * 1024 * 1024 + 1024 && size > 60 * 1024 * 1024)) || fail "a log of 64 MiB, not $size bytes"
  expect_match "end of the log" "$(tail -c 300 "$LOG")" 'crategate: [0-9]+ more bytes are left out'
  tests_do 'head -c 80000000 /dev/zero' 'exit 5' # one line
  run crategate run --to "$TO/flood" "${TAG_PUSH[@]}" --only runtime=cpu,python=3.11 --state .crategate-flood
  expect_failure 11 tests-failed 'expected exit 0.*, found exit 5' '--state=\.crategate-flood'
}

# A76: gigabytes, as long as the time limit lets them come.
it_stops_a_flood_without_end() {
  planned_and_built
  tests_do 'yes a line without end'
  local began=$SECONDS
  run crategate test --cell cpu-py3.11 --timeout 2s
  expect_failure 11 tests-failed 'expected an end within test.timeout' 'crategate test --cell cpu-py3\.11'
  expect_within "seconds" $((SECONDS - began)) 40
  expect_within "bytes of the log" "$(stat -c %s "$LOG")" $((64 * 1024 * 1024 + 1024))
  expect_equal "containers" "$(containers_of "$PROJECT")" ""
}

it_counts_zero_tests_as_a_failure() {
  planned_and_built
  tests_do 'echo "Ran 0 tests in 0.000s"' 'echo OK'
  run crategate test --cell cpu-py3.11
  expect_failure 11 tests-failed 'expected at least one test, found none' 'crategate test --cell cpu-py3\.11'
  tests_do 'echo nothing that looks like a test runner'
  run crategate test --cell cpu-py3.11
  expect_failure 11 tests-failed 'expected at least one test, found none in the output \(test\.count says' 'crategate test --cell'
  tests_do 'true'
  run crategate test --cell cpu-py3.11 --count exit-code
  expect_ok
}

it_lets_no_test_command_the_runner() {
  planned_and_built
  tests_do "cat <<'LINES'" '::set-output name=smuggled::1' '  ::error file=smuggled::1' 'text ##[add-mask]smuggled' \
    '##[error]smuggled' '::add-mask::smuggled' '::stop-commands::smuggled' LINES \
    "printf '\\r::warning::smuggled\\r\\n\\033[1m::notice::smuggled\\n\\033]0;smuggled\\007'" \
    'echo "Ran 3 tests in 0.1s"' 'exit 1'
  export GITHUB_ACTIONS=true
  run crategate test --cell cpu-py3.11
  expect_failure 11 tests-failed 'found exit 1' '^→ crategate run --only python=3\.11,runtime=cpu|^→ crategate run --only runtime=cpu,python=3\.11'
  local text
  text=$(tr '\r' '\n' <<<"$OUT"$'\n'"$ERR")
  expect_match "output" "$text" smuggled # the lines are there, but harmless
  expect_equal "lines that the runner obeys" \
    "$(grep -E '^[[:space:]]*::[a-z-]+.*smuggled|##\[' <<<"$text" | grep -vE '^::error title=crategate' || true)" ""
  expect_no_match "output" "$text" $'\e'
  expect_match "log, as it was" "$(<$LOG)" '::set-output name=smuggled::1'
}

run_cases
