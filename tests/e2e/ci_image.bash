#!/usr/bin/env bash
# The CI image: real events on a real repository, and a real registry that holds images of several pushes.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
IMAGE=$TO/ci

# ci_project: a repository with a CI image, and a branch `fix` with the pull request 7.
ci_project() {
  mkdir "$WORK/project"
  cd "$WORK/project"
  git init --quiet --initial-branch=main
  git config user.name e2e
  git config user.email e2e@example.invalid
  git config advice.detachedHead false
  mkdir -p .github/workflows src
  echo 'FROM crategate/busybox:1' >ci.Dockerfile
  echo 'on: push' >.github/workflows/build-ci-image.yml
  cat >crategate.yml <<YAML
ci-image:
  image: $IMAGE
  watch: [ci.Dockerfile, .github/workflows/build-ci-image.yml]
  branches: {main: latest, v2: v2}
YAML
  commit 'First'
  git update-ref refs/remotes/origin/main HEAD
  git checkout --quiet -b fix
}

# built TAG COMMIT: an image of that commit at the tag; prints its digest.
built() {
  printf 'FROM crategate/busybox:1\nLABEL org.opencontainers.image.revision=%s\nENV TAG=%s\n' "$2" "$1" >"$WORK/Dockerfile"
  docker build --quiet --provenance=false --file "$WORK/Dockerfile" --tag "$IMAGE:$1" "$WORK/bin" >/dev/null
  docker push --quiet "$IMAGE:$1" >/dev/null
  manifest_digest "$IMAGE:$1"
}

# pull_request [HEAD-REPOSITORY]: as a runner of its newest commit, with the merge commit checked out.
pull_request() {
  HEAD=$(git rev-parse fix)
  git checkout --quiet --detach refs/remotes/origin/main
  git merge --quiet --no-ff --message merge fix
  as_runner pull_request refs/pull/7/merge "{\"action\":\"synchronize\",\"number\":7,\"pull_request\":{\"number\":7,\"head\":{\"ref\":\"fix\",\"sha\":\"$HEAD\",\"repo\":{\"id\":${1-1}}},\"base\":{\"ref\":\"main\"}},\"repository\":{\"id\":1}}"
}

# push_to_fix FILE TEXT: another commit of the pull request.
push_to_fix() {
  git checkout --quiet fix
  echo "$2" >"$1"
  commit "$2"
}

resolve() { INPUT_STAGE=resolve-image run crategate; }

it_takes_the_branchs_image_by_digest_when_nothing_changed() {
  ci_project
  local latest
  latest=$(built latest "$(git rev-parse main)")
  push_to_fix src/hello changed
  pull_request
  resolve
  expect_ok
  expect_equal image "$(output image)" "$IMAGE@$latest"
  expect_equal tag "$(output tag)" latest
  expect_equal modified "$(output modified)" false
  expect_equal validated "$(output validated)" true
  run docker pull --quiet "$(output image)"
  expect_ok
}

it_never_takes_the_image_of_an_older_push() {
  local first second
  cd "$WORK/project"
  push_to_fix ci.Dockerfile 'FROM crategate/busybox:1 AS other'
  pull_request
  resolve
  expect_ok
  expect_equal "image before the build" "$(output image)" ''
  expect_equal tag "$(output tag)" pr-7
  expect_equal modified "$(output modified)" true
  expect_match reason "$(output reason)" 'pull request 7 changes "ci.Dockerfile"'
  first=$(built pr-7 "$HEAD")
  resolve
  expect_equal "image after the build" "$(output image)" "$IMAGE@$first"
  push_to_fix src/hello 'a second push'
  pull_request
  resolve
  expect_ok
  expect_equal "image after a second push" "$(output image)" ''
  second=$(built pr-7 "$HEAD")
  resolve
  expect_equal "image of the second push" "$(output image)" "$IMAGE@$second"
  expect_no_match "image of the second push" "$second" "^$first\$"
}

it_tells_a_fork_that_its_image_is_not_tested() {
  cd "$WORK/project"
  pull_request 2
  resolve
  expect_ok
  expect_equal image "$(output image)" "$IMAGE@$(manifest_digest "$IMAGE:latest")"
  expect_equal validated "$(output validated)" false
  expect_match notice "$OUT$ERR" '::notice .*fork'
}

it_says_what_is_missing() {
  cd "$WORK/project"
  run crategate ci-image resolve --event push --ref refs/heads/v2
  expect_failure 22 not-found ':v2: expected an image, found none' 'Run the workflow that builds it'
  run crategate ci-image resolve --watch gen.Dockerfile --event pull_request --ref refs/pull/7/merge --base-ref main
  expect_failure 2 bad-input 'found none at "gen.Dockerfile"' 'Did you mean ci.Dockerfile'
  : >"$WORK/empty.yml"
  run crategate ci-image tags --config "$WORK/empty.yml" --event push --ref refs/heads/main
  expect_failure 2 bad-input 'ci-image: expected a section' 'three lines'
}

it_prints_the_tags_of_any_branch() { # A22
  local branch sha
  cd "$WORK/project"
  sha=$(git rev-parse HEAD)
  run crategate ci-image tags --event push --ref refs/heads/main --sha "$sha"
  expect_equal "tags of main" "$OUT" "$(printf 'runs in    latest\npublishes  latest\npublishes  main-sha-%s' "$sha")"
  for branch in 'feature/x' "\$(touch\${IFS}$WORK/evil)" "a\`touch $WORK/evil\`" '../../x' '🚀' '-rf' "$(printf 'x%.0s' {1..300})"; do
    run crategate ci-image tags --event push --ref "refs/heads/$branch" --sha "$sha" --json
    expect_ok
    expect_equal "tag to run in" "$(jq -r .tag <<<"$OUT")" latest
    expect_match "tag to publish" "$(jq -r '.publishes | join(" ")' <<<"$OUT")" "^[A-Za-z0-9_][A-Za-z0-9_.-]*-sha-$sha-[0-9a-f]{8}\$"
    expect_within "characters" "$(jq -r '.publishes[0] | length' <<<"$OUT")" 128
  done
  [[ ! -e $WORK/evil ]] || fail "nothing was run"
}

run_cases
