#!/usr/bin/env bash
# Tags of pull requests that were closed: in a real registry, which deletes by digest only, and in a package of GitHub's.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"

# pulls: 7 and 12 were closed, 9 is open, nobody knows 8.
pulls() {
  github
  state pull --number 7 --state closed
  state pull --number 12 --merged
  state pull --number 9
}

# also TAG OTHER: another name for the image of a tag.
also() { skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "docker://$IMAGE:$1" "docker://$IMAGE:$2"; }

# prune [OPTION...]: as a person with a token.
prune() {
  local -x GITHUB_API_URL=$GITHUB GITHUB_SERVER_URL=$GITHUB GITHUB_REPOSITORY=tiny/app
  run env JOB_TOKEN="$JOB_TOKEN" crategate ci-image prune --github-token env:JOB_TOKEN "$@"
  expect_described
}

versions() { jq -r 'map(.tags | join(",")) | join(" ")' "$WORK/github/packages.json"; }
row() { printf '%-14s%s:%s' "$1" "$IMAGE" "$2"; }

it_removes_tags_of_a_registry_and_nothing_else_that_they_name() {
  ci_project
  pulls
  local tag latest
  for tag in latest pr-7 pr-8 pr-9 pr-12; do built "$tag" "$(git rev-parse HEAD)" >/dev/null; done
  also latest pr-7 # as after a merge that changed nothing
  latest=$(manifest_digest "$IMAGE:latest")
  local would
  would=$(printf '%s\n' 'asked         tiny/app' "$(row 'would remove' pr-7)" "$(row 'would remove' pr-12)" "$(row open pr-9)" "$(row unknown pr-8)")
  prune
  expect_ok
  expect_equal "listed" "$OUT" "$would"
  expect_match "how" "$ERR" 'nothing was removed: --yes'
  prune --yes --dry-run
  expect_equal "a dry run" "$OUT" "$would"
  expect_equal "all are there" "$(tags "$IMAGE")" 'latest pr-12 pr-7 pr-8 pr-9'
  prune --yes
  expect_ok
  expect_match "removed" "$OUT" "removed +$IMAGE:pr-7.*removed +$IMAGE:pr-12"
  expect_equal "left" "$(tags "$IMAGE")" 'latest pr-8 pr-9'
  expect_equal latest "$(manifest_digest "$IMAGE:latest")" "$latest"
  expect_equal "no package was asked for" "$(state count --match packages)" 0
  prune --yes --json
  expect_equal "again" "$(jq -cS . <<<"$OUT")" '{"kept":[],"open":["pr-9"],"removed":[],"repository":"tiny/app","unknown":["pr-8"]}'
}

it_says_once_that_github_may_hide_all_pull_requests() {
  cd "$WORK/project"
  pulls
  state token --token "$JOB_TOKEN" --denial 404
  state permission --token "$JOB_TOKEN" --name pull-requests --level none
  prune --yes
  expect_ok
  expect_equal "left" "$(tags "$IMAGE")" 'latest pr-8 pr-9'
  expect_equal "warnings" "$(grep -c 'GitHub knows none of these pull requests: .*permissions: pull-requests: read' <<<"$ERR")" 1
}

it_takes_a_tag_from_a_registry_that_deletes_by_digest_only() {
  cd "$WORK/project"
  also pr-9 one
  also pr-9 two
  run crategate registry untag "$IMAGE:one"
  expect_ok
  expect_equal "left" "$(tags "$IMAGE")" 'latest pr-8 pr-9 two'
  expect_equal "the image" "$(manifest_digest "$IMAGE:two")" "$(manifest_digest "$IMAGE:pr-9")"
}

# package: GitHub's, with what a registry has after some pull requests; version 4 was merged by fast-forward.
package() {
  IMAGE=ghcr.io/tiny/app/ci
  sed -i "s|^  image: .*|  image: $IMAGE|" crategate.yml
  pulls
  state user --login tiny "$@"
  local version=1 tag
  for tag in latest pr-8 pr-9 'pr-7 main-sha-1' pr-12 ''; do
    # shellcheck disable=SC2086  # several tags
    state package --owner tiny --name app/ci --id $((version++)) --tag $tag
  done
}

it_deletes_versions_of_a_package_that_have_no_other_tag() {
  cd "$WORK/project"
  local owner
  for owner in '' --organisation; do
    # shellcheck disable=SC2086  # one option or none
    package $owner
    prune
    expect_ok
    expect_match "listed" "$OUT" "would remove +$IMAGE:pr-12"
    expect_match "kept" "$OUT" "kept +$IMAGE:pr-7 +.the same image is main-sha-1."
    prune --yes --dry-run
    expect_equal "asked only" "$(state count --match '^DELETE')" 0
    prune --yes --json
    expect_ok
    expect_equal "what happened" "$(jq -cS . <<<"$OUT")" \
      '{"kept":[{"reason":"the same image is main-sha-1","tag":"pr-7"}],"open":["pr-9"],"removed":["pr-12"],"repository":"tiny/app","unknown":["pr-8"]}'
    expect_equal "left" "$(versions)" 'latest pr-8 pr-9 pr-7,main-sha-1 '
  done
}

it_keeps_a_version_that_gets_another_tag_meanwhile() {
  cd "$WORK/project"
  package --organisation
  state when --match 'pulls/12' package --owner tiny --name app/ci --id 5 --tag latest
  prune --yes
  expect_ok
  expect_match "kept" "$OUT" "kept +$IMAGE:pr-12 +.the same image is latest."
  expect_equal "left" "$(versions)" ' pr-8 pr-9 pr-7,main-sha-1 pr-12,latest '
}

it_says_what_is_missing_and_what_was_removed_before() {
  cd "$WORK/project"
  package --organisation
  state package --owner tiny --name app/ci --role write
  prune --yes
  expect_failure 22 not-found 'cannot delete version 5 .*; no tag was removed' 'packages: write.*role Admin .*tiny/app/ci, .*Manage Actions access'
  state permission --token "$JOB_TOKEN" --name packages --level none
  prune
  expect_failure 21 forbidden 'cannot list the versions' 'packages: read.*Manage Actions access'
  package --organisation
  state package --owner tiny --name app/ci --id 7 --tag pr-11
  state pull --number 11 --state closed
  state fail --status 403 --match 'DELETE.*/5'
  prune --yes
  expect_failure 21 forbidden 'removed before: pr-11' 'packages: write'
  expect_equal "left" "$(versions)" 'latest pr-8 pr-9 pr-7,main-sha-1 pr-12 '
}

run_cases
