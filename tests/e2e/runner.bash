#!/usr/bin/env bash
# Two jobs of a workflow on an independent runner, with its artifact service: container steps from an image that holds
# the binary; what they hand over is what the official client downloads.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
ACT=$("$REPO/tools/engine" runner 2>/dev/null)
CLIENT=${CRATEGATE_OFFICIAL_CLIENT:?the folder with official.mjs and its modules}
IMAGE=$TOKEN-job:1
PROJECT=$WORK/project
mkdir -p "$PROJECT/.github/workflows"
cd "$PROJECT"

make_image() {
  local root=$WORK/root
  with_libraries "$CRATEGATE" "$root" /usr/bin/crategate
  with_node "$root"
  image_of "$root" "$IMAGE"
}

write_workflow() {
  cp -r "$CLIENT" official
  printf 'official/\n' >.gitignore
  cat >.github/workflows/hand-over.yml <<YAML
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir -p out/deep && echo one > out/one && head -c 3000000 /dev/urandom > out/deep/noise
        shell: sh
      - uses: docker://$IMAGE
        with:
          entrypoint: /usr/bin/crategate
          args: artifact upload results out
  second:
    needs: first
    runs-on: ubuntu-latest
    steps:
      - uses: docker://$IMAGE
        with:
          entrypoint: /usr/bin/crategate
          args: artifact list
      - uses: docker://$IMAGE
        with:
          entrypoint: /usr/bin/crategate
          args: artifact download results --path by-ours
      - uses: docker://$IMAGE
        env: {CLIENT: artifact-without-type, GITHUB_SERVER_URL: https://github.com}
        with:
          entrypoint: /usr/bin/node
          args: official/official.mjs download results by-official
YAML
  git init --quiet --initial-branch=main
  git config user.name e2e
  git config user.email e2e@example.invalid
  commit 'A workflow'
}

run_act() {
  run env HOME="$WORK/home" XDG_CACHE_HOME="$WORK/home/cache" "$ACT" push --platform "ubuntu-latest=$IMAGE" --bind --pull=false \
    --container-daemon-socket - --artifact-server-path "$WORK/artifacts" --artifact-server-addr 127.0.0.1 \
    --artifact-server-port "$1"
}

it_passes_an_artifact_from_one_job_to_the_next() {
  make_image
  write_workflow
  run_act "$(free_port)"
  expect_ok
  expect_match "log" "$OUT" 'uploaded results: 2 files'
  expect_match "log" "$OUT" 'downloaded results: 2 files'
  run diff -r out by-ours
  expect_ok
  run diff -r out by-official
  expect_ok
}

run_cases
