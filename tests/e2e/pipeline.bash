#!/usr/bin/env bash
# The main job on a tiny project of four cells, on one image store: pipeline.bash containerd|classic
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
STORE=${1:-containerd}
use_store "$STORE"
PROJECT=$WORK/project
REPOSITORIES=("${CELLS[@]/#/$TO/tiny/app-}")
tiny_project "$PROJECT"

it_publishes_every_image_with_its_version_and_then_latest() {
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  local repository
  for repository in "${REPOSITORIES[@]}"; do
    expect_equal "tags of $repository" "$(tags "$repository")" "latest v1.2.3"
  done
  expect_equal "last line" "$(tail -n 1 <<<"$OUT" | sed 's/ in [0-9.]* m\?s$//')" "4 of 4 images published, moving tags in place"
}

it_agrees_with_skopeo_on_every_digest() {
  local name wanted count=0
  while read -r name wanted; do
    expect_equal "manifest digest of $name" "$(manifest_digest "$name")" "$wanted"
    expect_equal "latest of ${name%:*}" "$(manifest_digest "${name%:*}:latest")" "$wanted"
    count=$((count + 1))
  done < <(jq -r '.published | to_entries[] | "\(.key) \(.value)"' .crategate/release.json)
  expect_equal "images in release.json" "$count" 4
}

it_pushes_the_configuration_of_the_container_that_ran_the_tests() {
  local cell image log
  for cell in "${CELLS[@]}"; do
    log=tests/logs/test-${cell#*-}-${cell%%-*}.log
    image=$(image_of_test "$log")
    [[ -n $image ]] || fail "the engine remembers the container of $log"
    expect_equal "configuration of $cell" "$(config_digest "$TO/tiny/app-$cell:v1.2.3")" "$(engine_config_digest "$image")"
  done
}

it_keeps_the_cells_apart_by_their_environment() {
  expect_match "environment" "$(environment "$TO/tiny/app-cuda-py3.13:v1.2.3" | paste -sd ' ')" 'DEVICE=0 PYTHON=3\.13'
  expect_match "environment" "$(environment "$TO/tiny/app-cpu-py3.11:v1.2.3" | paste -sd ' ')" 'DEVICE=-1 PYTHON=3\.11'
}

it_writes_the_seeds_value_bit_for_bit() {
  local cell
  for cell in "${CELLS[@]}"; do
    expect_equal "digest-$cell.txt" "$(<".crategate/records/$cell/digest-$cell.txt")" \
      "$(docker inspect --format='{{.RootFS.Layers}}' "$TO/tiny/app-$cell:v1.2.3" | sha256sum | cut -d' ' -f1)"
    expect_equal "size of digest-$cell.txt" "$(stat -c %s ".crategate/records/$cell/digest-$cell.txt")" 65
  done
}

it_does_no_work_the_second_time_and_says_so() {
  local before ran logs
  before=$(images_of_ours)
  logs=$(stat -c '%n %Y %i' tests/logs/* .crategate/logs/*)
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  expect_match "stderr" "$ERR" 'nothing to do: every image of this plan is already proven and in place'
  ran=$(grep -E '^c[a-z]+-py3\.1[13]: |(^|[^A-Z])PUT ' <<<"$ERR" || true)
  expect_equal "builds, tests, writes" "$ran" ""
  expect_equal "images in the engine" "$(images_of_ours)" "$before"
  expect_equal "logs" "$(stat -c '%n %Y %i' tests/logs/* .crategate/logs/*)" "$logs"
}

it_writes_the_registry_cache_when_dependencies_changed() {
  local -a options=()
  # Another project, so that nothing is published under a version twice.
  tiny_project "$WORK/cached" 'exclude: [{runtime: cuda}]' 'release: {latest: never}'
  echo 'dependencies = []' >>pyproject.toml
  commit 'A dependency'
  git tag --force v1.2.3 >/dev/null
  if [[ $STORE == classic ]]; then
    run crategate run --to "$TO/cached" "${TAG_PUSH[@]}"
    expect_failure 40 engine 'classic image store' 'builder-image'
    expect_no_tags "$TO/cached/tiny/app-cpu-py3.11" "$TO/cached/tiny/app-cpu-py3.13" "$TO/cached/tiny/cache"
    options=(--build-builder-image "$("$REPO/tools/engine" builder-image --store classic 2>/dev/null)")
  fi
  run crategate plan --to "$TO/cached" "${TAG_PUSH[@]}"
  expect_ok
  run crategate build --cell cpu-py3.11 --dry-run "${options[@]}"
  expect_ok
  expect_match "build command" "$OUT" "--cache-from=type=registry,ref=$TO/cached/tiny/cache:cpu-py3.11( |$)"
  expect_match "build command" "$OUT" "--cache-to=type=registry,ref=$TO/cached/tiny/cache:cpu-py3.11,mode=max,image-manifest=true,oci-mediatypes=true( |$)"
  run crategate run --to "$TO/cached" "${TAG_PUSH[@]}" "${options[@]}"
  expect_ok
  expect_equal "cache tags" "$(tags "$TO/cached/tiny/cache")" "cpu-py3.11 cpu-py3.13"
  expect_equal "tags" "$(tags "$TO/cached/tiny/app-cpu-py3.11")" v1.2.3
  expect_no_match "builders" "$(docker buildx ls --format '{{.Name}}' 2>/dev/null || docker buildx ls)" 'crategate-'
  expect_equal "containers of builders" "$(docker ps --all --quiet --filter name=buildx_buildkit_crategate-)" ""
  expect_equal "configuration that was tested" "$(config_digest "$TO/cached/tiny/app-cpu-py3.11:v1.2.3")" \
    "$(engine_config_digest "$TO/cached/tiny/app-cpu-py3.11:v1.2.3")"
}

# A base that its registry moves between two builds: each image says truly what it was built from.
it_builds_on_the_base_that_its_label_names() {
  local base=$TO/base/os first second log
  tiny_project "$WORK/based" 'exclude: [{runtime: cuda}]' 'release: {latest: never}'
  sed -i "s|{device: \"-1\"}|{device: \"-1\", base: \"$base:1\"}|" crategate.yml
  sed -i '1s|.*|FROM {{base}}|' docker/Dockerfile.mustache
  commit 'A base of our own'
  git tag --force v1.2.3 >/dev/null
  docker tag crategate/busybox:1 "$base:1"
  docker push --quiet "$base:1" >/dev/null
  docker image rm "$base:1" >/dev/null
  first=$(manifest_digest "$base:1")
  run crategate plan --to "$TO/based" "${TAG_PUSH[@]}"
  expect_ok
  run crategate generate
  expect_ok
  run crategate build --cell cpu-py3.11
  expect_ok
  expect_equal "label" "$(base_label 3.11)" "$first"

  printf 'FROM crategate/busybox:1\nENV MOVED=yes\n' | docker build --quiet --tag "$base:1" --provenance=false - >/dev/null
  docker push --quiet "$base:1" >/dev/null
  docker image rm "$base:1" >/dev/null
  second=$(manifest_digest "$base:1")
  [[ $second != "$first" ]] || fail "the base did not move"
  run crategate build --cell cpu-py3.13
  expect_ok
  expect_equal "label" "$(base_label 3.13)" "$second"
  log=$(<.crategate/logs/build-cpu-py3.13.log)
  expect_match "build log" "$log" "os:1@$second"
  expect_match "environment" "$(docker image inspect --format '{{.Config.Env}}' "$TO/based/tiny/app-cpu-py3.13:v1.2.3")" MOVED=yes
}

base_label() {
  docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.base.digest"}}' \
    "$TO/based/tiny/app-cpu-py$1:v1.2.3"
}

run_cases
