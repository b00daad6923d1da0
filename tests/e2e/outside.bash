#!/usr/bin/env bash
# What is outside fails: the engine, the registry, the disk.
# shellcheck disable=SC2016  # jq's variables, a hash
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
tiny_project "$WORK/project" 'exclude: [{runtime: cuda}, {python: "3.13"}]'
CELL=cpu-py3.11

# A server that answers every request as the file says: STATUS [HEADER:VALUE...].  Sets FAKE (host:port).
ANSWER=$WORK/answer
answer() { echo "$*" >"$ANSWER"; }
answer 500
python3 "$E2E/answering.py" "$ANSWER" >"$WORK/answering" 2>&1 &
echo $! >>"$WORK/started"
disown
wait_until 10 grep 'listening on' "$WORK/answering"
FAKE=localhost:$(sed -n 's/listening on //p' "$WORK/answering")

it_says_that_the_engine_is_not_running() {
  DOCKER_HOST=unix://$WORK/no.sock run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_failure 40 engine "no\\.sock" '(start|DOCKER_HOST)'
  DOCKER_HOST=unix://$WORK/no.sock run crategate build --cell $CELL
  expect_failure 40 engine "no\\.sock" '(start|DOCKER_HOST)'
  DOCKER_HOST=unix://$WORK/no.sock run crategate test --cell $CELL
  expect_failure 40 engine "no\\.sock" '(start|DOCKER_HOST)'
  expect_no_tags "$TO/tiny/app-$CELL"
}

it_plans_verifies_and_lists_without_an_engine() {
  DOCKER_HOST=unix://$WORK/no.sock run crategate plan --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  DOCKER_HOST=unix://$WORK/no.sock run crategate run --dry-run --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  DOCKER_HOST=unix://$WORK/no.sock run crategate verify
  expect_failure 10 gate-refused 'record-missing' '.'
}

it_names_a_build_that_fails() {
  echo 'RUN echo something went wrong >&2; exit 3' >>docker/Dockerfile.mustache
  run crategate run --to "$TO" "${TAG_PUSH[@]}"
  expect_failure 40 engine "build of cell $CELL: .*something went wrong" "^→ crategate build --cell $CELL\$"
  run crategate build --cell "$CELL" # that command repeats it
  expect_failure 40 engine "build of cell $CELL: .*something went wrong" 'crategate build'
  expect_no_tags "$TO/tiny/app-$CELL"
  sed -i '$d' docker/Dockerfile.mustache
}

it_says_that_the_registry_is_down() {
  run crategate run --to localhost:1/none "${TAG_PUSH[@]}"
  expect_failure 24 unavailable 'localhost:1' '.'
  expect_no_match "stderr: nothing was built" "$ERR" "$CELL: build"
}

it_ends_when_the_registry_goes_away_before_the_push() {
  own_registry leaving
  run crategate plan --to "$OWN" "${TAG_PUSH[@]}"
  run crategate generate
  run crategate build --cell $CELL
  run crategate test --cell $CELL
  run crategate digest --cell $CELL
  expect_ok
  kill -KILL "$OWN_PID"
  run crategate push
  expect_failure 24 unavailable "$OWN" '.'
}

it_tells_refusals_of_a_registry_apart() {
  local -a kinds=(
    "20 unauthenticated 401"
    "20 unauthenticated 401 WWW-Authenticate:Basic_realm=x"
    "21 forbidden 403"
    "24 unavailable 500"
    "24 unavailable 503"
    "23 rate-limited 429 Retry-After:600"
  )
  local kind
  local -a words
  rm -rf .crategate
  run crategate plan --to "$FAKE/refused" "${TAG_PUSH[@]}"
  expect_ok
  run crategate build --cell $CELL
  expect_ok
  run crategate test --cell $CELL
  expect_ok
  for kind in "${kinds[@]}"; do
    read -ra words <<<"$kind"
    answer "${words[@]:2}"
    run crategate digest --cell $CELL
    expect_failure "${words[0]}" "${words[1]}" "$FAKE" '.'
    expect_equal "records" "$(ls .crategate/records 2>/dev/null || true)" ""
  done
}

it_does_not_take_a_strange_server_for_a_registry() {
  local kind
  for kind in '200 Content-Type:text/html' '201' '202' '302 Location:http://127.0.0.1:1/' '404' '200 Docker-Content-Digest:sha256:nonsense'; do
    answer "$kind"
    run timeout 30 crategate digest --cell $CELL
    ((STATUS >= 20 && STATUS <= 25)) || fail "exit 20 to 25 for $kind"
    expect_equal "records" "$(ls .crategate/records 2>/dev/null || true)" ""
  done
  answer 500
  run crategate run --to "$FAKE/refused" "${TAG_PUSH[@]}"
  expect_failure 24 unavailable "$FAKE" '.'
}

it_logs_in_where_a_registry_demands_it() {
  # tester and a password that is used nowhere else, by bcrypt with the lowest cost
  echo 'tester:$2b$04$IJg8KdlIRuplAhKQD7X6tuJC6CquH92DP9e/2.BIghJXHZWcp0nmy' >"$WORK/htpasswd"
  own_registry login "auth: {htpasswd: {realm: test, path: $WORK/htpasswd}}"
  local config
  config=$(mktemp -d -p "$WORK")
  # The engine's own client configuration, less any login.
  cp -R "$DOCKER_CONFIG/." "$config"
  export DOCKER_CONFIG=$config
  run crategate run --to "$OWN/closed" "${TAG_PUSH[@]}"
  expect_failure 20 unauthenticated "$OWN" '(login|username)'
  expect_no_match "output" "$OUT$ERR" 'hunter2-of-e2e'
  run env PASSWORD=wrong-password crategate run --to "$OWN/closed" "${TAG_PUSH[@]}" --registry "$OWN" --username tester --password env:PASSWORD
  expect_failure 20 unauthenticated "$OWN" '.'
  expect_no_match "output" "$OUT$ERR$(grep -r wrong-password .crategate || true)" 'wrong-password'
  run env PASSWORD=hunter2-of-e2e crategate run --to "$OWN/closed" "${TAG_PUSH[@]}" --registry "$OWN" --username tester --password env:PASSWORD
  expect_ok
  expect_no_match "output and state" "$OUT$ERR$(grep -r hunter2-of-e2e .crategate || true)" 'hunter2-of-e2e'
  expect_equal "tags" "$(curl -fsS -u tester:hunter2-of-e2e "http://$OWN/v2/closed/tiny/app-$CELL/tags/list" | jq -c '.tags | sort')" '["latest","v1.2.3"]'
  # And with the login of the Docker client.
  jq --arg host "$OWN" --arg auth "$(printf tester:hunter2-of-e2e | base64)" '.auths[$host] = {auth: $auth}' "$config/config.json" >"$WORK/config.json" 2>/dev/null ||
    jq -n --arg host "$OWN" --arg auth "$(printf tester:hunter2-of-e2e | base64)" '{auths: {($host): {auth: $auth}}}' >"$WORK/config.json"
  cp "$WORK/config.json" "$config/config.json"
  run crategate run --to "$OWN/closed-too" "${TAG_PUSH[@]}"
  expect_ok
}

it_says_that_the_disk_is_full() {
  mkdir -p .crategate
  rm -rf .crategate/*
  as_root mount -t tmpfs -o size=1m tmpfs "$PWD/.crategate"
  as_root chown "$(id -u):$(id -g)" "$PWD/.crategate"
  run crategate run --to "$TO/full" "${TAG_PUSH[@]}"
  expect_failure 41 no-space '.' 'space'
  expect_no_tags "$TO/full/tiny/app-$CELL"
  expect_equal "temporary files" "$(find .crategate -name 'crategate-*')" ""
  dd if=/dev/zero of=.crategate/filler bs=1k 2>/dev/null || true
  run crategate plan --to "$TO/full" "${TAG_PUSH[@]}"
  expect_failure 41 no-space '.' 'space'
  as_root umount "$PWD/.crategate"
}

run_cases
