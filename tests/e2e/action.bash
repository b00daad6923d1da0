#!/usr/bin/env bash
# The shipped reusable workflow and the shipped action, unmodified, on an independent runner: a project's repository whose
# workflow only says `uses: crategate/crategate/.github/workflows/image-pipeline.yml@v1`. What the registry holds and which
# builds ran is asked of the registry's access log, of skopeo and of the processes of this machine.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
# shellcheck source=tests/e2e/act_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/act_fixture.bash"
CLIENT=${CRATEGATE_OFFICIAL_CLIENT:?the folder with official.mjs and its modules}
NODE=$TOKEN/node:1
own_registry workflow
TO=$OWN/$TOKEN
TINY=("$TO/tiny/app-cpu-py3.11" "$TO/tiny/app-cuda-py3.11")

# example_project DIR: the example, whose workflow names this registry.
example_project() {
  mkdir "$1"
  cp -R "$REPO/examples/opencrate-mini/." "$1"
  cd "$1"
  for_this_registry
  printf '%s\n' .crategate/ tests/logs/ __pycache__/ 'official*' >.gitignore
  git init --quiet --initial-branch=main
  git config user.name e2e
  git config user.email e2e@example.invalid
  commit 'First release'
  echo text >NOTES
  commit 'Notes'
  git tag v1.2.3
}

# two_cells DIR: a tiny project with the example's workflow.
two_cells() {
  tiny_project "$1"
  mkdir -p .github/workflows
  cp "$REPO/examples/opencrate-mini/.github/workflows/images.yml" .github/workflows/
  for_this_registry
  echo 3.11 >PYTHON_VERSIONS
  echo 'official*' >>.gitignore
  commit 'Two cells'
  git tag --force v1.2.3 >/dev/null
}

for_this_registry() {
  sed -i "s|^    secrets:|    with: {to: $TO, insecure-registries: $OWN}\n&|" .github/workflows/images.yml
}

# under_runner EVENT [ARGUMENT...]: the whole workflow. ARTIFACTS is the store of the run, a new one when it is empty.
under_runner() {
  local name=$1 sampler
  shift
  ARTIFACTS=${ARTIFACTS:-$(mktemp -d "$WORK/artifacts.XXXXXX")}
  : >"$WORK/builds"
  sample_builds &
  sampler=$!
  rm -rf .crategate
  forget_requests
  act "$name" --eventpath "$WORK/$name.json" --workflows .github/workflows/images.yml \
    --local-repository "crategate/crategate@v1=$RELEASE" --container-daemon-socket "${DOCKER_HOST#unix://}" "$@"
  ERR+=$(grep -E '[|] +(crategate: [0-9]+ |→)' <<<"$OUT" || true)
  kill "$sampler" 2>/dev/null || true
  wait "$sampler" 2>/dev/null || true
}

# The command line of every `buildx build` that runs meanwhile, as the kernel knows it, each once.
sample_builds() {
  local file
  while true; do
    for file in /proc/[0-9]*/cmdline; do
      { tr '\0' ' ' <"$file"; echo; } 2>/dev/null
    done | grep -E '^[^ ]*buildx .*--platform=' | grep -F -- "$TO/" >>"$WORK/builds" || true
    sleep 0.05
  done
}
builds() { sort -u "$WORK/builds"; }

expect_jobs() { # succeeded|failed JOB...
  local outcome=$1 job
  shift
  for job in "$@"; do
    grep -qE "^\[images/[^]]*/$job *\].* Job $outcome" <<<"$OUT" || fail "job $job $outcome"
  done
}

expect_tags() { # TAGS
  local image
  for image in "${TINY[@]}"; do expect_equal "tags of $image" "$(tags "$image")" "$1"; done
}

label() { skopeo inspect --tls-verify=false --config "docker://$1" | jq -r --arg name "$2" '.config.Labels[$name]'; }

tag_push() {
  event push "$(jq -nc --arg sha "$(git rev-parse HEAD)" '{ref: "refs/tags/v1.2.3", after: $sha, deleted: false,
    repository: {default_branch: "main", full_name: "tiny/app"}}')"
}

# From a fork, checked out as the merge that GitHub makes of it.
pull_request() {
  local head
  head=$(git rev-parse HEAD)
  git switch --quiet --detach main
  git merge --quiet --no-ff --message merged "$head"
  event pull_request "$(jq -nc --arg head "$head" --arg base "$(git rev-parse main)" '{action: "synchronize", number: 7,
    pull_request: {number: 7, base: {ref: "main", sha: $base}, head: {ref: "topic", sha: $head, repo: {id: 2, full_name: "someone/fork"}}},
    repository: {id: 1, default_branch: "main", full_name: "tiny/app"}}')"
}

by_hand() { # REBUILD_BASE publish
  event workflow_dispatch "$(jq -nc --arg rebuild "$1" --arg publish "$2" '{ref: "refs/heads/main",
    inputs: {REBUILD_BASE: $rebuild, publish: $publish}, repository: {default_branch: "main", full_name: "tiny/app"}}')"
  under_runner workflow_dispatch --input "REBUILD_BASE=$1" --input "publish=$2"
  ARTIFACTS=
  expect_ok
}

# Another run over the same artifacts: each `digest-…` and `test-logs-…` into a folder official-NAME, by the official client.
official_downloads() {
  local name
  rm -rf official*
  cp -r "$CLIENT" official
  mkdir -p "$WORK/workflows"
  {
    printf 'on: push\njobs:\n  all:\n    runs-on: ubuntu-latest\n    steps:\n'
    for name in "$ARTIFACTS"/1/*; do
      name=$(basename "$name")
      [[ $name == digest-* || $name == test-logs-* ]] || continue
      printf '      - uses: docker://%s\n        env: {CLIENT: artifact-without-type, GITHUB_SERVER_URL: https://github.com}\n' "$NODE"
      printf '        with: {entrypoint: /usr/bin/node, args: official/official.mjs download %s official-%s}\n' "$name" "$name"
    done
  } >"$WORK/workflows/official.yml"
  act push --workflows "$WORK/workflows/official.yml" --bind --container-daemon-socket -
  expect_ok
}


it_publishes_a_tag_push() {
  local image
  example_project "$WORK/example"
  tag_push
  under_runner push
  echo "$ARTIFACTS" >"$WORK/released"
  expect_ok
  expect_jobs succeeded plan static-checks generate-dockerfiles build-and-push-images release-latest report result
  for image in "${CELLS[@]/#/$TO/opencrate/opencrate-mini-}"; do
    expect_equal "tags of $image" "$(tags "$image")" 'latest v1.2.3'
    expect_equal "latest of $image" "$(manifest_digest "$image:latest")" "$(manifest_digest "$image:v1.2.3")"
    expect_match "label" "$(label "$image:v1.2.3" io.crategate.trigger)" '^release$'
  done
  expect_equal "builds" "$(builds | wc -l)" 4
  expect_no_match "builds" "$(builds)" '--no-cache|--pull|--push'
  expect_match "builds" "$(builds)" '--cache-from=type=registry'
}

it_hands_on_what_the_official_client_downloads() {
  local cell
  ARTIFACTS=$(<"$WORK/released")
  with_node "$WORK/root"
  image_of "$WORK/root" "$NODE"
  cd "$WORK/example"
  official_downloads
  for cell in "${CELLS[@]}"; do
    expect_equal "record of $cell" "$(jq -r .manifest_digest "official-digest-$cell/record.json")" \
      "$(manifest_digest "$TO/opencrate/opencrate-mini-$cell:v1.2.3")"
    expect_equal "digest-$cell.txt" "$(<"official-digest-$cell/digest-$cell.txt")" \
      "$(docker inspect --format='{{.RootFS.Layers}}' "$TO/opencrate/opencrate-mini-$cell:v1.2.3" | sha256sum | cut -d' ' -f1)"
    expect_match "log of $cell" "$(cat official-test-logs-"$cell"/*.log)" 'Ran [0-9]+ tests'
  done
}

it_has_nothing_to_do_when_a_tag_is_deleted() {
  cd "$WORK/tiny"
  event push '{"ref": "refs/tags/v1.2.3", "after": "0000000000000000000000000000000000000000", "deleted": true,
    "repository": {"default_branch": "main", "full_name": "tiny/app"}}'
  under_runner push
  expect_ok
  expect_jobs succeeded plan result
  expect_match "log" "$OUT" 'was deleted: nothing to build'
  expect_equal "requests to the registry" "$(requests)" 0
}

it_publishes_nothing_for_a_pull_request() { # A83: from a fork
  cd "$WORK/tiny"
  git switch --quiet --create topic
  echo more >>src/hello
  commit 'A change'
  pull_request
  under_runner pull_request
  expect_ok
  expect_jobs succeeded plan generate-dockerfiles report result
  expect_equal "builds" "$(builds | wc -l)" 2
  expect_no_match "builds" "$(builds)" '--cache|--push'
  expect_match "builds" "$(builds)" '--pull --no-cache'
  expect_equal "requests to the registry" "$(requests)" 0
}

it_skips_a_pull_request_that_changes_no_watched_path() {
  cd "$WORK/tiny"
  git switch --quiet --force-create docs main
  echo more >>README
  commit 'Text only'
  pull_request
  under_runner pull_request
  expect_ok
  expect_jobs succeeded plan result
  expect_match "log" "$OUT" 'no watched path changed'
  expect_equal "builds" "$(builds)" ''
  expect_equal "requests to the registry" "$(requests)" 0
}

# The tests of one cell fail while an ignored file is there, which is no input of the images. Here the jobs share the
# project's directory; elsewhere each has a volume of its own, and the files that are not ignored.
it_publishes_nothing_when_one_cell_fails() {
  cd "$WORK/tiny"
  git switch --quiet main
  # shellcheck disable=SC2016  # for the container's shell
  printf '%s\n' 'echo "Ran 3 tests in 0.1s"' '[ "$DEVICE" = -1 ] || [ ! -e /work/tests/ignored-flag ] || { echo "one broke"; exit 3; }' >tests/run.sh
  commit 'A test that fails now and then'
  git tag --force v1.2.3 >/dev/null
  touch tests/ignored-flag
  tag_push
  under_runner push --bind
  echo "$ARTIFACTS" >"$WORK/failed"
  ((STATUS != 0)) || fail "a failure"
  expect_jobs failed result
  expect_jobs succeeded report
  expect_no_tags "${TINY[@]}"
  official_downloads
  expect_match "log of the cell that failed" "$(cat official-test-logs-cuda-py3.11/*.log)" 'one broke'
  rm tests/ignored-flag
}

it_publishes_when_the_run_is_repeated() {
  cd "$WORK/tiny"
  ARTIFACTS=$(<"$WORK/failed")
  under_runner push --bind --env GITHUB_RUN_ATTEMPT=2
  expect_ok
  expect_tags 'latest v1.2.3'
}

it_follows_the_policy_on_a_schedule_and_by_hand() {
  cd "$WORK/tiny"
  event schedule '{"schedule": "0 3 * * 0", "repository": {"default_branch": "main"}}'
  under_runner schedule
  ARTIFACTS=
  expect_ok
  expect_match "builds" "$(builds)" '--pull --no-cache .*--cache-to=type=registry'
  expect_no_match "builds" "$(builds)" '--cache-from'
  expect_equal "trigger" "$(label "${TINY[0]}:v1.2.3" io.crategate.trigger)" schedule
  by_hand true true
  expect_match "builds" "$(builds)" '--pull --no-cache .*--cache-to=type=registry'
  expect_no_match "builds" "$(builds)" '--cache-from'
  by_hand false true
  expect_match "builds" "$(builds)" '--cache-from=type=registry'
  expect_no_match "builds" "$(builds)" '--pull|--no-cache'
  expect_equal "trigger" "$(label "${TINY[0]}:v1.2.3" io.crategate.trigger)" manual
}

it_tests_by_hand_without_publishing() {
  cd "$WORK/tiny"
  echo changed >>src/hello
  commit 'Another'
  local before
  before=$(manifest_digest "${TINY[0]}:v1.2.3")
  by_hand true false
  expect_match "builds" "$(builds)" '--pull --no-cache'
  expect_no_match "builds" "$(builds)" '--cache'
  expect_equal "writes" "$(writes)" 0
  expect_equal "the tag" "$(manifest_digest "${TINY[0]}:v1.2.3")" "$before"
}

make_release
two_cells "$WORK/tiny"
run_cases
