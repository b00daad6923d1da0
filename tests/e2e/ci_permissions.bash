#!/usr/bin/env bash
# Every permission of the CI image's workflows, and of /regen's, is taken away in turn, at a strict GitHub (tests/github) or at a registry with tokens in
# the place of ghcr.io: what the stage then says names the permission as the workflow has it.
# shellcheck source=tests/e2e/lib.bash
# shellcheck disable=SC2119  # pull_request without an argument is one of the repository itself
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"
# shellcheck source=tests/e2e/regen_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/regen_fixture.bash"
IMAGE=ghcr.io/tiny/app/ci
export SSL_CERT_FILE=$WORK/tls.pem
unset SSL_CERT_DIR

# What cannot be taken away here, and is in other tests: the engine pulls by itself, and knows another ghcr.io (wire/docker/engine_test);
# git pushes to a path, which asks nobody (unit/git/https_remote_test).
ELSEWHERE=(without_regen_generate_packages without_regen_apply_contents)

# permissions: FILE JOB NAME LEVEL of each permission; those of the checkout are no stage's.
permissions() {
  python3 - "$REPO"/.github/workflows/{ci-image,build-ci-image,regen}.yml <<'PYTHON'
import pathlib, sys, yaml
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    for job, body in yaml.safe_load(path.read_text())['jobs'].items():
        for permission, level in body['permissions'].items():
            if (permission, level) != ('contents', 'read'):
                print(path.stem, job, permission, level)
PYTHON
}

# ghcr: a registry in its place, where the password of a user is its name: writer, reader, and nobody, who may do nothing.
ghcr() {
  local token
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ghcr.io -addext subjectAltName=DNS:ghcr.io \
    -keyout "$WORK/tls.key" -out "$WORK/tls.pem" 2>/dev/null
  jq -n '{writer: ["pull", "push"], reader: ["pull"], nobody: []} | with_entries(.value = {password: .key, actions: .value})' \
    >"$WORK/users"
  token=$(free_port)
  "$REPO/tests/support/token_server.py" --port "$token" --users "$WORK/users" --key "$WORK/tls.key" \
    --certificate "$WORK/tls.pem" --log "$WORK/tokens" --tls-key "$WORK/tls.key" --tls-certificate "$WORK/tls.pem" &
  echo $! >>"$WORK/started"
  REGISTRY_HTTP_TLS_CERTIFICATE=$WORK/tls.pem REGISTRY_HTTP_TLS_KEY=$WORK/tls.key own_registry ghcr \
    "auth: {token: {realm: 'https://ghcr.io:444/token', service: ghcr, issuer: crategate-token-server, rootcertbundle: '$WORK/tls.pem'}}"
  "$REPO/tests/support/connect_proxy.py" "ghcr.io:443=${OWN#*:}" "ghcr.io:444=$token" >"$WORK/proxy" &
  echo $! >>"$WORK/started"
  wait_until 10 cat "$WORK/proxy"
}

# stage STAGE USER [VARIABLE=VALUE...]: as a step whose token is that user's at the registry.
stage() {
  ask_github "$1" "HTTPS_PROXY=http://127.0.0.1:$(<"$WORK/proxy")" INPUT_REGISTRY=ghcr.io "INPUT_USERNAME=$2" \
    "INPUT_PASSWORD=$2" "INPUT_CI-IMAGE-GENERATE=[make, gen]" INPUT_CI-IMAGE-WAIT-INTERVAL=1s INPUT_CI-IMAGE-WAIT-TIMEOUT=10s "${@:3}"
}

# without PERMISSION [LEVEL]: a GitHub where the job's token has no more of it.
without() {
  github
  state pull --number 7 --head-sha "$HEAD"
  state run --id 30 --sha "$HEAD" --workflow build-ci-image.yml --event pull_request --pull 7 --status completed --conclusion success
  [[ -z ${1-} ]] || state permission --token "$JOB_TOKEN" --name "$1" --level "${2-none}"
}

it_works_with_what_the_workflows_ask_for() {
  ci_project
  push_to_fix ci.Dockerfile 'FROM crategate/busybox:1 AS own'
  pull_request
  ghcr
  without
  stage build-ci-image writer
  expect_ok
  expect_match image "$(output image)" "^$IMAGE@sha256:"
  stage wait-image reader
  expect_ok
  expect_no_match "what it says" "$OUT$ERR" 'permissions:'
  stage comment reader
  expect_ok
  expect_no_match "what it says" "$OUT$ERR" 'permissions:'
}

without_ci_image_image_packages() {
  without
  stage wait-image nobody
  expect_failure 21 forbidden "$IMAGE" .
}

without_ci_image_image_actions() {
  without actions
  stage wait-image reader
  expect_failure 21 forbidden 'list the workflow runs' .
}

without_ci_image_image_pull_requests() {
  without pull-requests
  state run --id 30 --status completed --conclusion cancelled # as a newer push does
  stage wait-image reader
  expect_failure 14 awaited-build-failed 'was cancelled' .
}

without_build_ci_image_build_packages() {
  without
  rm -rf .crategate
  for user in nobody reader; do
    stage build-ci-image "$user"
    expect_failure 21 forbidden 'before anything is built' 'permissions: packages: write'
  done
  [[ ! -e .crategate/logs ]] || fail "nothing was built"
}

without_build_ci_image_comment_packages() {
  without
  stage comment nobody
  expect_failure 21 forbidden "$IMAGE" .
}

without_build_ci_image_comment_pull_requests() {
  local level
  for level in read none; do
    without pull-requests $level
    state permission --token "$JOB_TOKEN" --name issues --level none
    stage comment reader
    expect_ok
    expect_match "warning without more than $level" "$OUT$ERR" '::warning .*permissions: pull-requests: write'
  done
}

# asked_for: a comment /regen of a writer at the pull request whose image `it_works_…` has built.
asked_for() {
  without "$@"
  state user --login alice --id 5 --level write
  state comment add --issue 7 --id 1001 --login alice --user-id 5
  state permission --token "$JOB_TOKEN" --name issues --level none
  comment /regen
  as_runner issue_comment refs/heads/main "$PAYLOAD"
}

without_regen_authorise_packages() {
  asked_for
  stage authorise-regen nobody
  expect_failure 21 forbidden "$IMAGE" .
}

without_regen_authorise_actions() {
  asked_for actions
  stage authorise-regen reader
  expect_failure 21 forbidden 'list the workflow runs' .
}

without_regen_authorise_pull_requests() {
  asked_for pull-requests read
  stage authorise-regen reader
  expect_ok
  expect_match warning "$OUT$ERR" '::warning .*permissions: pull-requests: write'
}

without_regen_apply_pull_requests() { # without the patch of a job before, which is what the answer says then
  asked_for pull-requests read
  stage apply-regen reader "INPUT_SHA=$HEAD" INPUT_PULL-REQUEST=7 "INPUT_REGEN-IMAGE=$IMAGE@sha256:$(printf '%064d' 0)"
}

it_names_each_permission_that_is_missing() {
  local file job name level row
  local -a rows=()
  cd "$WORK/project"
  pull_request
  while read -r file job name level; do
    row=without_${file//-/_}_${job//-/_}_${name//-/_}
    [[ " ${ELSEWHERE[*]} " != *" $row "* ]] || continue
    rows+=("$row")
    declare -F "$row" >/dev/null || fail "a case $row, for job $job of $file.yml asks for $name: $level"
    "$row"
    expect_match "what is said without $name: $level of job $job in $file.yml" "$OUT$ERR" "permissions: $name: $level"
  done < <(permissions)
  expect_equal "cases" "$(declare -F | grep -o 'without_.*' | sort)" "$(printf '%s\n' "${rows[@]}" | sort)"
}

run_cases
