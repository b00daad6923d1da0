#!/usr/bin/env bash
# What jobs hand to each other through the artifact service: each job has a clone of its own and nothing else.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
SERVICE=$(realpath "${CRATEGATE_ARTIFACT_SERVICE:?the program of the artifact service}")
PROJECT=$WORK/project
tiny_project "$PROJECT" 'exclude: [{runtime: cuda}]'
RELEASE='{"ref": "refs/tags/v1.2.3", "deleted": false, "repository": {"default_branch": "main", "full_name": "tiny/app"}}'
IMAGES=("$TO/tiny/app-cpu-py3.11" "$TO/tiny/app-cpu-py3.13")

# The service serves until its input ends, and says at its end what requests were wrong.
mkfifo "$WORK/service-input"
"$SERVICE" R1 plan generate cpu-py311 cpu-py313 publish <"$WORK/service-input" >"$WORK/service" 2>/dev/null &
SERVICE_PID=$!
disown "$SERVICE_PID"
echo "$SERVICE_PID" >>"$WORK/started"
exec 9>"$WORK/service-input" # held open for as long as the script runs
wait_until 10 grep -E '^publish=.' "$WORK/service"

# job NAME [ATTEMPT]: a fresh clone, and the variables of that job.
job() {
  local folder=$WORK/jobs/$1-$RANDOM$RANDOM
  git clone --quiet "$PROJECT" "$folder"
  cd "$folder"
  git checkout --quiet v1.2.3
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  export GITHUB_RUN_ATTEMPT=${2-1} GITHUB_JOB=$1
  ACTIONS_RESULTS_URL=$(sed -n 's/^ACTIONS_RESULTS_URL=//p' "$WORK/service")
  ACTIONS_RUNTIME_TOKEN=$(sed -n "s/^${1//./}=//p" "$WORK/service")
  export ACTIONS_RESULTS_URL ACTIONS_RUNTIME_TOKEN
}

cell_job() { # CELL [ATTEMPT]
  job "$@"
  local stage
  for stage in build test digest; do
    run crategate "$stage" --cell "$1"
    ((STATUS == 0)) || return 0
  done
}

names() { crategate artifact list --json | jq -r '[.[].name] | sort | join(" ")'; }

it_hands_the_plan_and_the_dockerfiles_to_the_jobs_of_the_cells() {
  job plan
  run crategate plan --to "$TO"
  expect_ok
  job generate
  run crategate generate
  expect_ok
  expect_equal "artifacts" "$(names)" "crategate-plan generated-dockerfiles"
  cell_job cpu-py3.11
  expect_ok
  cell_job cpu-py3.13
  expect_ok
  expect_equal "artifacts" "$(names)" \
    "crategate-plan digest-cpu-py3.11 digest-cpu-py3.13 generated-dockerfiles test-logs-cpu-py3.11 test-logs-cpu-py3.13"
}

it_publishes_from_a_job_that_has_nothing_but_the_artifacts() {
  job publish
  run crategate verify
  expect_ok
  run crategate push
  expect_ok
  run crategate release
  expect_ok
  job publish
  run crategate report --json
  expect_ok
  expect_equal "moves in the report" "$(jq '[.. | .to? | select(. != null)] | length > 0' <<<"$OUT")" true
  for image in "${IMAGES[@]}"; do expect_equal "tags of $image" "$(tags "$image")" "latest v1.2.3"; done
}

it_is_read_by_other_tools() {
  job publish
  run crategate artifact download digest-cpu-py3.11 --path evidence
  expect_ok
  expect_equal "files" "$(cd evidence && echo *)" "digest-cpu-py3.11.txt record.json"
  run crategate artifact download test-logs-cpu-py3.11 --path logs
  expect_ok
  expect_match "log" "$(cat logs/*)" 'Ran 3 tests'
}

it_replaces_what_an_earlier_attempt_left_and_nothing_else() {
  local before
  job publish
  before=$(crategate artifact list --json | jq -r '.[] | select(.name == "test-logs-cpu-py3.11").id')
  cell_job cpu-py3.11 2
  expect_ok
  [[ $(crategate artifact list --json | jq -r '.[] | select(.name == "test-logs-cpu-py3.11").id') != "$before" ]] ||
    fail "another log"
  # The same attempt once more: two jobs that use one name.
  job generate 2
  echo other >note
  run crategate artifact upload test-logs-cpu-py3.11 note
  expect_failure 31 artifact-service 'job "cpu-py3.11 cpu-py3.11" .attempt 2.*job "generate"' 'overwrite'
  run crategate artifact upload test-logs-cpu-py3.11 note --overwrite
  expect_ok
}

it_withdraws_the_evidence_of_an_earlier_attempt_before_it_builds_again() {
  job cpu-py3.11 3
  run crategate build --cell cpu-py3.11
  expect_ok
  expect_no_match "artifacts" "$(names)" 'digest-cpu-py3\.11'
  job publish 3
  run crategate push
  expect_failure 10 gate-refused 'cpu-py3.11: record-missing' 'build --cell cpu-py3.11'
}

it_does_not_publish_what_a_kept_workspace_still_holds() {
  local kept=$WORK/kept
  job cpu-py3.11 3
  cp -r "$PWD" "$kept"
  run crategate build --cell cpu-py3.11
  expect_ok
  cd "$kept"
  export GITHUB_WORKSPACE=$PWD
  mkdir -p .crategate/records/cpu-py3.11
  echo '{}' >.crategate/records/cpu-py3.11/record.json
  run crategate verify
  expect_failure 10 gate-refused 'cpu-py3.11: record-missing' '.'
  expect_equal "the record that was left" "$(<.crategate/records/cpu-py3.11/record.json)" ""
}

it_says_that_a_step_without_access_uploads_nothing() {
  job generate 3
  unset ACTIONS_RUNTIME_TOKEN ACTIONS_RESULTS_URL
  echo other >note
  run crategate artifact upload lost note
  expect_failure 31 artifact-service 'ACTIONS_RESULTS_URL' 'run'
  [[ ! -e .crategate ]] || fail "no folder store in a job"
}

it_ends_within_the_grace_time_when_the_service_hangs() {
  local pid begin
  job cpu-py3.13 4
  printf 'echo "Ran 3 tests in 0.1s"\necho BEFORE\nsleep 60\n' >tests/run.sh
  run crategate build --cell cpu-py3.13
  expect_ok
  setsid crategate test --cell cpu-py3.13 >"$WORK/out" 2>"$WORK/err" </dev/null &
  pid=$!
  wait_until 30 grep -s BEFORE tests/logs/test-py3.13-cpu.log
  kill -STOP "$SERVICE_PID"
  begin=$SECONDS
  kill -INT "$pid"
  STATUS=0
  wait "$pid" || STATUS=$?
  kill -CONT "$SERVICE_PID"
  OUT=$(<"$WORK/out") ERR=$(<"$WORK/err")
  expect_failure 130 interrupted '.' '.'
  ((SECONDS - begin <= 9)) || fail "an end within 9 s, not $((SECONDS - begin)) s"
}

it_keeps_the_log_of_tests_that_failed() {
  job cpu-py3.13 4
  printf 'echo "Ran 3 tests in 0.1s"\necho BROKEN; exit 1\n' >tests/run.sh
  run crategate build --cell cpu-py3.13
  expect_ok
  run crategate test --cell cpu-py3.13
  expect_failure 11 tests-failed '.' '.'
  run crategate artifact download test-logs-cpu-py3.13 --path logs
  expect_ok
  expect_match "log" "$(cat logs/*)" BROKEN
}

it_keeps_the_log_of_tests_that_were_cancelled() {
  local pid
  job cpu-py3.13 5
  printf 'echo "Ran 3 tests in 0.1s"\necho BEFORE\nsleep 60\n' >tests/run.sh
  run crategate build --cell cpu-py3.13
  expect_ok
  setsid crategate test --cell cpu-py3.13 >"$WORK/out" 2>"$WORK/err" </dev/null &
  pid=$!
  wait_until 20 grep -s BEFORE tests/logs/test-py3.13-cpu.log
  kill -INT "$pid"
  STATUS=0
  wait "$pid" || STATUS=$?
  OUT=$(<"$WORK/out") ERR=$(<"$WORK/err")
  expect_failure 130 interrupted '.' '.'
  run crategate artifact download test-logs-cpu-py3.13 --path logs
  expect_ok
  expect_match "log" "$(cat logs/*)" BEFORE
}

it_publishes_nothing_when_the_service_does_not_answer() {
  job publish 6
  export ACTIONS_RESULTS_URL=http://127.0.0.1:9/
  run crategate push
  expect_failure 31 artifact-service '127.0.0.1:9' '.'
  expect_no_match "what was said" "$OUT$ERR" "$ACTIONS_RUNTIME_TOKEN"
}

it_asks_the_service_nothing_that_it_must_not_be_asked() {
  echo >"$WORK/service-input"
  wait_until 10 grep '^complaints=' "$WORK/service"
  expect_equal "complaints" "$(grep '^complaints=' "$WORK/service")" complaints=0
}

it_works_without_a_service_in_a_folder_of_the_project() {
  cd "$PROJECT"
  mkdir -p out/deep
  echo 1 >out/one
  echo 2 >out/deep/two
  echo 3 >out/.hidden
  run crategate artifact upload results out
  expect_ok
  run crategate artifact list
  expect_ok
  expect_match "list" "$OUT" '^results +[0-9]'
  run crategate artifact download results --path copy
  expect_ok
  expect_equal "files" "$(cd copy && find . -type f | sort | xargs)" "./deep/two ./one"
  run crategate artifact download results --path copy
  expect_failure 2 bad-input 'copy' 'overwrite'
  run crategate artifact upload results out --include-hidden-files
  expect_failure 31 artifact-service 'results' 'overwrite'
  run crategate artifact upload results out --include-hidden-files --overwrite
  expect_ok
  run crategate artifact download result --path copy2
  expect_failure 22 not-found 'results' '.'
  run crategate artifact upload nothing 'none/**'
  expect_failure 2 bad-input 'none/\*\*' '.'
  run crategate artifact upload 'a:b' out
  expect_failure 2 bad-input ':' '.'
  run crategate artifact
  expect_failure 2 bad-input 'upload, download, list' 'help'
}

run_cases
