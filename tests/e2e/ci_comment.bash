#!/usr/bin/env bash
# The comment on a pull request: a strict GitHub (tests/github) and a real registry.
# shellcheck source=tests/e2e/lib.bash
# shellcheck disable=SC2119  # pull_request without an argument is one of the repository itself
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"

# writes: how many comments were made and changed since the server began.
writes() { echo "$(state count --match '^POST /repos/.*/comments 201') $(state count --match '^PATCH .*/comments/.* 200')"; }

# comments: author and text of all comments on pull request 7, as GitHub lists them.
comments() {
  curl --silent --fail --user-agent e2e --header "Authorization: Bearer $JOB_TOKEN" --header 'Accept: application/vnd.github+json' \
    --header 'X-GitHub-Api-Version: 2022-11-28' "$GITHUB/repos/tiny/app/issues/7/comments" | jq -r '.[] | .user.login + " " + .body'
}

it_makes_one_comment_and_keeps_it_up_to_date() {
  local first second
  ci_project
  built latest "$(git rev-parse main)" >/dev/null
  push_to_fix ci.Dockerfile 'FROM crategate/busybox:1 AS own'
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  state comment add --issue 7 --login stranger --body "<!-- crategate:ci-image $IMAGE -->"
  ask_github comment
  expect_failure 22 not-found 'pr-7' '[a-z]'
  expect_equal "writes before there is an image" "$(writes)" '0 0'
  first=$(built pr-7 "$HEAD")
  ask_github comment
  expect_ok
  expect_equal "writes of the first run" "$(writes)" '1 0'
  expect_match comments "$(comments)" "github-actions.bot. <!-- crategate:ci-image .*$IMAGE@$first"
  ask_github comment
  expect_ok
  expect_equal "writes of the same text" "$(writes)" '1 0'
  push_to_fix src/hello 'a second push'
  pull_request
  state pull --number 7 --head-sha "$HEAD"
  second=$(built pr-7 "$HEAD")
  ask_github comment
  expect_ok
  expect_equal "writes after a second push" "$(writes)" '1 1'
  expect_match comments "$(comments)" "$IMAGE@$second"
  expect_equal "the stranger's comment" "$(comments | grep stranger)" "stranger <!-- crategate:ci-image $IMAGE -->" # A39
}

it_finds_its_comment_on_a_later_page() {
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  state comment add --issue 7 --login stranger --body text --count 120
  ask_github comment
  expect_ok
  ask_github comment
  expect_ok
  expect_equal writes "$(writes)" '1 0'
}

it_stays_green_where_it_may_not_write() { # A62, B18
  cd "$WORK/project"
  pull_request
  github
  state permission --token "$JOB_TOKEN" --name pull-requests --level read
  state permission --token "$JOB_TOKEN" --name issues --level none
  state pull --number 7 --head-sha "$HEAD"
  ask_github comment
  expect_ok
  expect_match warning "$OUT$ERR" '::warning .*pull-requests: write'
  github
  state pull --number 7 --head-sha "$HEAD"
  state limit --remaining 0 --reset-in 3600
  ask_github comment
  expect_ok
  expect_match warning "$OUT$ERR" '::warning '
}

it_says_nothing_about_a_fork() {
  cd "$WORK/project"
  pull_request 2
  github
  ask_github comment
  expect_ok
  expect_equal requests "$(state count)" 0
}

run_cases
