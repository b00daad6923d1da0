#!/usr/bin/env bash
# The CI image: real events on a real repository, and a real registry that holds images of several pushes.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"

OTHER_TOKEN=ghs_other_$TOKEN
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

it_prints_the_comment_that_it_would_write() { # C-7
  cd "$WORK/project"
  pull_request
  run crategate ci-image comment --dry-run
  expect_ok
  expect_match "marker" "$OUT" "<!-- crategate:ci-image $IMAGE -->"
  expect_match "image" "$OUT" "### CI image .$IMAGE:pr-7."
  expect_match "commit" "$OUT" "$HEAD"
  expect_match "size" "$OUT" "to download for .linux/amd64., .*$IMAGE:latest. of branch .main."
  run bash -c "$(grep '^docker pull' <<<"$OUT")"
  expect_ok
  push_to_fix src/hello 'a third push'
  pull_request
  INPUT_STAGE=comment run crategate
  expect_failure 22 not-found "expected one of commit $HEAD" 'the one that builds'
}

it_tells_a_fork_that_its_image_is_not_tested() {
  cd "$WORK/project"
  pull_request 2
  resolve
  expect_ok
  expect_equal image "$(output image)" "$IMAGE@$(manifest_digest "$IMAGE:latest")"
  expect_equal validated "$(output validated)" false
  expect_match notice "$OUT$ERR" '::notice .*fork'
  INPUT_STAGE=comment run crategate
  expect_ok
  expect_match log "$OUT$ERR" 'comes from a fork'
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

# shallow_checkout: pull request 7 as actions/checkout leaves it: the merge commit alone, of a remote that wants a login.
shallow_checkout() {
  local bare=$WORK/server/tiny/app.git
  rm -rf "$bare" "$WORK/shallow"
  git clone --quiet --bare "file://$WORK/project" "$bare" 2>/dev/null
  git -C "$bare" config uploadpack.allowAnySHA1InWant true # as GitHub does
  git init --quiet "$WORK/shallow"
  cd "$WORK/shallow"
  git fetch --quiet --depth=1 "file://$bare" "$(git -C "$WORK/project" rev-parse HEAD)"
  git checkout --quiet --detach FETCH_HEAD
  git remote add origin "$(git_address)/tiny/app.git"
  as_runner pull_request refs/pull/7/merge "$(<"$GITHUB_EVENT_PATH")"
}

it_asks_the_remote_of_a_shallow_clone() {
  local before
  cd "$WORK/project"
  git checkout --quiet --force -B fix refs/remotes/origin/main
  for _ in {1..60}; do git commit --quiet --allow-empty --message 'one of many'; done
  mkdir -p src
  push_to_fix src/hello 'changed again'
  pull_request
  git_server
  shallow_checkout
  github
  before=$(git rev-parse HEAD && git status --porcelain && find .git -type f -exec sha256sum {} + | sort)
  SSL_CERT_FILE=$WORK/server/certificate.pem ask_github resolve-image GITHUB_SERVER_URL="$(git_address)"
  expect_ok
  expect_equal modified "$(output modified)" false
  expect_equal "requests to GitHub" "$(state count)" 0
  expect_equal "the clone" "$(git rev-parse HEAD && git status --porcelain && find .git -type f -exec sha256sum {} + | sort)" "$before"
  state pull --number 7 --head-sha "$HEAD" + file add --number 7 --name ci.Dockerfile \
    + token --token "$OTHER_TOKEN" --only pull-requests=read
  SSL_CERT_FILE=$WORK/server/certificate.pem ask_github resolve-image "INPUT_GITHUB-TOKEN=$OTHER_TOKEN" # without contents: read
  expect_ok
  expect_equal "modified, by GitHub's list" "$(output modified)" true
  expect_match requests "$(jq -r .path "$WORK/github/requests.log")" '/pulls/7/files'
  state permission --token "$OTHER_TOKEN" --name pull-requests --level none
  SSL_CERT_FILE=$WORK/server/certificate.pem ask_github resolve-image "INPUT_GITHUB-TOKEN=$OTHER_TOKEN"
  expect_ok
  expect_equal "modified, as far as anybody can tell" "$(output modified)" true
  expect_match reason "$(output reason)" 'permissions: contents: read.*permissions: pull-requests: read'
  cd "$WORK/project"
  push_to_fix ci.Dockerfile 'FROM crategate/busybox:1 AS other-again'
  pull_request
  shallow_checkout
  SSL_CERT_FILE=$WORK/server/certificate.pem ask_github resolve-image GITHUB_SERVER_URL="$(git_address)"
  expect_ok
  expect_equal modified "$(output modified)" true
  expect_match reason "$(output reason)" 'pull request 7 changes "ci.Dockerfile"'
}

run_cases
