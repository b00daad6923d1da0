#!/usr/bin/env bash
# The example project, whole: what `make demo` shows, judged.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
mkdir "$WORK/project"
cp -R "$REPO/examples/opencrate-mini/." "$WORK/project"
cd "$WORK/project"
git init --quiet --initial-branch=main
git config user.name e2e
git config user.email e2e@example.invalid
commit 'First release'
git tag v1.2.3
IMAGES=("${CELLS[@]/#/$TO/opencrate/opencrate-mini-}")

it_has_committed_the_dockerfiles_that_its_template_gives() {
  run crategate plan "${TAG_PUSH[@]}"
  expect_ok
  run crategate generate --check
  expect_ok
}

it_publishes_four_images_and_moves_latest() {
  local image
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  for image in "${IMAGES[@]}"; do
    expect_equal "tags of $image" "$(tags "$image")" "latest v1.2.3"
    expect_equal "latest" "$(manifest_digest "$image:latest")" "$(manifest_digest "$image:v1.2.3")"
    expect_equal "release.json" "$(jq -r --arg name "$image:v1.2.3" '.published[$name]' .crategate/release.json)" \
      "$(manifest_digest "$image:v1.2.3")"
  done
  expect_equal "images in release.json" "$(jq '.published | length' .crategate/release.json)" 4
}

it_publishes_the_very_images_that_ran_the_tests() {
  local cell image
  for cell in "${CELLS[@]}"; do
    # In this store an image's id is its manifest's digest.
    image=$TO/opencrate/opencrate-mini-$cell:v1.2.3
    expect_equal "$image in the engine" "$(docker image inspect --format '{{.Id}}' "$image")" "$(manifest_digest "$image")"
    expect_equal "image in the test's result" "$(jq -r .image_id ".crategate/tests/$cell.json")" "$(manifest_digest "$image")"
  done
  image=${IMAGES[1]}:v1.2.3
  expect_equal "configuration of $image" "$(config_digest "$image")" "$(engine_config_digest "$image")"
}

it_writes_the_seeds_value() {
  local cell
  for cell in "${CELLS[@]}"; do
    expect_equal "digest-$cell.txt" "$(<".crategate/records/$cell/digest-$cell.txt")" \
      "$(docker inspect --format='{{.RootFS.Layers}}' "$TO/opencrate/opencrate-mini-$cell:v1.2.3" | sha256sum | cut -d' ' -f1)"
  done
}

it_has_nothing_to_do_afterwards() {
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  expect_match "stderr" "$ERR" 'nothing to do'
  expect_no_match "stderr" "$ERR" '(check|py3\.1[13]): '
}

run_cases
