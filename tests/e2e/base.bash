#!/usr/bin/env bash
# fresh: auto: a base image that moves in its registry between two releases.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
BASE=$TO/base/os
IMAGE=$TO/tiny/app-cpu-py3.13

# base NAME: the tag of the base image names another one; only the registry has it.
base() {
  printf 'FROM crategate/busybox:1\nRUN echo %s >/base\n' "$1" | docker build --quiet --tag "$BASE:1" - >/dev/null
  docker push --quiet "$BASE:1" >/dev/null
  docker image rm --force "$BASE:1" >/dev/null
}

label() { skopeo inspect --tls-verify=false --config "docker://$IMAGE:$1" | jq -r --arg name "$2" '.config.Labels[$name]'; }

# release VERSION: committed, tagged and run.
release() {
  echo "$1" >VERSION
  commit "Release $1"
  git tag "$1"
  run crategate run --to "$TO" --event push --ref "refs/tags/$1"
  expect_ok
}

project() {
  tiny_project "$WORK/$1" 'exclude: [{runtime: cuda}, {python: "3.11"}]' "${@:2}"
  sed -i "s|{device: \"-1\"}|{device: \"-1\", base: \"$BASE:1\"}|" crategate.yml
  printf '%s\n' 'FROM {{base}}' 'RUN head -c 16 /dev/urandom >/random' 'COPY src /opt/app' >docker/Dockerfile.mustache
  git tag --delete v1.2.3 >/dev/null
}

# What a RUN made: the same layer when the cache had it.
random_layer() { skopeo inspect --tls-verify=false --config "docker://$IMAGE:$1" | jq -r '.rootfs.diff_ids[-2]'; }

it_builds_freshly_when_the_base_moved() {
  local before now
  project moves 'policy: {push: {fresh: auto, cache-write: true}}'
  base one
  before=$(manifest_digest "$BASE:1")
  release v1.3.0
  expect_match "plan" "$OUT$ERR" 'fresh: base image .*base/os:1 has not moved since the last publication: cpu-py3.13'
  expect_equal "base of v1.3.0" "$(label v1.3.0 org.opencontainers.image.base.digest)" "$before"
  release v1.3.1
  expect_equal "layer" "$(random_layer v1.3.1)" "$(random_layer v1.3.0)"
  base two
  now=$(manifest_digest "$BASE:1")
  release v1.3.2
  expect_match "plan" "$OUT$ERR" "fresh: base image .*base/os:1 has moved from $before to $now; built fresh: cpu-py3.13"
  expect_match "report" "$(crategate report)" "has moved from $before to $now"
  expect_equal "cell" "$(jq -c '.cells[0] | [.fresh, .cache_read, .cache_write]' .crategate/plan.json)" '[true,false,true]'
  [[ $(random_layer v1.3.2) != "$(random_layer v1.3.1)" ]] || fail "a fresh build"
  expect_equal "base of v1.3.2" "$(label v1.3.2 org.opencontainers.image.base.digest)" "$now"
  expect_equal "base before" "$(label v1.3.2 io.crategate.base.moved-from)" "$before"
  # The images are published by now, and the plan is the same.
  run crategate run --to "$TO" --event push --ref refs/tags/v1.3.2
  expect_ok
  expect_match "stderr" "$ERR" 'nothing to do: every image of this plan is already proven and in place'
  release v1.3.3
  expect_match "plan" "$OUT$ERR" 'has not moved since the last publication'
  expect_equal "layer" "$(random_layer v1.3.3)" "$(random_layer v1.3.2)"
}

it_builds_freshly_what_no_registry_tells() {
  project unknown
  sed -i "s|base: \"$BASE:1\"|base: \"localhost:1/no/such:1\"|" crategate.yml
  run crategate plan --to "$TO" --event schedule --fresh=auto
  expect_ok
  expect_match "plan" "$OUT$ERR" 'warning: .*localhost:1/no/such:1: cannot tell whether it has moved; built fresh: cpu-py3.13'
  expect_match "log" "$ERR" 'localhost:1'
  run crategate plan --to "$TO" --event schedule --fresh=sometimes
  expect_failure 2 bad-input 'expected true, false or auto, found "sometimes"' '.'
}

run_cases
