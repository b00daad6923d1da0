#!/usr/bin/env bash
# Waiting for a CI image: a strict GitHub (tests/github), a real registry, and builds that end while somebody waits.
# shellcheck source=tests/e2e/lib.bash
# shellcheck disable=SC2119  # pull_request without an argument is one of the repository itself
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"
BUILD=build-ci-image.yml

# wait_image [OPTION...]: the stage, as a step with the job's token.
wait_image() {
  ask_github wait-image "INPUT_CI-IMAGE-WAIT-INTERVAL=1s" "INPUT_CI-IMAGE-WAIT-TIMEOUT=20s" "$@"
}

# build_run ID SHA STATE...
build_run() { state run --id "$1" --sha "$2" --workflow $BUILD --event pull_request --pull 7 "${@:3}"; }

it_waits_for_the_build_of_this_push_and_takes_its_image_by_digest() {
  local built_image building
  ci_project
  built latest "$(git rev-parse main)" >/dev/null
  push_to_fix ci.Dockerfile 'FROM crategate/busybox:1 AS own'
  pull_request
  built pr-7 "$(git rev-parse main)" >/dev/null # of an earlier push
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 30 "$HEAD" --status in_progress
  (
    sleep 2.5
    built pr-7 "$HEAD" >"$WORK/built"
    build_run 30 "$HEAD" --status completed --conclusion success
  ) &
  building=$!
  wait_image
  wait "$building"
  expect_ok
  built_image=$(<"$WORK/built")
  expect_equal image "$(output image)" "$IMAGE@$built_image"
  expect_equal tag "$(output tag)" pr-7
  expect_match log "$OUT$ERR" 'run 30 is in_progress, http'
  # Each answer that has not changed is free: one for each state.
  expect_within "requests that count" "$(state count --match '/runs' --billed)" 2
  expect_match "all requests" "$(state count --match '/runs')" '^([3-9]|1[0-9])$'
  expect_equal "requests for the head that count" "$(state count --match '/pulls/7 ' --billed)" 1
  run docker pull --quiet "$(output image)"
  expect_ok
}

it_never_takes_the_first_build_after_a_second_push() {
  local first second building
  cd "$WORK/project"
  first=$(git rev-parse fix)
  push_to_fix src/hello 'a second push'
  pull_request
  second=$HEAD
  github
  state pull --number 7 --head-sha "$second"
  build_run 30 "$first" --status completed --conclusion success
  build_run 31 "$second" --status in_progress
  (
    sleep 1.5
    built pr-7 "$second" >"$WORK/built"
    build_run 31 "$second" --status completed --conclusion success
  ) &
  building=$!
  wait_image
  wait "$building"
  expect_ok
  expect_equal image "$(output image)" "$IMAGE@$(<"$WORK/built")"
}

it_ends_when_the_pull_request_has_moved_on() {
  cd "$WORK/project"
  push_to_fix src/hello 'a third push'
  pull_request
  github
  state pull --number 7 --head-sha "$(git rev-parse main)"
  build_run 32 "$HEAD" --status completed --conclusion cancelled
  wait_image
  expect_failure 50 conflict 'has moved on' 'its own build'
}

it_ends_when_the_pull_request_moves_on_meanwhile() {
  local conclusion
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 32 "$HEAD" --status in_progress
  state when --match '/runs' --nth 3 pull --number 7 --head-sha "$(git rev-parse main)"
  wait_image
  expect_failure 50 conflict 'has moved on' 'its own build'
  expect_match "all requests" "$(state count --match '/runs')" '^[34]$'
  github # the old run has failed by the time somebody asks
  state pull --number 7 --head-sha "$(git rev-parse main)"
  build_run 32 "$HEAD" --status completed --conclusion failure
  wait_image
  expect_failure 50 conflict 'has moved on' 'its own build'
}

it_goes_on_after_a_cancelled_attempt() {
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 33 "$HEAD" --status completed --conclusion cancelled
  state when --match '/runs' --nth 2 run --id 33 --attempt 2 --status in_progress
  state when --match '/runs' --nth 4 run --id 33 --status completed --conclusion success
  built pr-7 "$HEAD" >"$WORK/built"
  wait_image
  expect_ok
  expect_equal image "$(output image)" "$IMAGE@$(<"$WORK/built")"
}

it_fails_at_once_with_the_build() {
  local conclusion
  cd "$WORK/project"
  pull_request
  for conclusion in failure timed_out action_required startup_failure; do
    github
    state pull --number 7 --head-sha "$HEAD"
    build_run 34 "$HEAD" --status completed --conclusion $conclusion
    wait_image
    expect_failure 14 awaited-build-failed "run 34 ended as .$conclusion.*/actions/runs/34" '[a-z]'
  done
}

it_outlasts_limits_and_bad_minutes() { # B17, B18, B20
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 35 "$HEAD" --status in_progress
  state fail --status 502 --body html --times 3 --match '/runs'
  state fail --kind secondary --status 429 --retry-after 2 --match '/runs'
  state when --match '/runs.* 200' limit --remaining 0 --reset-in 4
  state when --match ' 403$' run --id 35 --status completed --conclusion success
  wait_image
  expect_ok
  expect_equal image "$(output image)" "$IMAGE@$(<"$WORK/built")"
  expect_match "a bad minute" "$OUT$ERR" 'pr-7: GitHub: cannot list the workflow runs of tiny/app: found 502'
  expect_match "too fast" "$OUT$ERR" 'pr-7: GitHub: [^;]*too many requests in a short time'
  expect_match "the limit, and its end" "$OUT$ERR" "pr-7: GitHub: [^;]*: this hour's requests are used up; nothing more is answered until 20"
  expect_equal "requests while it lasts" "$(state count --status 403)" 1
}

it_outlasts_answers_that_are_cut_short() {
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 35 "$HEAD" --status completed --conclusion success
  state fail --kind cut --times 6 --match '/runs'
  wait_image
  expect_ok
  expect_equal image "$(output image)" "$IMAGE@$(<"$WORK/built")"
  expect_match "half an answer" "$OUT$ERR" 'pr-7: GitHub: cannot list the workflow runs of tiny/app: the answer is too short'
}

it_ends_with_a_limit_or_an_outage_that_lasts() { # B17, B20
  local began
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 35 "$HEAD" --status in_progress
  state limit --remaining 0 --reset-in 3000 --status 429
  began=$SECONDS
  wait_image
  expect_failure 23 rate-limited "found GitHub: .*used up; nothing more is answered until 20" 'run again after that time'
  expect_within "seconds of a wait for nothing" $((SECONDS - began)) 10
  state clear
  state fail --status 500 --times 100
  wait_image "INPUT_CI-IMAGE-WAIT-TIMEOUT=3s"
  expect_failure 15 wait-timed-out 'found GitHub: cannot list the workflow runs of tiny/app: found 500' 'githubstatus'
  expect_no_match advice "$HINT_LINE" 'watched|actions: read'
}

it_outlasts_a_registry_that_is_away() {
  local port
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 37 "$HEAD" --status completed --conclusion success
  port=$(free_port)
  sed -i "s|image: .*|image: localhost:$port/ci|" crategate.yml
  wait_image "INPUT_CI-IMAGE-WAIT-TIMEOUT=5s"
  git checkout --quiet -- crategate.yml
  expect_failure 15 wait-timed-out "run 37 has succeeded; registry localhost:$port.*/actions/runs/37" 'check that the server runs'
  expect_match "asked again" "$(grep -c 'waiting for' <<<"$OUT$ERR")" '^[2-9]$'
}

it_says_that_a_login_may_be_missing() { # the registry here demands none, so nobody is logged in
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  build_run 37 "$HEAD" --status completed --conclusion success
  sed -i "s|image: .*|image: $TO/none|" crategate.yml
  wait_image
  expect_failure 14 awaited-build-failed 'has succeeded, but .*:pr-7 is not there' "without a login: set registry, username and password for $REGISTRY"
  run crategate ci-image resolve --event push --ref refs/heads/main
  git checkout --quiet -- crategate.yml
  expect_failure 22 not-found 'none that is shown without a login' "set registry, username and password for $REGISTRY"
}

it_names_the_permission_that_is_missing() { # A62, B19
  cd "$WORK/project"
  pull_request
  for denial in 403 404; do
    github
    state token --token "$JOB_TOKEN" --denial $denial
    state permission --token "$JOB_TOKEN" --name actions --level none
    state pull --number 7 --head-sha "$HEAD"
    wait_image "INPUT_CI-IMAGE-WAIT-TIMEOUT=3s"
    if ((denial == 403)); then
      expect_failure 21 forbidden 'list the workflow runs' 'permissions: actions: read'
    else # the same as of a workflow that has never run
      expect_failure 15 wait-timed-out 'no run of build-ci-image.yml' 'actions: read'
      expect_match "first line of status" "$(grep -m1 'waiting for' <<<"$OUT$ERR")" 'add .permissions: actions: read'
    fi
    github
    state token --token "$JOB_TOKEN" --denial $denial
    state permission --token "$JOB_TOKEN" --name pull-requests --level none
    build_run 38 "$HEAD" --status in_progress
    wait_image "INPUT_CI-IMAGE-WAIT-TIMEOUT=3s"
    expect_failure 15 wait-timed-out 'run 38 is in_progress' 'moved on: .*permissions: pull-requests: read'
    expect_equal "refused requests" "$(state count --match '/pulls/7 ')" 1
  done
}

it_asks_nobody_without_a_token() {
  cd "$WORK/project"
  pull_request
  github
  wait_image "INPUT_GITHUB-TOKEN="
  expect_failure 2 bad-input 'github-token: expected a token' 'github.token'
  expect_equal requests "$(state count)" 0
}

it_asks_github_what_the_clone_cannot_tell() {
  local payload
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  state file add --number 7 --name src/hello
  payload='{"action":"created","issue":{"number":7,"pull_request":{}},"comment":{"id":1},"repository":{"id":1}}'
  git clone --quiet --depth=1 --branch=main "file://$PWD" "$WORK/shallow" # as a job of a comment has it
  cd "$WORK/shallow"
  as_runner issue_comment refs/heads/main "$payload"
  wait_image
  expect_ok
  expect_equal tag "$(output tag)" latest
  state file add --number 7 --name ci.Dockerfile
  build_run 36 "$HEAD" --status completed --conclusion success
  as_runner issue_comment refs/heads/main "$payload"
  wait_image
  expect_ok
  expect_equal tag "$(output tag)" pr-7
  expect_equal image "$(output image)" "$IMAGE@$(<"$WORK/built")"
  state pull --number 7 --fork
  as_runner issue_comment refs/heads/main "$payload"
  wait_image
  expect_ok
  expect_equal "validated for a fork" "$(output validated)" false
}

it_decides_in_every_stage_by_the_same_list() {
  local stage
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  state file add --number 7 --name src/hello # not what git would say, but git cannot tell
  git -c advice.detachedHead=false clone --quiet --depth=1 "file://$PWD" "$WORK/merge"
  cd "$WORK/merge"
  as_runner pull_request refs/pull/7/merge "$(<"$GITHUB_EVENT_PATH")"
  for stage in resolve-image wait-image build-ci-image comment; do
    ask_github $stage
    expect_ok
    expect_match "reason of $stage" "$OUT$ERR" 'pull request 7 changes no watched file'
  done
}

run_cases
