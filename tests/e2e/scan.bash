#!/usr/bin/env bash
# The scan of an image before its tests, on one image store: scan.bash containerd|classic
# A stand-in for the scanner prints reports of its documented format.
# shellcheck disable=SC2016  # jq's variables, and the container's shell
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store "${1-containerd}"
PROJECT=$WORK/project
REPOSITORIES=("${CELLS[@]/#/$TO/tiny/app-}")
CELL=cpu-py3.11
RESULT=.crategate/scans/$CELL.json
SARIF=.crategate/scans/$CELL.sarif
cp "$E2E/trivy" "$WORK/bin/trivy"
tiny_project "$PROJECT" 'scan: {severity: CRITICAL}'

finds() { echo "$1" >"$WORK/bin/trivy.mode"; } # MODE: of the stand-in

# planned_and_built: every cell's plan, one cell's image.
planned_and_built() {
  run crategate plan --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  run crategate generate
  expect_ok
  run crategate build --cell "$CELL"
  expect_ok
}

# expect_sarif FILE LEVELS: valid by the official schema, of the cell's category, with results of these levels.
expect_sarif() {
  run /usr/bin/python3 -c '
import json, sys, jsonschema
schema, text = (json.load(open(name)) for name in sys.argv[1:3])
jsonschema.Draft7Validator(schema).validate(text)' "$REPO/tests/data/sarif/sarif-schema-2.1.0.json" "$1"
  expect_ok
  expect_equal "category" "$(jq -r '.runs[].automationDetails.id' "$1")" "crategate/scan/$CELL/"
  expect_equal "levels" "$(jq -r '[.runs[].results[].level] | join(" ")' "$1")" "$2"
  expect_equal "places" "$(jq -r '[.runs[].results[].locations[].physicalLocation.artifactLocation.uri] | unique | join(" ")' "$1")" \
    "${2:+docker/dockerfiles/Dockerfile.$CELL}"
}

it_prints_the_scanners_command() {
  run crategate plan --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  run crategate scan --cell "$CELL" --dry-run
  expect_ok
  expect_match "output" "$OUT" '^trivy image --input in/image\.tar --format json --output out/report\.json '
  run crategate run --to "$TO" "${TAG_PUSH[@]}" --dry-run
  expect_equal "scans of the dry run" "$(grep -c '^trivy image ' <<<"$OUT")" 4
}

it_passes_an_image_without_findings() {
  planned_and_built
  finds clean
  run crategate scan --cell "$CELL"
  expect_ok
  expect_match "output" "$OUT" 'scan of cpu-py3\.11: passed, no findings \(threshold CRITICAL; trivy 0\.65\.0\)'
  expect_equal "verdict" "$(jq -r .verdict "$RESULT")" passed
  expect_equal "image" "$(jq -r .config_digest "$RESULT")" "$(engine_config_digest "$TO/tiny/app-$CELL:v1.2.3")"
  expect_equal "report" "$(jq -r .report_digest "$RESULT")" \
    "sha256:$(sha256sum ".crategate/scans/$CELL.report.json" | cut -d' ' -f1)"
  expect_sarif "$SARIF" ''
  expect_equal "saved images left behind" "$(find .crategate -name image.tar)" ''
}

it_reports_findings_below_the_threshold() {
  finds high
  run crategate scan --cell "$CELL"
  expect_ok
  expect_match "output" "$OUT" 'HIGH +CVE-2026-0001 +openssl +3\.0\.15 +none'
  expect_equal "verdict" "$(jq -r .verdict "$RESULT")" findings-below-threshold
  expect_sarif "$SARIF" error
}

it_fails_at_the_threshold_with_the_table() {
  finds critical
  as_runner push refs/tags/v1.2.3 '{}'
  unset GITHUB_EVENT_NAME GITHUB_REF # the plan decides
  run crategate scan --cell "$CELL"
  expect_failure 12 scan-policy \
    'expected nothing at or above CRITICAL, found 1 critical, 1 high; the worst is "CVE-2026-0002" in "libc6 2\.36-9", fixed in 2\.36-10' \
    'REBUILD_BASE=true .* crategate run --only '
  expect_match "table" "$OUT" 'CRITICAL +CVE-2026-0002 +libc6 +2\.36-9 +2\.36-10'
  expect_match "summary" "$(<"$GITHUB_STEP_SUMMARY")" '<code>CVE-2026-0002</code>'
  expect_equal "output" "$(output scan | jq -r .verdict)" failed
  expect_sarif "$(output sarif)" 'error error'
}

it_records_nothing_without_a_scan_that_passed() {
  finds critical
  run crategate scan --cell "$CELL"
  expect_failure 12 scan-policy . .
  run crategate test --cell "$CELL"
  expect_ok
  run crategate digest --cell "$CELL"
  expect_failure 12 scan-policy 'expected a scan of this plan with nothing at or above CRITICAL, found 1 critical' "crategate scan --cell $CELL"
  rm "$RESULT"
  run crategate digest --cell "$CELL"
  expect_failure 12 scan-policy 'found none' "crategate scan --cell $CELL"
  finds high
  run crategate scan --cell "$CELL"
  expect_ok
  jq -c '.config_digest = "sha256:" + ("0" * 64)' "$RESULT" >"$WORK/edited"
  cp "$WORK/edited" "$RESULT"
  run crategate digest --cell "$CELL"
  expect_failure 12 scan-policy 'expected a scan of the tested image' 'crategate scan'
  expect_equal "records" "$(find .crategate -name record.json -size +0)" ''
}

it_forgets_the_scan_of_an_image_that_was_built_anew() {
  finds clean
  run crategate scan --cell "$CELL"
  expect_ok
  run crategate build --cell "$CELL"
  expect_ok
  expect_equal "result" "$(wc -c <"$RESULT") $(wc -c <"$SARIF")" '0 0'
}

it_takes_no_broken_report_for_clean() {
  local mode
  planned_and_built
  while read -r mode expected; do
    finds "$mode"
    run crategate scan --cell "$CELL"
    expect_failure 25 integrity "$expected" 'Nothing is taken for clean|cannot be judged'
    expect_equal "result of $mode" "$(wc -c <"$RESULT")" 0
  done <<'CASES'
missing expected the scanner's report, found none
empty expected the scanner's report, found an empty file
truncated report\.json
other-image ImageID: expected sha256:.*, found "sha256:0000
other-artifact ArtifactName: expected in/image\.tar, found "alpine:3\.20"
other-schema SchemaVersion: expected 2
no-results Results: expected what was found in the image's packages, found none
link expected the scanner's report, found
CASES
}

it_says_what_keeps_the_scanner_from_working() {
  finds fails
  run crategate scan --cell "$CELL"
  expect_failure 40 engine 'scan of cell cpu-py3\.11: expected exit 0, found exit 1; last line: .*TOOMANYREQUESTS.*logs/scan-cpu-py3\.11\.log' 'TRIVY_DB_REPOSITORY'
  finds hangs
  run crategate scan --cell "$CELL" --timeout 1s
  expect_failure 40 engine 'no end within its time limit of 1' 'scan\.timeout'
  mv "$WORK/bin/trivy" "$WORK/bin/hidden"
  run crategate scan --cell "$CELL"
  mv "$WORK/bin/hidden" "$WORK/bin/trivy"
  expect_failure 22 not-found 'expected the program trivy on the PATH, found none' '`scan\.image`.*brew install trivy'
  run crategate scan --cell "$CELL" --image aquasec/trivy:0.65.0
  expect_failure 2 bad-input '--image: expected an image by digest' 'a tag can be moved'
}

it_stops_the_scanner_when_it_is_cancelled() {
  local started
  finds hangs
  crategate scan --cell "$CELL" >"$WORK/out" 2>"$WORK/err" &
  started=$!
  wait_until 20 processes_with 'sleep 600'
  kill -TERM "$started"
  STATUS=0
  wait "$started" || STATUS=$?
  OUT='' ERR=$(<"$WORK/err")
  expect_failure 143 terminated . .
  expect_equal "left behind" "$(processes "$PROJECT")$(find .crategate -name image.tar)" ''
}

it_lets_no_finding_command_the_runner() {
  finds hostile
  as_runner push refs/tags/v1.2.3 '{}'
  unset GITHUB_EVENT_NAME GITHUB_REF
  run crategate scan --cell "$CELL"
  expect_ok
  expect_match "output" "$OUT" 'LOW +CVE-1 '
  expect_equal "commands" "$(grep -E '^[[:space:]]*::(add-mask|error)' <<<"$OUT$ERR" || true)" ''
  expect_no_match "summary" "$(<"$GITHUB_STEP_SUMMARY")" '<script>|@org|\]\(http'
  expect_sarif "$SARIF" note
}

it_gives_the_scanner_neither_secrets_nor_the_engine() {
  finds environment
  TRIVY_PASSWORD=hunter2-e2e DOCKERHUB_TOKEN=hunter2-e2e TRIVY_SEVERITY=LOW GITHUB_TOKEN=hunter2-e2e \
    TRIVY_DB_REPOSITORY=mirror.example/db run crategate scan --cell "$CELL" --verbose
  expect_ok
  local log
  log=$(<".crategate/logs/scan-$CELL.log")
  expect_no_match "log" "$log" 'hunter2|DOCKER_HOST|TRIVY_SEVERITY|TRIVY_PASSWORD'
  expect_match "log" "$log" 'TRIVY_DB_REPOSITORY=mirror\.example/db'
}

it_runs_the_scanner_in_a_container_by_digest() {
  local image digest
  planned_and_built
  finds high
  mkdir "$WORK/scanner"
  cp "$WORK/bin/trivy" "$WORK/bin/trivy.mode" "$WORK/scanner"
  printf 'FROM crategate/busybox:1\nCOPY trivy trivy.mode /usr/local/bin/\nENV PATH=/usr/local/bin:/bin:/usr/bin:/sbin\n' >"$WORK/scanner/Dockerfile"
  image=$TO/trivy
  docker build --quiet --provenance=false --tag "$image:1" "$WORK/scanner" >/dev/null
  docker push --quiet "$image:1" >/dev/null
  docker image rm --force "$image:1" >/dev/null
  digest=$(manifest_digest "$image:1")
  run crategate scan --cell "$CELL" --image "$image@$digest" --dry-run
  expect_ok
  expect_no_match "mounts" "$OUT" 'docker\.sock'
  expect_match "command" "$OUT" "^docker run --rm .*/in:/scan/in:ro.*$digest image --input in/image.tar"
  run crategate scan --cell "$CELL" --image "$image@$digest"
  expect_ok
  expect_equal "verdict" "$(jq -r '.verdict + " " + .scanner' "$RESULT")" "findings-below-threshold $image@$digest"
  expect_sarif "$SARIF" error
  run crategate scan --cell "$CELL" --image "$image@sha256:$(printf '0%.0s' {1..64})"
  expect_failure 22 not-found 'could not pull .*/trivy@sha256:000' 'check the name, and its tag or digest'
  docker image rm --force "$image@$digest" >/dev/null
}

it_publishes_what_was_scanned_and_says_so() {
  finds high
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  expect_match "table" "$OUT" "$CELL +passed [^ ]+ m?s +passed, 1 high "
  expect_equal "records" "$(cat .crategate/records/*/record.json | jq -r '.scan + " " + (.scan_result.counts.high | tostring)' | sort -u)" \
    'findings-below-threshold 1'
  expect_equal "release.json" "$(jq -r '[.cells[] | .scan] | unique | join(" ")' .crategate/release.json)" findings-below-threshold
  expect_equal "scan is of the published image" "$(jq -r .config_digest "$RESULT")" "$(config_digest "$TO/tiny/app-$CELL:v1.2.3")"
}

it_publishes_nothing_when_a_scan_fails() {
  finds critical
  run crategate run --to "$TO/failed" "${TAG_PUSH[@]}" --state .crategate-failed
  expect_failure 12 scan-policy 'scan of cell cpu-py3\.11: .*\(4 cells failed\)' .
  expect_match "table" "$OUT" "$CELL +passed [^ ]+ m?s +failed, 1 critical, 1 high"
  expect_no_tags "${REPOSITORIES[@]/#$TO/$TO/failed}"
}

it_refuses_records_that_contradict_the_plans_scan() {
  local record=.crategate/records/$CELL/record.json
  cp "$record" "$WORK/record.json"
  while read -r filter; do
    jq -cS "$filter" "$WORK/record.json" >"$record"
    run crategate verify --cell "$CELL"
    expect_failure 10 gate-refused 'scan-not-passed|config-differs|record-foreign|record-unreadable' .
  done <<'FILTERS'
del(.scan_result) | .scan = "not-scanned"
del(.scan_result)
.scan_result.counts.critical = 1
.scan_result.counts.critical = 1 | .scan_result.verdict = "failed" | .scan = "failed"
.scan_result.verdict = "passed" | .scan = "passed"
.scan_result.threshold = "none"
.scan_result.config_digest = "sha256:" + ("0" * 64)
.scan_result.plan_id = "sha256:" + ("0" * 64)
.scan_result.cell = "cuda-py3.11"
FILTERS
  cp "$WORK/record.json" "$record"
  run crategate verify --cell "$CELL"
  expect_ok
}

it_says_not_scanned_without_the_section() {
  sed -i '/^scan:/d' crategate.yml
  run crategate plan --to "$TO/plain" "${TAG_PUSH[@]}"
  expect_ok
  run crategate scan --cell "$CELL"
  expect_ok
  expect_match "log" "$OUT$ERR" 'not-scanned'
  run crategate run --to "$TO/plain" "${TAG_PUSH[@]}"
  expect_ok
  expect_match "table" "$OUT" "$CELL +passed [^ ]+ m?s +not-scanned "
  expect_equal "records" "$(cat .crategate/records/*/record.json | jq -r '.scan + " " + (has("scan_result") | tostring)' | sort -u)" \
    'not-scanned false'
  expect_equal "release.json" "$(jq -r '[.cells[] | .scan] | unique | join(" ")' .crategate/release.json)" not-scanned
}

run_cases
