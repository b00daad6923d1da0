#!/usr/bin/env bash
# The CI image built by events of a real repository, and what a person does with it on a machine.
# shellcheck source=tests/e2e/lib.bash
# shellcheck disable=SC2119  # pull_request without an argument is one of the repository itself
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"
REVISION=org.opencontainers.image.revision

# ci_project: a repository whose checks run in an image of its own, and the branch `fix` of pull request 7.
ci_project() {
  mkdir "$WORK/project"
  cd "$WORK/project"
  git init --quiet --initial-branch=main
  git config user.name e2e
  git config user.email e2e@example.invalid
  git config advice.detachedHead false
  dockerfile first
  cat >crategate.yml <<YAML
ci-image:
  image: $IMAGE
  dockerfile: ci.Dockerfile
  watch: [ci.Dockerfile]
  branches: {main: latest}
  generate: [sh, -c, 'mkdir -p generated && cp /version generated/version && touch "\$HOME/ok"']
YAML
  echo .crategate/ >.gitignore
  commit 'First'
  git update-ref refs/remotes/origin/main HEAD
  git checkout --quiet -b fix
}

# dockerfile VERSION: the CI image's.  /random differs from build to build, unless a cache has it.
dockerfile() {
  cat >ci.Dockerfile <<DOCKERFILE
FROM crategate/busybox:1
RUN echo $TOKEN && head -c 16 /dev/urandom >/random && mkdir -p -m 1777 /tmp
RUN echo $1 >/version
DOCKERFILE
}

push_event() { # BRANCH: as a runner of a push of HEAD to it
  as_runner push "refs/heads/$1" '{"repository":{"id":1}}'
}

push_to_fix() { # VERSION
  git checkout --quiet fix
  dockerfile "$1"
  commit "$1"
}

build() { INPUT_STAGE=build-ci-image run crategate; }

label() { skopeo inspect --tls-verify=false --config "docker://$IMAGE@$1" | jq -r ".config.Labels[\"$2\"]"; }
# cache_digest: of the build cache, which skopeo takes for no image.
cache_digest() { skopeo inspect --tls-verify=false --raw "docker://$IMAGE:buildcache" | sha256sum; }
# layer DIGEST: the one with /random.
layer() { skopeo inspect --tls-verify=false --config "docker://$IMAGE@$1" | jq -r '.rootfs.diff_ids[-2]'; }
here() { (for name in $(compgen -e | grep -E '^(GITHUB|INPUT)_'); do unset "$name"; done && "$@"); }

it_publishes_the_tags_of_a_push_and_nothing_else() {
  ci_project
  git checkout --quiet main
  push_event main
  build
  expect_ok
  local sha digest
  sha=$(git rev-parse HEAD)
  digest=$(manifest_digest "$IMAGE:latest")
  expect_equal "tags" "$(tags "$IMAGE")" "buildcache latest main-sha-$sha"
  expect_equal image "$(output image)" "$IMAGE@$digest"
  expect_equal tag "$(output tag)" latest
  expect_equal digest "$(output digest)" "$digest"
  expect_equal "the commit's tag" "$(manifest_digest "$IMAGE:main-sha-$sha")" "$digest"
  expect_equal revision "$(label "$digest" $REVISION)" "$sha"
  expect_equal source "$(label "$digest" org.opencontainers.image.source)" https://github.example/tiny/app
  [[ ! -e .crategate/ci-image/layout ]] || fail "no layout is left"
}

it_builds_the_image_of_a_pull_request_that_resolve_then_names() {
  cd "$WORK/project"
  local before cache first
  before=$(manifest_digest "$IMAGE:latest")
  cache=$(cache_digest)
  push_to_fix second
  pull_request
  build
  expect_ok
  first=$(output image)
  expect_equal image "$first" "$IMAGE@$(manifest_digest "$IMAGE:pr-7")"
  expect_equal revision "$(label "${first#*@}" $REVISION)" "$HEAD"
  expect_equal "latest stays" "$(manifest_digest "$IMAGE:latest")" "$before"
  expect_equal "the branches' cache stays" "$(cache_digest)" "$cache" # A84
  expect_equal "layers from the cache" "$(layer "${first#*@}")" "$(layer "$before")"
  INPUT_STAGE=resolve-image run crategate
  expect_ok
  expect_equal "what the checks run in" "$(output image)" "$first"
  push_to_fix third
  pull_request
  INPUT_STAGE=resolve-image run crategate
  expect_equal "after a second push" "$(output image)" ''
}

it_builds_for_a_fork_and_pushes_nothing() {
  cd "$WORK/project"
  local before
  before="$(tags "$IMAGE") $(manifest_digest "$IMAGE:pr-7") $(cache_digest)"
  pull_request 2
  build
  expect_ok
  expect_equal image "$(output image)" ''
  expect_equal tag "$(output tag)" ''
  expect_match notice "$OUT$ERR" '::notice .*fork'
  run docker run --rm --entrypoint cat "$IMAGE:local" /version
  expect_equal "what was built" "$OUT" third
  expect_equal registry "$(tags "$IMAGE") $(manifest_digest "$IMAGE:pr-7") $(cache_digest)" "$before"
}

it_builds_anew_when_a_person_asks_for_it() {
  cd "$WORK/project"
  git checkout --quiet --detach main
  local before cache digest
  before=$(manifest_digest "$IMAGE:latest") cache=$(cache_digest)
  as_runner workflow_dispatch refs/heads/main '{"inputs":{"force_rebuild":"true"},"repository":{"id":1}}'
  build
  expect_ok
  digest=$(output digest)
  expect_equal latest "$(manifest_digest "$IMAGE:latest")" "$digest"
  expect_no_match "a layer made anew" "$(layer "$digest")" "^$(layer "$before")\$"
  expect_no_match "the cache was written" "$(cache_digest)" "^$cache\$"
  as_runner schedule refs/heads/main '{"repository":{"id":1}}'
  build
  expect_ok
  expect_equal "image of a schedule" "$(output image)" ''
}

it_gives_a_branch_of_any_name_a_tag_of_its_own() { # A22
  cd "$WORK/project"
  local branch sha
  sha=$(git rev-parse HEAD)
  for branch in "\$(touch\${IFS}$WORK/evil)" '-rf/../🚀'; do
    push_event "$branch"
    build
    expect_ok
    expect_match tag "$(output tag)" "^[A-Za-z0-9_][A-Za-z0-9_.-]*-sha-$sha-[0-9a-f]{8}\$"
    expect_equal "by its tag" "$(manifest_digest "$IMAGE:$(output tag)")" "$(output digest)"
  done
  [[ ! -e $WORK/evil ]] || fail "nothing was run"
}

it_publishes_one_index_for_several_platforms() {
  cd "$WORK/project"
  push_event feature
  run env INPUT_CI-IMAGE-PLATFORMS=linux/amd64,linux/arm64 INPUT_STAGE=build-ci-image crategate
  expect_ok
  run skopeo inspect --tls-verify=false --raw "docker://$(output image)"
  expect_equal platforms "$(jq -r '[.manifests[].platform.architecture] | sort | join(" ")' <<<"$OUT")" 'amd64 arm64'
}

it_tags_nothing_when_the_build_fails_or_another_commit_is_checked_out() {
  cd "$WORK/project"
  local before event
  before=$(manifest_digest "$IMAGE:pr-7")
  push_to_fix 'x && echo why && false'
  pull_request
  build
  expect_failure 40 engine '^crategate: 40 engine: ci.Dockerfile:3: .*exit code: 1; last line: "why"; log: .crategate/logs/ci-image-build.log$' \
    '^→ Correct ci.Dockerfile:3, then: crategate ci-image build$'
  git checkout --quiet --detach main
  event=("GITHUB_ACTIONS=true" crategate ci-image build --event pull_request --ref refs/pull/7/merge --payload "$GITHUB_EVENT_PATH")
  build
  expect_failure 2 bad-input 'to be checked out' 'Check out without'
  run here env "${event[@]}" # of this event nobody says which commit it runs for
  expect_failure 2 bad-input "expected the event's commit $HEAD to be checked out" 'Check out without'
  expect_equal pr-7 "$(manifest_digest "$IMAGE:pr-7")" "$before"
}

it_labels_what_is_checked_out_where_the_event_names_no_commit() {
  cd "$WORK/project"
  local sha
  git checkout --quiet main
  sha=$(git rev-parse HEAD)
  run here env GITHUB_ACTIONS=true crategate ci-image build --event push --ref refs/heads/unnamed
  expect_ok
  expect_equal revision "$(label "$(manifest_digest "$IMAGE:unnamed-sha-$sha")" $REVISION)" "$sha"
  run here env GITHUB_ACTIONS=true GITHUB_SHA="$(git rev-parse fix)" crategate ci-image build --event push --ref refs/heads/unnamed
  expect_failure 2 bad-input "expected the event's commit $(git rev-parse fix)" .
}

it_says_in_a_dry_run_what_it_writes_and_in_which_order() {
  cd "$WORK/project"
  push_event main
  run env -u GITHUB_SERVER_URL INPUT_DRY-RUN=true INPUT_STAGE=build-ci-image crategate
  expect_ok
  expect_equal writes "$(grep ^PUT <<<"$OUT")" "PUT $IMAGE:main-sha-$GITHUB_SHA"$'\n'"PUT $IMAGE:latest"
  expect_no_match "label of a place that nobody has named" "$OUT" 'image.source'
}

# sample: the first one of docs/ci-image.md, with this registry in place of ghcr.io, and this BuildKit in place of the one of Docker Hub.
sample() { # BUILDER
  awk '/^```yaml$/ {inside = 1; next} /^```$/ {if (inside) exit} inside' "$REPO/docs/ci-image.md" |
    sed "s|ghcr.io/owner/repository/ci|$IMAGE|; s|moby/buildkit:buildx-stable-1|$1|"
}

it_builds_what_the_documentation_shows_first() {
  local store builder=none
  docker tag crategate/busybox:1 "$TO/busybox:1"
  docker push --quiet "$TO/busybox:1" >/dev/null
  mkdir -p "$WORK/sample/.github/workflows"
  cd "$WORK/sample"
  git init --quiet --initial-branch=main
  git config user.name e2e
  git config user.email e2e@example.invalid
  printf 'FROM %s\nRUN echo made >/made\n' "$TO/busybox:1" >ci.Dockerfile
  echo 'on: push' >.github/workflows/build-ci-image.yml
  for store in containerd classic; do
    use_store $store
    IMAGE=$TO/sample-$store
    [[ $store == containerd ]] || builder=$("$REPO/tools/engine" builder-image --store classic 2>/dev/null)
    sample "$builder" >crategate.yml
    commit $store
    run here crategate ci-image build
    expect_ok
    expect_equal "on this machine" "$OUT" "$IMAGE:local"
    push_event main
    build
    expect_ok
    expect_equal "tags on $store" "$(tags "$IMAGE")" "buildcache latest main-sha-$GITHUB_SHA"
    INPUT_STAGE=resolve-image run crategate
    expect_equal "what the checks run in" "$(output image)" "$IMAGE@$(manifest_digest "$IMAGE:latest")"
  done
}

it_hands_a_forks_image_to_another_job() { # C-9
  cd "$WORK/project"
  mkfifo "$WORK/service-input"
  "${CRATEGATE_ARTIFACT_SERVICE:?the program of the artifact service}" R1 build checks \
    <"$WORK/service-input" >"$WORK/service" 2>/dev/null &
  echo $! >>"$WORK/started"
  exec 9>"$WORK/service-input"
  wait_until 10 grep -E '^checks=.' "$WORK/service"
  ACTIONS_RESULTS_URL=$(sed -n 's/^ACTIONS_RESULTS_URL=//p' "$WORK/service")
  ACTIONS_RUNTIME_TOKEN=$(sed -n 's/^build=//p' "$WORK/service")
  export ACTIONS_RESULTS_URL ACTIONS_RUNTIME_TOKEN
  local before
  before=$(tags "$IMAGE")
  push_to_fix stranger
  pull_request 2
  run env INPUT_CI-IMAGE-FORK-IMAGE=artifact INPUT_STAGE=build-ci-image crategate
  expect_ok
  ACTIONS_RUNTIME_TOKEN=$(sed -n 's/^checks=//p' "$WORK/service")
  run crategate artifact download ci-image --path "$WORK/from-fork"
  expect_ok
  run env "INPUT_ARTIFACT-PATH=$WORK/from-fork" INPUT_STAGE=load-ci-image crategate
  expect_ok
  expect_equal image "$(output image)" "$IMAGE:fork"
  run docker run --rm --entrypoint cat "$IMAGE:fork" /version
  expect_equal "what it is" "$OUT" stranger
  expect_equal registry "$(tags "$IMAGE")" "$before"
}

it_loads_what_a_fork_has_built_and_believes_no_name() {
  cd "$WORK/project"
  git checkout --quiet fix
  local form digest busybox layer
  busybox=$(docker image inspect --format '{{.Id}}' crategate/busybox:1)
  dockerfile forked
  for form in tar=false tar=true; do
    rm -rf "$WORK/artifact"
    run docker buildx build --quiet --provenance=false --file ci.Dockerfile --metadata-file "$WORK/metadata" \
      --output "type=oci,$form,name=crategate/busybox:1,dest=$WORK/artifact" .
    expect_ok
    digest=$(jq -r '."containerimage.digest"' "$WORK/metadata")
    run crategate ci-image load "$WORK/artifact"
    expect_ok
    expect_equal "loaded" "$OUT" "$IMAGE:fork  $digest"
    run docker run --rm --entrypoint cat "$IMAGE:fork" /version
    expect_equal "what it is" "$OUT" forked
    docker image rm "$IMAGE:fork" >/dev/null
  done
  expect_equal "another image's name" "$(docker image inspect --format '{{.Id}}' crategate/busybox:1)" "$busybox"
  run crategate ci-image load "$WORK"
  expect_failure 22 not-found 'found no file oci-layout' 'the artifact'
  head -c 4000 "$WORK/artifact" >"$WORK/cut"
  : >"$WORK/empty"
  for form in cut empty; do
    run crategate ci-image load "$WORK/$form"
    expect_failure 25 integrity "$form" 'download the artifact ci-image again'
  done
  mkdir "$WORK/layout"
  tar -C "$WORK/layout" -xf "$WORK/artifact"
  layer=$WORK/layout/blobs/sha256/$(jq -r '.layers[-1].digest[7:]' "$WORK/layout/blobs/sha256/${digest#*:}")
  echo more >>"$layer"
  run crategate ci-image load "$WORK/layout"
  expect_failure 25 integrity "$(basename "$layer")" 'download the artifact ci-image again'
  rm "$layer"
  run crategate ci-image load "$WORK/layout"
  expect_failure 25 integrity "$(basename "$layer").*found none" 'download the artifact ci-image again'
  run docker image inspect "$IMAGE:fork"
  ((STATUS != 0)) || fail "nothing was loaded"
  git checkout --quiet --force fix
}

# world: files, images and tags that a command could leave, and what was written to GitHub.
world() {
  find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha256sum
  images_of_ours
  tags "$IMAGE"
  state count --match '^(POST|PATCH|PUT|DELETE) '
}

# commands: of the group, whichever there are.
commands() { crategate ci-image --help | sed -n 's/^  ci-image \([a-z]*\).*/\1/p'; }

# expect_line REGEX: of the output.
expect_line() { grep --quiet --extended-regexp -- "$1" <<<"$OUT" || fail "a line matches: $1"; }

# expect_shown COMMAND: what its dry run prints.
expect_shown() {
  case $1 in
    build | dev) expect_line '^docker buildx build ' ;;&
    pull | gen | shell) expect_line "^docker pull $IMAGE@sha256:" ;;&
    gen) expect_line "^docker run .*--entrypoint=sh $IMAGE@" ;;
    dev) expect_line "^docker run .*--entrypoint=sh $IMAGE:local " ;;
    shell) expect_line '^docker run .*--tty' ;;
    load) expect_line "^load $WORK/artifact as $IMAGE:fork\$" ;;
    prune) expect_line "^would remove +$IMAGE:pr-7\$" ;;
  esac
}

# on_github COMMAND...: on a person's machine, with the case's GitHub.
on_github() {
  here env GITHUB_REPOSITORY=tiny/app GITHUB_SERVER_URL="$GITHUB" GITHUB_API_URL="$GITHUB" JOB_TOKEN="$JOB_TOKEN" "$@" --github-token env:JOB_TOKEN
}

it_makes_nothing_in_a_dry_run() {
  cd "$WORK/project"
  local name before
  local -a words
  dockerfile 'not built'
  rm -rf "$WORK/artifact"
  docker buildx build --quiet --provenance=false --file ci.Dockerfile --output "type=oci,tar=false,dest=$WORK/artifact" . >/dev/null
  github
  state pull --number 7 --state closed
  before=$(world)
  for name in $(commands); do
    words=(crategate ci-image "$name" --dry-run)
    [[ $name != load ]] || words+=("$WORK/artifact")
    [[ $name != prune ]] || words+=(--yes)
    run on_github "${words[@]}"
    expect_ok
    expect_shown "$name"
    run on_github "${words[@]}" --json
    expect_ok
    expect_equal "one document of $name" "$(jq --raw-output type <<<"$OUT")" object
    expect_equal "what is there after $name" "$(world)" "$before"
  done
  git checkout --quiet --force fix
}

it_asks_only_the_github_that_the_clone_is_of() {
  cd "$WORK/project"
  github
  state pull --number 7 --state closed
  run on_github crategate ci-image prune --json
  expect_equal "whose pull requests" "$(jq --raw-output '.repository + " " + .would_remove[0]' <<<"$OUT")" 'tiny/app pr-7'
  git remote add origin https://gitlab.com/tiny/app.git
  run here crategate ci-image prune --yes
  expect_failure 2 bad-input 'on github.com, found origin "https://gitlab.com/tiny/app.git"' 'GITHUB_REPOSITORY=OWNER/NAME'
  git remote remove origin
}

it_says_first_what_is_missing() {
  cd "$WORK/project"
  local command
  mkdir -p sub
  sed '/generate/d' crategate.yml >"$WORK/without.yml"
  for command in gen dev; do
    run here crategate ci-image "$command" --config "$WORK/without.yml"
    expect_failure 2 bad-input 'ci-image.generate: expected' 'not a target that calls'
    expect_no_match "what ran before" "$ERR" 'buildx|resolve|pulling'
  done
  for command in $(commands); do
    run here crategate ci-image "$command" --workspace sub
    expect_failure 2 bad-input "ci-image: expected crategate.yml in \"$PWD/sub\", found none; there is one in \"$PWD\"" "--workspace=$PWD"
  done
  rmdir sub
  run here crategate ci-image gen --local-image --generate '[sh, -c, "exit 3"]'
  expect_failure 11 tests-failed 'found exit 3' 'crategate ci-image shell --local-image'
  run here crategate ci-image gen --local-image --generate '[no-such-program]'
  expect_failure 2 bad-input 'no-such-program' .
  run here crategate ci-image gen --local-image --json
  expect_ok
  expect_equal "document" "$(jq -r .image <<<"$OUT")" "$IMAGE:local"
  rm -rf generated
  run here env TOKEN="$TOKEN" crategate ci-image pull --username nobody --password env:TOKEN
  expect_ok
  expect_match "a login for another registry" "$ERR" "$REGISTRY is asked without a login"
}

it_makes_files_that_belong_to_the_person() {
  cd "$WORK/project"
  git checkout --quiet main
  local owner latest
  latest=$IMAGE@$(manifest_digest "$IMAGE:latest")
  owner=$(id -u):$(id -g)
  if ((EUID == 0)); then owner=1234:1235 && chown -R "$owner" .; fi # root works for whom the directory belongs to
  run here crategate ci-image pull
  expect_ok
  expect_equal "pulled" "$OUT" "$latest"
  run here crategate ci-image gen
  expect_ok
  expect_equal "made in it" "$(cat generated/version)" first
  expect_equal "owner" "$(stat -c %u:%g generated generated/version | sort -u)" "$owner"
  dockerfile local
  rm -rf generated
  run here crategate ci-image dev
  expect_ok
  expect_equal "made in the local one" "$(cat generated/version)" local
  expect_equal "owner" "$(stat -c %u:%g generated/version)" "$owner"
  run here env DOCKER_CI_IMAGE="$IMAGE@$(manifest_digest "$IMAGE:pr-7")" crategate ci-image gen
  expect_ok
  expect_equal "made in another one" "$(cat generated/version)" second
  run here crategate ci-image shell
  expect_failure 2 bad-input 'expected a terminal' 'ci-image gen'
  run here bash -c 'printf "cat /version; pwd; id -u; exit\n" | timeout 30 script --quiet --return --command "crategate ci-image shell --local-image" /dev/null'
  expect_ok
  expect_match "shell" "$(tr -d '\r' <<<"$OUT" | tail -n 3 | paste -s -d ' ')" "local /workspace ${owner%:*}"
}

it_has_an_example_whose_targets_are_commands() {
  local target command
  cp -R "$REPO/examples/ci-image/." "$WORK/example"
  cd "$WORK/example"
  for target in docker-pull gen docker-dev docker-build-fast docker-build docker-gen-local docker-shell; do
    run make --silent --just-print "$target"
    expect_ok
    command=$OUT
    # shellcheck disable=SC2086  # words of a command
    run $command --help
    expect_ok
  done
  make --silent --always-make generated
  run diff -r generated "$REPO/examples/ci-image/generated"
  expect_ok
  run crategate ci-image tags --event push --ref refs/heads/main --sha "$(printf '1%.0s' {1..40})"
  expect_match "its settings" "$OUT" 'runs in +latest'
  run crategate ci-image build --dry-run
  expect_match "its build" "$OUT" '--file=ci.Dockerfile'
}

run_cases
