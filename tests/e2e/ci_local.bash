#!/usr/bin/env bash
# The CI image on a person's machine: which image a command takes, and what it says before.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"

NOT_AS='warning: ci\.Dockerfile is not as in origin/main: .*--local-image, .*DOCKER_CI_IMAGE=.*:pr-NUMBER'

expect_image() { # COMMAND: of the branch, by digest
  run crategate ci-image "$1"
  expect_ok
  expect_equal "image" "$OUT" "$IMAGE@$(manifest_digest "$IMAGE:latest")"
}

it_warns_where_a_pull_request_of_this_would_have_an_image_of_its_own() {
  ci_project
  built latest "$(git rev-parse main)" >/dev/null
  echo more >src/other
  expect_image pull
  expect_match "why" "$ERR" 'branch "fix" has no tag in ci-image.branches: default-tag, latest'
  expect_no_match "as in main" "$ERR" warning
  echo '# changed' >>ci.Dockerfile
  for command in pull resolve; do
    expect_image "$command"
    expect_match "not committed" "$ERR" "$NOT_AS"
  done
  commit 'A change'
  expect_image pull
  expect_match "committed" "$ERR" "$NOT_AS"
  run crategate ci-image resolve --event push --ref refs/heads/main
  expect_ok
  expect_no_match "of an event" "$ERR" warning
  git update-ref refs/remotes/origin/main HEAD
  expect_image pull
  expect_no_match "merged" "$ERR" warning
  git update-ref -d refs/remotes/origin/main
  expect_image pull
  expect_no_match "nobody knows" "$ERR" warning
}

it_takes_names_of_images_only() {
  cd "$WORK/project"
  local word command
  for word in --privileged 'a b' 'x:' ../up; do
    for command in pull 'gen --ci-image-generate=make'; do
      # shellcheck disable=SC2086  # a command and its option
      run env DOCKER_CI_IMAGE="$word" crategate ci-image $command
      expect_failure 2 bad-input 'DOCKER_CI_IMAGE: expected the name of an image, found' 'unset DOCKER_CI_IMAGE'
    done
  done
  run env DOCKER_CI_IMAGE="$IMAGE:latest" crategate ci-image pull
  expect_ok
  expect_equal "by tag" "$OUT" "$IMAGE@$(manifest_digest "$IMAGE:latest")"
}

it_pulls_a_tag_that_moves_each_time() {
  local older newer
  cd "$WORK/project"
  older=$(manifest_digest "$IMAGE:latest")
  newer=$(built latest "$(git rev-parse HEAD)")
  [[ $newer != "$older" ]] || fail "another image"
  for command in pull 'gen --ci-image-generate=true'; do
    docker pull --quiet "$IMAGE@$older" >/dev/null
    docker tag "$IMAGE@$older" "$IMAGE:latest" # as the engine has it since yesterday
    # shellcheck disable=SC2086  # a command and its option
    run env DOCKER_CI_IMAGE="$IMAGE:latest" crategate ci-image $command
    expect_ok
    expect_equal "what the engine has after $command" "$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$IMAGE:latest")" \
      "$(git rev-parse HEAD)"
  done
}

it_asks_github_what_an_event_is_about() {
  cd "$WORK/project"
  git update-ref refs/remotes/origin/main main
  github pull --number 7 --head-sha "$(git rev-parse main)" + file add --number 7 --name src/hello
  as_runner issue_comment refs/heads/main \
    '{"action":"created","issue":{"number":7,"pull_request":{}},"comment":{"id":1},"repository":{"id":1}}'
  for command in pull 'gen --ci-image-generate=true'; do
    : >"$WORK/github/requests.log"
    # shellcheck disable=SC2086  # a command and its option
    run env "INPUT_GITHUB-TOKEN=$JOB_TOKEN" GITHUB_API_URL="$GITHUB" GITHUB_SERVER_URL="$GITHUB" crategate ci-image $command
    expect_ok
    expect_match "what was asked for $command" "$(jq -r .path "$WORK/github/requests.log")" '/pulls/7'
  done
}

it_names_the_variable_where_no_engine_is() {
  cd "$WORK/project"
  run env DOCKER_HOST=unix:///nowhere/docker.sock crategate ci-image pull
  expect_failure 40 engine '/nowhere/docker.sock does not answer' 'DOCKER_HOST names'
  expect_no_match "hint" "$HINT_LINE" 'container action'
}

# layout: an image whose layer is a link to a file outside, which has exactly the layer's bytes.
layout() {
  skopeo copy --quiet --src-tls-verify=false "docker://$IMAGE:latest" "oci:$WORK/layout"
  local manifest layer
  manifest=$(jq -r '.manifests[0].digest' "$WORK/layout/index.json")
  layer=$(jq -r '.layers[0].digest' "$WORK/layout/blobs/sha256/${manifest#*:}")
  LINK=$WORK/layout/blobs/sha256/${layer#*:}
  mv "$LINK" "$WORK/outside"
  ln -s "$WORK/outside" "$LINK"
}

it_reads_nothing_outside_of_a_layout() {
  cd "$WORK/project"
  layout
  run crategate ci-image load ""
  expect_failure 2 bad-input 'expected one PATH, found an empty word' 'ci-image load FOLDER'
  run crategate ci-image load "$WORK/layout"
  expect_failure 25 integrity "expected a regular file with the blob sha256:${LINK##*/}, found none" 'symbolic link'
  ln -sf /etc/passwd "$LINK"
  run crategate ci-image load "$WORK/layout"
  expect_failure 25 integrity 'expected a regular file' 'symbolic link'
  expect_no_match "what is outside" "$ERR" "$(sha256sum </etc/passwd | cut -d' ' -f1)"
  mv "$WORK/outside" "$WORK/inside"
  rm "$LINK"
  mv "$WORK/inside" "$LINK"
  run crategate ci-image load "$WORK/layout"
  expect_ok
}

run_cases
