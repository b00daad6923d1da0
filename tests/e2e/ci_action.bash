#!/usr/bin/env bash
# The workflows of the CI image, unmodified, on an independent runner with a strict GitHub (tests/github): a pull request's image is
# built by build-ci-image.yml, and what ci-image.yml hands to the jobs that run in it is that image, by digest.
# shellcheck source=tests/e2e/lib.bash
# shellcheck disable=SC2119  # pull_request without an argument is one of the repository itself
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"
# shellcheck source=tests/e2e/act_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/act_fixture.bash"

# consumer: the project's two workflows, as docs/ci-image.md has them, with this registry in place of ghcr.io.
consumer() {
  cat >.github/workflows/build-ci-image.yml <<YAML
on: pull_request
jobs:
  build:
    uses: crategate/crategate/.github/workflows/build-ci-image.yml@v1
    with: {registry: "$REGISTRY"}
YAML
  cat >.github/workflows/checks.yml <<YAML
on: pull_request
jobs:
  image:
    uses: crategate/crategate/.github/workflows/ci-image.yml@v1
    with: {registry: "$REGISTRY"}
  test:
    needs: image
    runs-on: ubuntu-latest
    container:
      image: \${{ needs.image.outputs.image }}
    steps:
      - run: echo "the checks run in image \$(cat /which) of \$IMAGE, validated \$VALIDATED"
        shell: sh
        env: {IMAGE: "\${{ needs.image.outputs.image }}", VALIDATED: "\${{ needs.image.outputs.validated }}"}
YAML
  sed -i "s|^  image: .*|&\\n  dockerfile: ci.Dockerfile\\n  wait-interval: 1s\\n  wait-timeout: 2m|" crategate.yml
  commit 'Workflows'
  git branch --quiet --force main
  git update-ref refs/remotes/origin/main HEAD
}

# ci_image NAME TAG COMMIT: an image that knows its name, as an earlier build has left it.
ci_image() {
  printf 'FROM crategate/busybox:1\nRUN echo %s >/which\nLABEL org.opencontainers.image.revision=%s\n' "$1" "$3" >"$WORK/Dockerfile"
  docker build --quiet --provenance=false --file "$WORK/Dockerfile" --tag "$IMAGE:$2" "$WORK/bin" >/dev/null
  docker push --quiet "$IMAGE:$2" >/dev/null
}

# workflow FILE: on a runner of its own, for the pull request that is checked out. Two may run at once.
workflow() {
  local files=$WORK/${1%.yml}
  cp "$GITHUB_EVENT_PATH" "$files.json"
  (
    for name in $(compgen -e | grep -E '^(GITHUB|INPUT)_'); do unset "$name"; done
    ARTIFACTS=$(mktemp -d "$WORK/artifacts.XXXXXX")
    run() { "$@" >"$files.out" 2>"$files.err" </dev/null && echo 0 >"$files.status" || echo $? >"$files.status"; }
    act pull_request --eventpath "$files.json" --workflows ".github/workflows/$1" \
      --local-repository "crategate/crategate@v1=$RELEASE" --container-daemon-socket "${DOCKER_HOST#unix://}" \
      --env "GITHUB_API_URL=$GITHUB" --env "GITHUB_SERVER_URL=$GITHUB" --env GITHUB_REPOSITORY=tiny/app \
      --env GITHUB_REPOSITORY_ID=1 --secret "GITHUB_TOKEN=$JOB_TOKEN"
  )
  COMMAND="act $1" STATUS=$(<"$files.status") OUT=$(<"$files.out") ERR=$(<"$files.err")
  expect_described
}

it_runs_checks_in_the_branchs_image_at_once() {
  ci_project
  make_release
  consumer
  ci_image branch latest "$(git rev-parse main)"
  push_to_fix src/hello changed
  git merge --quiet --no-edit main
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  workflow checks.yml
  expect_ok
  expect_match log "$OUT" "the checks run in image branch of $IMAGE@sha256:[0-9a-f]{64}, validated true"
  expect_equal "runs asked for" "$(state count --match '/runs')" 0
}

# checks_while_built RUN: both workflows of the newest push side by side; the build is that run of GitHub's list.
checks_while_built() {
  local waiting
  pull_request
  state pull --number 7 --head-sha "$HEAD"
  state run --id "$1" --sha "$HEAD" --workflow build-ci-image.yml --event pull_request --pull 7 --status in_progress
  rm -rf "$WORK/elsewhere"
  cp -R "$WORK/project" "$WORK/elsewhere" # the runner of another workflow
  (cd "$WORK/elsewhere" && workflow checks.yml) &
  waiting=$!
  workflow build-ci-image.yml
  expect_ok
  state run --id "$1" --status completed --conclusion success
  wait "$waiting"
  STATUS=$(<"$WORK/checks.status") OUT=$(<"$WORK/checks.out") ERR=$(<"$WORK/checks.err")
  expect_ok
  expect_match log "$OUT" "run $1 is in_progress"
}

it_waits_for_the_image_of_each_push_and_runs_in_it() {
  local first
  cd "$WORK/project"
  git checkout --quiet fix
  printf 'FROM crategate/busybox:1\nRUN echo own >/which\n' >ci.Dockerfile
  commit 'An image of its own'
  ci_image older pr-7 "$(git rev-parse main)" # by an earlier push
  github
  checks_while_built 30
  expect_match log "$OUT" "the checks run in image own of $IMAGE@$(manifest_digest "$IMAGE:pr-7"), validated true"
  expect_equal "comments" "$(state count --match '^POST /repos/.*/comments 201')" 1
  first=$(manifest_digest "$IMAGE:pr-7")
  git checkout --quiet fix
  printf 'FROM crategate/busybox:1\nRUN echo second >/which\n' >ci.Dockerfile
  commit 'A second push'
  checks_while_built 31
  expect_match log "$OUT" "the checks run in image second of $IMAGE@$(manifest_digest "$IMAGE:pr-7"), validated true"
  expect_no_match log "$OUT" "$first"
  expect_equal "comments, the second in place of the first" "$(state count --match '^PATCH /repos/.*/comments/[0-9]+ 200')" 1
}

it_runs_no_check_where_the_output_was_dropped() { # as GitHub does with one that holds a secret
  cd "$WORK/project"
  pull_request
  github
  state pull --number 7 --head-sha "$HEAD"
  state run --id 30 --sha "$HEAD" --workflow build-ci-image.yml --event pull_request --pull 7 --status completed --conclusion success
  sed -i "s|^      image: .*steps.image.outputs.image.*|      image: ''|" "$RELEASE/.github/workflows/ci-image.yml"
  expect_equal "what was replaced" "$(git -C "$RELEASE" diff --numstat | cut -f1,2)" $'1\t1'
  workflow checks.yml
  git -C "$RELEASE" checkout --quiet -- .
  ((STATUS != 0)) || fail "a failed workflow"
  expect_match log "$OUT" 'GitHub drops an output that holds a secret'
  expect_no_match log "$OUT" 'the checks run in image'
}

it_is_green_for_a_fork_in_the_branchs_image() {
  cd "$WORK/project"
  local before
  before=$(tags "$IMAGE")
  pull_request 2
  github
  state pull --number 7 --head-sha "$HEAD" --fork
  workflow build-ci-image.yml
  expect_ok
  workflow checks.yml
  expect_ok
  expect_match log "$OUT" "the checks run in image branch of $IMAGE@sha256:[0-9a-f]{64}, validated false"
  expect_match notice "$OUT" 'comes from a fork'
  expect_equal tags "$(tags "$IMAGE")" "$before"
  expect_equal "comments" "$(state count --match '^POST /repos/.*/comments 201')" 0
}

run_cases
