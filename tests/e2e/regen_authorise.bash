#!/usr/bin/env bash
# Who may ask for `/regen`: a strict GitHub (tests/github), a real registry, and a clone of the default branch, as a job has it.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"

READS_PULL='^GET /repos/tiny/app/pulls/7 '

# scene: a GitHub with alice, who may write, and pull request 7, which changes no watched file.
scene() {
  cd "$WORK/project"
  HEAD=$(git rev-parse fix)
  cd "$WORK/default"
  github user --login alice --id 5 --level write \
    + pull --number 7 --head-sha "$HEAD" --head-ref fix \
    + file add --number 7 --name src/hello \
    + comment add --issue 7 --id 1001 --login alice --user-id 5
}

# authorise BODY [JQ [VARIABLE=VALUE...]]: the stage, after alice wrote BODY now; JQ changes the payload.
authorise() {
  local payload
  payload=$(jq --null-input --arg body "$1" --arg now "$(date -u +%FT%TZ)" '{
    action: "created", repository: {id: 1, default_branch: "main"}, sender: {id: 5, login: "alice", type: "User"},
    issue: {number: 7, state: "open", pull_request: {url: "https://api.github.com/repos/tiny/app/pulls/7"}, user: {id: 9}},
    comment: {id: 1001, body: $body, created_at: $now, author_association: "OWNER", user: {id: 5, login: "alice", type: "User"}}
  } | '"${2:-.}")
  as_runner issue_comment refs/heads/main "$payload"
  ask_github authorise-regen "INPUT_CI-IMAGE-IMAGE=$IMAGE" "INPUT_CI-IMAGE-GENERATE=[make, gen]" "INPUT_CI-IMAGE-WAIT-INTERVAL=1s" "INPUT_CI-IMAGE-WAIT-TIMEOUT=20s" "${@:3}"
}

# faces: our reactions. replies: our comments.
faces() { jq --raw-output 'map(.content) | join(" ")' "$WORK/github/reactions.json" 2>/dev/null || true; }
replies() { jq --raw-output '.[] | select(.login == "github-actions[bot]") | .body' "$WORK/github/comments.json"; }

# expect_refused REASON: no failure, and an answer.
expect_refused() {
  expect_ok
  expect_equal authorised "$(output authorised)" false
  expect_match reason "$(output reason)" "^$1: "
  expect_equal sha "$(output sha)" ''
  expect_equal image "$(output image)" ''
  expect_match faces "$(faces)" '-1$'
  expect_match reply "$(replies)" "^<!-- crategate:regen $IMAGE -->"
  expect_match reply "$(replies)" "reason .$1."
}

it_authorises_a_writer_for_exactly_one_commit() {
  local latest
  ci_project
  latest=$(built latest "$(git rev-parse main)")
  push_to_fix src/hello changed
  git clone --quiet --depth=1 --branch=main "file://$PWD" "$WORK/default"
  for body in /regen "/regen $(git rev-parse fix)" $'/regen\t'"$(git rev-parse fix | cut -c1-7)"$' \r\nplease'; do
    scene
    authorise "$body"
    expect_ok
    expect_equal authorised "$(output authorised)" true
    expect_equal pull_request "$(output pull_request)" 7
    expect_equal sha "$(output sha)" "$HEAD"
    expect_equal head_ref "$(output head_ref)" fix
    expect_equal fork "$(output fork)" false
    expect_equal image "$(output image)" "$IMAGE@$latest"
    expect_equal faces "$(faces)" eyes
    expect_equal replies "$(replies)" ''
    expect_match "the first requests" "$(head -2 "$WORK/github/requests.log" | jq --raw-output '.method + " " + .path')" \
      'GET .*/alice/permission.*POST .*/1001/reactions'
  done
}

it_waits_for_the_image_of_that_commit() {
  local building IMAGE=$TO/awaited
  cd "$WORK/project"
  push_to_fix ci.Dockerfile 'FROM crategate/busybox:1 AS own'
  built pr-7 "$(git rev-parse main)" >/dev/null # of an earlier push
  scene
  state file add --number 7 --name ci.Dockerfile
  state run --id 30 --sha "$HEAD" --workflow build-ci-image.yml --event pull_request --pull 7 --status in_progress
  (
    sleep 1.2
    built pr-7 "$HEAD" >"$WORK/built"
    state run --id 30 --conclusion success
  ) &
  building=$!
  authorise /regen
  wait "$building"
  expect_ok
  expect_equal authorised "$(output authorised)" true
  expect_equal sha "$(output sha)" "$HEAD"
  expect_equal image "$(output image)" "$IMAGE@$(<"$WORK/built")"
  expect_match log "$OUT$ERR" 'run 30 is in_progress'
}

it_answers_when_the_image_cannot_be_had() {
  local IMAGE=$TO/failed
  scene
  state file add --number 7 --name ci.Dockerfile
  state run --id 31 --sha "$HEAD" --workflow build-ci-image.yml --event pull_request --pull 7 --conclusion failure
  authorise /regen
  expect_failure 14 awaited-build-failed 'run 31 ended as .failure' '[a-z]'
  expect_equal authorised "$(output authorised)" false
  expect_equal faces "$(faces)" 'eyes -1'
  expect_match reply "$(replies)" 'run 31 ended as'
}

it_says_that_nothing_makes_files() {
  scene
  authorise /regen . "INPUT_CI-IMAGE-GENERATE="
  expect_failure 2 bad-input 'ci-image.generate: expected the command that makes the files, found none' .
  expect_match reply "$(replies)" 'ci-image.generate'
  expect_equal "runs asked for" "$(state count --match /runs)" 0
}

it_asks_nobody_about_what_is_not_ours() { # A29, A37
  scene
  for body in 'thanks' '> /regen' '/regenerate' $'```\n/regen\n```' ' /regen' $'please\n/regen' $'/r\u0435gen' $'/regen\u200b'; do
    authorise "$body"
    expect_ok
    expect_equal authorised "$(output authorised)" false
    expect_match reason "$(output reason)" '^no-command: '
  done
  authorise /regen '.action = "edited" | .changes = {body: {from: "x"}}'
  expect_match reason "$(output reason)" '^not-created: '
  authorise /regen '.action = "deleted"'
  expect_match reason "$(output reason)" '^not-created: '
  authorise /regen 'del(.issue.pull_request)'
  expect_match reason "$(output reason)" '^not-a-pull-request: '
  authorise /regen '.comment.user |= . + {login: "other[bot]", type: "Bot"}'
  expect_match reason "$(output reason)" '^bot: '
  expect_ok
  expect_equal requests "$(state count)" 0
}

it_refuses_what_it_cannot_read_with_one_reply() { # A30
  scene
  authorise /regen '.sender.id = 6'
  expect_refused sender
  authorise '/regen --image=evil'
  expect_refused argument
  expect_match reply "$(replies)" '--image=evil'
  authorise /regen 'del(.comment.user.id)'
  expect_ok
  expect_match reason "$(output reason)" '^unclear: '
  expect_match "the answer to whoever may ask" "$(replies)" '--image=evil'
  expect_equal "comments made" "$(state count --match '^POST /repos/.*/issues/7/comments 201')" 1
  expect_equal "questions about rights" "$(state count --match permission)" 1
}

it_believes_the_permission_of_this_moment_only() { # A31
  scene
  state user --login alice --role maintain
  authorise /regen
  expect_equal authorised "$(output authorised)" true
  for role in triage none; do
    scene
    state user --login alice --role $role # who wrote it as somebody who might
    authorise /regen
    expect_refused permission
    expect_equal "pull requests read" "$(state count --match "$READS_PULL")" 0
  done
  scene
  state user --login alice --id 6 # somebody else is called so by now
  authorise /regen
  expect_refused permission-unknown
  scene
  authorise /regen '.comment.user.login = "ghost"'
  expect_refused permission-unknown
}

it_denies_where_github_does_not_answer() { # A31
  scene
  state fail --status 500 --match permission --times 9
  authorise /regen
  expect_failure 24 unavailable 'what alice may do' '[a-z]'
  expect_equal authorised "$(output authorised)" false
  expect_match reply "$(replies)" 'reason .unavailable.'
  scene
  state fail --status 403 --match permission
  authorise /regen
  expect_failure 21 forbidden 'what alice may do' '[a-z]'
  expect_equal authorised "$(output authorised)" false
  expect_equal "pull requests read" "$(state count --match "$READS_PULL")" 0
}

it_lets_apps_of_the_list_ask() {
  scene
  authorise /regen '.comment.user |= . + {login: "renovate[bot]", type: "Bot"}' 'INPUT_REGEN-BOTS=renovate[bot]'
  expect_ok
  expect_equal authorised "$(output authorised)" true
}

it_needs_the_commit_for_a_fork() { # A32, A33
  local latest
  scene
  latest=$(manifest_digest "$IMAGE:latest")
  state pull --number 7 --fork --head-ref main
  authorise /regen
  expect_refused sha-needed
  expect_match reply "$(replies)" "/regen $HEAD"
  authorise '/regen 0000000'
  expect_refused sha-differs
  authorise "/regen ${HEAD:0:7}"
  expect_ok
  expect_equal authorised "$(output authorised)" true
  expect_equal fork "$(output fork)" true
  expect_equal head_ref "$(output head_ref)" main
  expect_equal sha "$(output sha)" "$HEAD"
  expect_equal image "$(output image)" "$IMAGE@$latest"
  state pull --number 7 --pushed-at 2099-01-01T00:00:00Z
  authorise "/regen ${HEAD:0:12}"
  expect_refused head-newer
  authorise "/regen $HEAD"
  expect_equal "authorised by the whole commit" "$(output authorised)" true
  state pull --number 7 --fork-deleted
  authorise "/regen $HEAD"
  expect_refused head-gone
}

it_refuses_a_head_that_is_newer_than_the_comment() { # A32
  scene
  state pull --number 7 --pushed-at 2099-01-01T00:00:00Z
  authorise /regen
  expect_refused head-newer
  authorise "/regen ${HEAD:0:39}"
  expect_refused head-newer
  expect_match reply "$(replies)" "/regen $HEAD"
  authorise "/regen $HEAD"
  expect_equal "authorised by commit" "$(output authorised)" true
}

it_refuses_what_is_not_open() {
  scene
  state pull --number 7 --merged
  authorise /regen
  expect_refused merged
}

it_never_authorises_a_head_that_moved() { # A32
  local readings k moved
  moved=$(git -C "$WORK/project" rev-parse main)
  IMAGE=$TO/moved
  built pr-7 "$(git -C "$WORK/project" rev-parse fix)" >/dev/null
  scene
  state file add --number 7 --name ci.Dockerfile # its image is there
  state run --id 32 --sha "$HEAD" --workflow build-ci-image.yml --event pull_request --pull 7 --conclusion success
  authorise "/regen $HEAD"
  expect_ok
  expect_equal authorised "$(output authorised)" true
  readings=$(state count --match "$READS_PULL")
  ((readings >= 3)) || fail "three readings at least, not $readings"
  for ((k = 1; k <= readings; ++k)); do
    scene
    state file add --number 7 --name ci.Dockerfile
    state run --id 32 --sha "$HEAD" --workflow build-ci-image.yml --event pull_request --pull 7 --conclusion success
    if ((k == 1)); then
      state pull --number 7 --head-sha "$moved"
      authorise "/regen $HEAD"
      expect_refused sha-differs
    else
      state when --match "$READS_PULL" --nth $((k - 1)) pull --number 7 --head-sha "$moved"
      authorise "/regen $HEAD"
      expect_failure 50 conflict 'has moved on' 'Comment again'
      expect_match reply "$(replies)" 'reason .head-moved.'
      expect_equal authorised "$(output authorised)" false
      expect_equal sha "$(output sha)" ''
    fi
  done
}

it_goes_on_where_it_may_not_react() { # A62
  scene
  state permission --token "$JOB_TOKEN" --name pull-requests --level read
  state permission --token "$JOB_TOKEN" --name issues --level none
  authorise /regen
  expect_ok
  expect_equal authorised "$(output authorised)" true
  expect_match warning "$OUT$ERR" '::warning .*react to comment 1001.*permissions: pull-requests: write'
}

it_writes_nothing_in_a_dry_run() {
  scene
  authorise /regen . INPUT_DRY-RUN=true
  expect_ok
  expect_match "what it would do" "$OUT" 'reaction eyes to comment 1001'
  state user --login alice --level read
  authorise /regen . INPUT_DRY-RUN=true
  expect_ok
  expect_match "what it would do" "$OUT" 'reaction -1 to comment 1001'
  expect_match "what it would say" "$OUT" 'may not write to this repository'
  expect_no_match outputs "$(<"$GITHUB_OUTPUT")" authorised
  expect_equal writes "$(state count --match '^(POST|PATCH) /repos')" 0
}

run_cases_beside 4
