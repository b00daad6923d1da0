#!/usr/bin/env bash
# gate.mode: rebuild: tested on one engine, built once more on another one that has nothing of it, compared, published.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
BUILDER=$("$REPO/tools/engine" builder-image --store classic 2>/dev/null)
BASE=$TO/base/os:1
docker tag crategate/busybox:1 "$BASE"
docker push --quiet "$BASE" >/dev/null
docker image rm "$BASE" >/dev/null

# The engine whose builders begin with nothing: each command has a BuildKit of its own.
FRESH=classic

# project NAME LINE-OF-CONFIGURATION...: two cells whose files, directories and RUN have times of their own.
project() {
  local name=$1
  shift
  use_store containerd
  tiny_project "$WORK/$name" 'exclude: [{runtime: cuda}]' "$@"
  sed -i "s|{device: \"-1\"}|{device: \"-1\", base: \"$BASE\"}|" crategate.yml
  [[ -z ${CACHE-} ]] || sed -i "s|^cache: .*|$CACHE|" crategate.yml
  printf '%s\n' 'FROM {{base}}' 'ARG SOURCE_DATE_EPOCH' 'WORKDIR /opt/app' 'COPY src .' \
    "RUN mkdir made && echo \"\$SOURCE_DATE_EPOCH\" >made/epoch && ${RUN-true}" \
    'ENV DEVICE={{device}} PYTHON={{python}}' >docker/Dockerfile.mustache
  commit 'Times of all kinds'
  git tag --force v1.2.3 >/dev/null
  REPOSITORIES=("$TO/$name/tiny/app-cpu-py3.11" "$TO/$name/tiny/app-cpu-py3.13")
  run crategate plan --to "$TO/$name" "${TAG_PUSH[@]}"
  expect_ok
  run crategate generate
  expect_ok
}

# tested STORE: both cells, on that engine.
tested() {
  local cell stage
  use_store "$1"
  for cell in cpu-py3.11 cpu-py3.13; do
    for stage in build test digest; do
      run crategate "$stage" --cell "$cell" --build-builder-image "$BUILDER"
      expect_ok
    done
  done
  expect_equal "no candidate" "$(jq -r .candidate .crategate/records/*/record.json | sort -u)" ""
  expect_no_tags "${REPOSITORIES[@]}"
}

# elsewhere COMMAND...: where nothing of the images is.
elsewhere() {
  use_store "$FRESH"
  run crategate "$@" --build-builder-image "$BUILDER"
}

# What a registry serves, without crategate: layers' diff IDs and configuration.
expect_image_of_record() { # REFERENCE CELL
  local config
  config=$(skopeo inspect --tls-verify=false --config --raw "docker://$1")
  expect_equal "layers of $1" "$(jq -c .rootfs.diff_ids <<<"$config")" "$(jq -c .diff_ids ".crategate/records/$2/record.json")"
  expect_equal "configuration of $1" "$(jq -cS .config <<<"$config")" \
    "$(jq -r .rebuild.config ".crategate/records/$2/record.json" | jq -cS .config)"
}

it_publishes_the_very_build_that_it_compared() {
  local cell
  RUN='head -c 16 /dev/urandom >made/random' project strict 'gate: {mode: rebuild}' # only the cache can bring that back
  tested "$FRESH"
  elsewhere verify --dry-run
  expect_ok
  expect_match "dry run" "$OUT" "--cache-from=type=registry,ref=$TO/strict/tiny/cache:cpu-py3.11-[0-9a-f]{12} "
  [[ ! -e .crategate/rebuilt ]] || fail "a dry run builds nothing"
  elsewhere verify
  expect_ok
  expect_match "verdict" "$OUT" '2 of 2 cells admitted'
  expect_no_tags "${REPOSITORIES[@]}"
  elsewhere push
  expect_ok
  elsewhere release
  expect_ok
  for cell in cpu-py3.11 cpu-py3.13; do
    expect_equal "version tag of $cell" "$(manifest_digest "$TO/strict/tiny/app-$cell:v1.2.3")" \
      "$(jq -r .manifest_digest ".crategate/rebuilds/$cell.json")"
    expect_equal "latest of $cell" "$(manifest_digest "$TO/strict/tiny/app-$cell:latest")" \
      "$(jq -r .manifest_digest ".crategate/rebuilds/$cell.json")"
    expect_image_of_record "$TO/strict/tiny/app-$cell:v1.2.3" "$cell"
  done
  run crategate report
  expect_ok
  expect_match "report" "$OUT" '2 of 2 images published'
}

# A86: what a cache has become since the tests is published by nobody.
it_publishes_nothing_when_the_cache_was_written_since() {
  local cache
  RUN='head -c 16 /dev/urandom >made/random' project poisoned 'gate: {mode: rebuild, rebuild: content}'
  tested "$FRESH"
  cache=$(tags "$TO/poisoned/tiny/cache" | tr ' ' '\n' | grep '^cpu-py3.13-')
  use_store containerd
  docker buildx build --quiet --no-cache --provenance=false --file docker/dockerfiles/Dockerfile.cpu-py3.13 \
    --cache-to "type=registry,ref=$TO/poisoned/tiny/cache:$cache,mode=max" --output type=cacheonly .
  elsewhere verify
  expect_failure 10 gate-refused '1 of 2 cells refused; cpu-py3\.13: content-differs: .*layer [0-9]+ \(RUN ' 'cpu-py3\.13'
  elsewhere push
  expect_failure 10 gate-refused 'nothing was published' '.'
  expect_no_tags "${REPOSITORIES[@]}"
}

it_admits_other_times_only_where_it_was_told_so() {
  CACHE='# no cache' project content 'gate: {mode: rebuild, rebuild: content}'
  tested containerd # its BuildKit is of another version, which takes no layers over
  sleep 1
  elsewhere verify
  expect_ok
  echo 'someone else' >>src/hello
  elsewhere verify # what is there already is judged again, not built
  expect_ok
  rm -r .crategate/rebuilds
  elsewhere verify
  expect_failure 10 gate-refused '2 of 2 cells refused; .*content-differs' '.'
  elsewhere push
  expect_failure 10 gate-refused 'nothing was published' '.'
  expect_no_tags "${REPOSITORIES[@]}"
}

it_runs_all_of_it_by_one_command() {
  project whole 'gate: {mode: rebuild}'
  run crategate run --dry-run --to "$TO/whole" "${TAG_PUSH[@]}"
  expect_ok
  expect_match "rebuilds" "$OUT" '# rebuilds, which the gate compares with what was tested'
  expect_match "tags" "$OUT" 'PUT .*tiny/app-cpu-py3.11:v1.2.3 sha256:<rebuilt>'
  run crategate run --to "$TO/whole" "${TAG_PUSH[@]}"
  expect_ok
  expect_equal "tag" "$(manifest_digest "${REPOSITORIES[0]}:latest")" "$(jq -r .manifest_digest .crategate/rebuilds/cpu-py3.11.json)"
  run crategate run --to "$TO/whole" "${TAG_PUSH[@]}"
  expect_ok
  expect_match "stderr" "$ERR" 'nothing to do: every image of this plan is already proven and in place'
}

run_cases
