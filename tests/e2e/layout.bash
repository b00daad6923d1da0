#!/usr/bin/env bash
# Without a registry: images go into an OCI layout that other tools read.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
tiny_project "$WORK/project"

in_layout() { skopeo inspect --format '{{.Digest}}' "oci:$1"; }

it_publishes_into_a_layout_by_default() {
  local cell digest
  run crategate run "${TAG_PUSH[@]}"
  expect_ok
  for cell in "${CELLS[@]}"; do
    digest=$(jq -r --arg cell "$cell" '.cells[] | select(.key == $cell) | .manifest_digest' .crategate/release.json)
    expect_equal "tiny/app-$cell:v1.2.3" "$(in_layout ".crategate/images:tiny/app-$cell:v1.2.3")" "$digest"
    expect_equal "tiny/app-$cell:latest" "$(in_layout ".crategate/images:tiny/app-$cell:latest")" "$digest"
  done
}

it_writes_a_layout_by_the_specification() {
  local blob
  expect_equal "oci-layout" "$(jq -c . .crategate/images/oci-layout)" '{"imageLayoutVersion":"1.0.0"}'
  expect_equal "names in the index" "$(jq '[.manifests[].annotations["org.opencontainers.image.ref.name"] // empty] | length' .crategate/images/index.json)" 8
  for blob in .crategate/images/blobs/sha256/*; do
    expect_equal "blob" "$(sha256sum <"$blob" | cut -d' ' -f1)" "$(basename "$blob")"
  done
  run skopeo copy --quiet "oci:.crategate/images:tiny/app-cuda-py3.13:latest" "dir:$WORK/copied"
  expect_ok
  expect_match "configuration" "$(skopeo inspect --config "oci:.crategate/images:tiny/app-cuda-py3.13:v1.2.3" | jq -r '.config.Env[]' | paste -sd ' ')" 'DEVICE=0 PYTHON=3\.13'
}

it_has_nothing_to_do_the_second_time() {
  local before
  before=$(find .crategate/images -type f -printf '%p %T@ %s\n' | sort)
  run crategate run "${TAG_PUSH[@]}"
  expect_ok
  expect_match "stderr" "$ERR" 'nothing to do'
  expect_equal "files of the layout" "$(find .crategate/images -type f -printf '%p %T@ %s\n' | sort)" "$before"
}

it_takes_another_directory() {
  run crategate run --to oci:shipped "${TAG_PUSH[@]}"
  expect_ok
  expect_match "digest" "$(in_layout shipped:tiny/app-cpu-py3.13:latest)" '^sha256:'
  run crategate run --to oci:shipped "${TAG_PUSH[@]}"
  expect_ok
  expect_match "stderr" "$ERR" 'nothing to do' # the layout is no source of the project
}

it_publishes_no_incomplete_set() {
  run crategate run --to oci:part "${TAG_PUSH[@]}" --only runtime=cpu,python=3.13
  expect_ok
  expect_match "reason" "$OUT" 'only 1 of 4 cells: not published'
  expect_equal "names in the layout" "$(jq -c '[.manifests[].annotations["org.opencontainers.image.ref.name"] // empty]' part/index.json 2>/dev/null || echo '[]')" '[]'
}

it_is_a_manual_run_of_what_is_checked_out_without_an_event() {
  tiny_project "$WORK/manual"
  run crategate run
  expect_ok
  expect_match "table" "$OUT" 'event +workflow_dispatch'
  expect_match "digest" "$(in_layout .crategate/images:tiny/app-cpu-py3.11:v1.2.3)" '^sha256:'
  run skopeo inspect oci:.crategate/images:tiny/app-cpu-py3.11:latest
  ((STATUS != 0)) || fail "no latest by a manual run"
}

run_cases
