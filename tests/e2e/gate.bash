#!/usr/bin/env bash
# The gate: whatever is wrong with the evidence of one cell of fourteen, no tag moves.
# shellcheck disable=SC2016  # jq's variables
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
tiny_project "$WORK/project"
seq -f '3.%g' 7 13 >PYTHON_VERSIONS
commit 'Seven versions'
git tag --force v1.2.3 >/dev/null
mapfile -t CELLS < <(for minor in {7..13}; do echo "cpu-py3.$minor"; echo "cuda-py3.$minor"; done)
REPOSITORIES=("${CELLS[@]/#/$TO/tiny/app-}")
CELL=cuda-py3.10
RECORD=.crategate/records/$CELL/record.json
IMAGE=$TO/tiny/app-$CELL

# edit FILE FILTER...: jq in place, as canonical as before.
edit() {
  local file=$1
  shift
  jq -cS "$@" "$file" >"$WORK/edited"
  cp "$WORK/edited" "$file"
}

# expect_refused REASON [CELLS [STAGE...]]: and no tag of any cell is there.
expect_refused() {
  local stage reason=$1 cells=${2-1}
  shift $(($# < 2 ? $# : 2))
  for stage in "${@-push}"; do
    run crategate "$stage"
    expect_failure 10 gate-refused "$cells of 14 cells refused; .*($reason).*; nothing was published" '.'
  done
  expect_no_tags "${REPOSITORIES[@]}"
}

# good_records: as the stages wrote them.
good_records() {
  rm -rf .crategate/records
  cp -R "$WORK/records" .crategate/records
}

# put_blob REPOSITORY FILE, put_manifest REPOSITORY FILE: into the registry, by curl; prints the digest.
put_blob() {
  local digest upload
  digest=sha256:$(sha256sum "$2" | cut -d' ' -f1)
  upload=$(curl -fsS -X POST -D - -o /dev/null "http://${1%%/*}/v2/${1#*/}/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  [[ $upload == http* ]] || upload=http://${1%%/*}$upload
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" "$upload$([[ $upload == *\?* ]] && echo '&' || echo '?')digest=$digest"
  echo "$digest"
}
put_manifest() {
  local digest
  digest=sha256:$(sha256sum "$2" | cut -d' ' -f1)
  curl -fsS -X PUT -H "Content-Type: $(jq -r .mediaType "$2")" --data-binary "@$2" "http://${1%%/*}/v2/${1#*/}/manifests/$digest"
  echo "$digest"
}

# tampered_candidate: the same layers with another environment, beside the tested image.  Sets MANIFEST and CONFIG, SIZE.
tampered_candidate() {
  local candidate
  candidate=$(jq -r .candidate "$RECORD")
  skopeo inspect --tls-verify=false --raw "docker://$candidate" >"$WORK/manifest.json"
  curl -fsS "http://${IMAGE%%/*}/v2/${IMAGE#*/}/blobs/$(jq -r .config.digest "$WORK/manifest.json")" >"$WORK/config.json"
  jq -cj '.config.Env += ["LD_PRELOAD=/evil.so"]' "$WORK/config.json" >"$WORK/config-evil.json"
  CONFIG=$(put_blob "$IMAGE" "$WORK/config-evil.json")
  jq -cj --arg digest "$CONFIG" --argjson size "$(stat -c %s "$WORK/config-evil.json")" \
    '.config.digest = $digest | .config.size = $size' "$WORK/manifest.json" >"$WORK/manifest-evil.json"
  MANIFEST=$(put_manifest "$IMAGE" "$WORK/manifest-evil.json")
  SIZE=$(stat -c %s "$WORK/manifest-evil.json")
  expect_equal "layers" "$(jq -c .layers "$WORK/manifest-evil.json")" "$(jq -c .layers "$WORK/manifest.json")"
  [[ $(environment "$IMAGE@$MANIFEST") == *LD_PRELOAD* ]] || fail "the tampered image is in the registry"
}

it_moves_no_tag_when_the_tests_of_one_cell_of_fourteen_fail() {
  printf '%s\n' 'echo "Ran 3 tests in 0.1s"' \
    '[ "$DEVICE,$PYTHON" != 0,3.10 ] || [ ! -e /work/tests/ignored-flag ]' >tests/run.sh
  commit 'A test that depends'
  git tag --force v1.2.3 >/dev/null
  touch tests/ignored-flag
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_failure 11 tests-failed "cell $CELL: expected exit 0.*, found exit 1" "crategate test --cell $CELL"
  expect_no_tags "${REPOSITORIES[@]}"
  expect_refused "$CELL: record-missing" 1 verify push release
  # The cell is mended; the other thirteen stay as they are.
  rm tests/ignored-flag
  run crategate test --cell "$CELL"
  expect_ok
  run crategate digest --cell "$CELL"
  expect_ok
  cp -R .crategate/records "$WORK/records"
  run crategate verify
  expect_ok
  expect_no_tags "${REPOSITORIES[@]}"
}

it_refuses_a_candidate_with_another_environment() {
  good_records
  tampered_candidate
  edit "$RECORD" --arg digest "$MANIFEST" --argjson size "$SIZE" '.manifest_digest = $digest | .manifest_size = $size'
  expect_refused "$CELL: candidate-swapped" 1 verify push release
  # The same, by a forger who also knows of the configuration's digest.
  edit "$RECORD" --arg digest "$CONFIG" '.config_digest = $digest'
  expect_refused "$CELL: "
  edit "$RECORD" --arg digest "$CONFIG" '.tests.config_digest = $digest'
  expect_refused "$CELL: candidate-swapped"
  edit "$RECORD" --arg image "$IMAGE@$MANIFEST" '.candidate = $image'
  expect_refused "$CELL: config-differs: expected fingerprint"
}

it_takes_the_candidate_from_the_plans_repository_only() {
  good_records
  edit "$RECORD" --arg other "$TO/tiny/app-cpu-py3.7@$(jq -r .manifest_digest .crategate/records/cpu-py3.7/record.json)" '.candidate = $other'
  expect_refused "$CELL: candidate-swapped"
  edit "$RECORD" --slurpfile other .crategate/records/cpu-py3.7/record.json '.manifest_digest = $other[0].manifest_digest'
  expect_refused "$CELL: "
}

it_refuses_when_one_record_of_fourteen_is_missing() {
  good_records
  rm -r ".crategate/records/$CELL"
  expect_refused "$CELL: record-missing" 1 verify push release
  expect_match "remedy" "$HINT_LINE" "$CELL"
}

it_refuses_a_record_that_cannot_be_read() {
  local text
  good_records
  text=$(<"$RECORD")
  for damaged in "${text:0:200}" '' '[]' '{}' 'no json' "${text/\"schema\":1/\"schema\":2}" "${text/\"cell\":/\"cell\":1,\"cell\":}"; do
    printf '%s' "$damaged" >"$RECORD"
    expect_refused "$CELL: record-(unreadable|missing|foreign)"
  done
  rm "$RECORD"
  ln -s "$WORK/records/$CELL/record.json" "$RECORD"
  expect_refused "$CELL: record-unreadable"
}

it_refuses_swapped_records() {
  good_records
  cp "$WORK/records/cpu-py3.9/record.json" "$RECORD"
  cp "$WORK/records/$CELL/record.json" .crategate/records/cpu-py3.9/record.json
  expect_refused record-foreign 2 verify push
}

it_refuses_the_records_of_another_plan_and_commit() {
  good_records
  edit "$RECORD" '.plan_id = "sha256:" + ("0" * 64)'
  expect_refused "$CELL: record-foreign: expected plan"
  good_records
  edit "$RECORD" '.commit = ("0" * 40)'
  expect_refused "$CELL: record-foreign: expected commit"
  good_records
  edit "$RECORD" '.platform = "linux/arm64"'
  expect_refused "$CELL: platform-differs"
  # A commit more, and every record is of yesterday.
  good_records
  git commit --quiet --allow-empty --message more
  git tag --force v1.2.3 >/dev/null
  cp .crategate/plan.json "$WORK/plan.json"
  run crategate plan --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  expect_refused record-foreign 14 verify push
  cp "$WORK/plan.json" .crategate/plan.json
}

it_refuses_failed_tests_and_empty_evidence_in_a_record() {
  good_records
  edit "$RECORD" '.tests.verdict = "failed"'
  expect_refused "$CELL: tests-not-passed"
  good_records
  edit "$RECORD" '.tests.failed = 1'
  expect_refused "$CELL: tests-not-passed"
  good_records
  edit "$RECORD" --arg empty "$(sha256sum <<<'' | cut -d' ' -f1)" '.layer_text = $empty'
  expect_refused "$CELL: empty-evidence"
}

it_refuses_a_candidate_that_the_registry_lost() {
  good_records
  curl -fsS -X DELETE "http://${IMAGE%%/*}/v2/${IMAGE#*/}/manifests/$(jq -r .manifest_digest "$RECORD")"
  expect_refused "$CELL: candidate-missing"
  run crategate digest --cell "$CELL" # the remedy
  expect_ok
}

it_publishes_the_same_evidence_unharmed() {
  local repository
  good_records
  run crategate release
  expect_failure 50 conflict 'expected .* after push, found no such tag' 'crategate push'
  expect_no_tags "${REPOSITORIES[@]}"
  run crategate push
  expect_ok
  for repository in "${REPOSITORIES[@]}"; do expect_equal "tags of $repository" "$(tags "$repository")" v1.2.3; done
  run crategate release
  expect_ok
  for repository in "${REPOSITORIES[@]}"; do expect_equal "tags of $repository" "$(tags "$repository")" "latest v1.2.3"; done
}

run_cases
