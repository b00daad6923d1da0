#!/usr/bin/env bash
# Real registries: the conformance suite over them, and the registry commands; judged by crane, skopeo and regctl.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"

CRANE=$("$REPO/tools/engine" program crane)
REGCTL=$("$REPO/tools/engine" program regctl)
export CRATEGATE_REGISTRIES
CRATEGATE_REGISTRIES=$("$REPO/tools/registries" file distribution2-none distribution2-token-tls distribution3-none \
  distribution3-basic-tls ggcr ggcr-referrers)
export PATH=$WORK/bin:$PATH HOME=$WORK/home
export CRATEGATE_LEFT_BEHIND=$WORK/left-behind.json

about() { jq -r --arg name "$1" --arg field "$2" '.[] | select(.name == $name) | .[$field]' "$CRATEGATE_REGISTRIES"; }
PLAIN=$(about distribution2-none host)
TOKEN=$(about distribution2-token-tls host)
BASIC=$(about distribution3-basic-tls host)
OTHER=$(about distribution3-none host)
MEMORY=$(about ggcr host)
REFERRERS=$(about ggcr-referrers host)
PASSWORD=$(about distribution2-token-tls password)
SERVERS=$(dirname "$(about distribution2-token-tls ca_file)")
SSL_CERT_FILE=$(about distribution2-token-tls ca_file)
export SSL_CERT_FILE
unset SSL_CERT_DIR

# --- the others -----------------------------------------------------------------------------------------------------

# The docker configuration with the logins of all registries, and what regctl wants to be told about plain ones.
export DOCKER_CONFIG=$WORK/logged-in
mkdir "$DOCKER_CONFIG" "$WORK/anonymous"
echo '{}' >"$WORK/anonymous/config.json"
jq '{auths: (map(select(.auth != "none") | {(.host): {auth: ("\(.username):\(.password)" | @base64)}}) | add)}' \
  "$CRATEGATE_REGISTRIES" >"$DOCKER_CONFIG/config.json"
export REGISTRY_AUTH_FILE=$DOCKER_CONFIG/config.json
PLAIN_HOSTS=$(jq -r 'map(select(.ca_file == "") | .host) | join(" ")' "$CRATEGATE_REGISTRIES")
regctl() {
  local host
  for host in $PLAIN_HOSTS; do set -- --host "reg=$host,tls=disabled" "$@"; done
  "$REGCTL" --verbosity error "$@"
}
tls() { if [[ " $PLAIN_HOSTS " == *" ${1%%/*} "* ]]; then echo --tls-verify=false; else echo --tls-verify=true; fi; }

crane_digest() { "$CRANE" digest "$1"; }
skopeo_digest() { # the digest of what it gets, by the algorithm of the other digest
  local algorithm=${2%%:*}
  echo "$algorithm:$(skopeo inspect "$(tls "$1")" --raw "docker://$1" | "${algorithm}sum" | cut -d' ' -f1)"
}
regctl_digest() { regctl manifest head "$1"; }

# whole REFERENCE: skopeo reads every byte of it and of all that it names; crane unpacks the layers as well.
whole() {
  local folder verify
  folder=$(mktemp -d -p "$WORK")
  verify=$(tls "$1")
  skopeo --insecure-policy copy --quiet --all "--src-${verify#--}" "docker://$1" "dir:$folder" || return
  rm -rf "$folder"
  valid "$1"
}
valid() { "$CRANE" validate --remote "$1" >/dev/null; }

# judge REFERENCE DIGEST [whole|valid|dangles]: a line for each client that sees something else.
judge() {
  local client found
  for client in crane skopeo regctl; do
    found=$("${client}_digest" "$1" "$2" 2>/dev/null) || true # now and then one prints a warning that ggcr makes up
    [[ $found == "$2" ]] || echo "$1: $client sees ${found:-nothing}, not $2"
  done
  [[ ${3-} == dangles ]] || found=$("${3-whole}" "$1" 2>&1) || echo "$1: not whole: ${found:0:300}"
}

export CRANE REGCTL PLAIN_HOSTS WORK
export -f judge whole valid crane_digest skopeo_digest regctl_digest regctl tls

expect_judged() { # REFERENCE DIGEST
  expect_equal "what crane, skopeo and regctl see" "$(judge "$1" "$2")" ""
}

# --- content --------------------------------------------------------------------------------------------------------

# image REFERENCE [TEXT]: one layer with the text in a file; made by crane.
image() {
  local folder
  folder=$(mktemp -d -p "$WORK")
  echo "${2-$1}" >"$folder/file"
  tar -C "$folder" -czf "$WORK/layer.tar.gz" file
  "$CRANE" append --oci-empty-base --new_layer "$WORK/layer.tar.gz" --new_tag "$1" >/dev/null 2>&1
}

# index REPOSITORY: two images, an index of them, tagged `all`, and an SBOM that refers to the index.
index() {
  image "$1:one"
  image "$1:two"
  "$CRANE" index append --tag "$1:all" --manifest "$1:one" --manifest "$1:two" >/dev/null 2>&1
  echo '{"bomFormat": "CycloneDX"}' >"$WORK/sbom.json"
  regctl artifact put --artifact-type application/vnd.cyclonedx+json --subject "$1:all" --file "$WORK/sbom.json"
}

referrers() { regctl artifact list --format '{{range .Descriptors}}{{println .Digest}}{{end}}' "$1" | sort; }

# token_server PATH [OPTION...]: a request to the one with TLS; its log.
token_server() { curl -fsS --cacert "$SSL_CERT_FILE" "${@:2}" "https://localhost:$(<"$SERVERS/token-server-tls/port")/$1"; }
TOKENS_LOG=$SERVERS/token-server-tls/requests

# mark NAME: how long a registry's access log is; since NAME MARK REGEX: how many such requests came later.
mark() { wc -l <"$SERVERS/$1/log"; }
since() { tail -n "+$(($2 + 1))" "$SERVERS/$1/log" | grep -cE "\"($3)" || true; }

# --- cases ----------------------------------------------------------------------------------------------------------

# The scripted registry has an entry of its own.
it_satisfies_the_conformance_suite() {
  run "$CRATEGATE_CONFORMANCE" --gtest_brief=1 --gtest_filter='-*Strict*'
  expect_ok
  expect_match "tests" "$OUT" '[1-9][0-9]* tests from .* ran'
  sed -n 's/^\[=*\] \(.* ran\)/conformance: \1/p' <<<"$OUT"
}

it_leaves_behind_what_other_clients_see_as_well() {
  local count
  count=$(jq length "$CRATEGATE_LEFT_BEHIND")
  expect_match "references left behind" "$count" '^[1-9]'
  # A list in a list, as some of them are, is none for skopeo: crane reads the bytes.
  jq -r '.[] | "\(.reference) \(.digest) \(if .dangles == "" then "valid" else "dangles" end)"' \
    "$CRATEGATE_LEFT_BEHIND" | sort -u >"$WORK/left"
  expect_equal "disagreements" "$(xargs -a "$WORK/left" -P "$(nproc)" -L 1 bash -c 'judge "$@"' judge)" ""
  echo "crane, skopeo and regctl agree about $(wc -l <"$WORK/left") references"
  jq -r 'map(select(.dangles != "") | .dangles) | group_by(.)[] | "\(length) of them dangle: \(.[0])"' \
    "$CRATEGATE_LEFT_BEHIND"
}

it_copies_an_index_with_its_children_and_referrers() {
  local digest
  index "$TOKEN/private/source"
  digest=$("$CRANE" digest "$TOKEN/private/source:all")
  run crategate registry copy "$TOKEN/private/source:all" "$BASIC/copied/target:1"
  expect_ok
  expect_judged "$BASIC/copied/target:1" "$digest"
  expect_judged "$BASIC/copied/target@$("$CRANE" digest "$TOKEN/private/source:two")" "$("$CRANE" digest "$TOKEN/private/source:two")"
  run "$CRANE" validate --remote "$BASIC/copied/target:1"
  expect_ok
  expect_equal "referrers" "$(referrers "$BASIC/copied/target@$digest")" "$(referrers "$TOKEN/private/source@$digest")"
  expect_match "referrers" "$(referrers "$BASIC/copied/target@$digest")" '^sha256:'
}

it_copies_referrers_between_the_tag_and_the_api() {
  local digest
  index "$REFERRERS/private/source"
  digest=$("$CRANE" digest "$REFERRERS/private/source:all")
  run crategate registry copy "$REFERRERS/private/source:all" "$OTHER/from/api:1"
  expect_ok
  expect_equal "referrers by the tag" "$(referrers "$OTHER/from/api@$digest")" "$(referrers "$REFERRERS/private/source@$digest")"
  run crategate registry copy "$OTHER/from/api:1" "$REFERRERS/from/tag:1"
  expect_ok
  expect_equal "referrers by the API" "$(referrers "$REFERRERS/from/tag@$digest")" "$(referrers "$REFERRERS/private/source@$digest")"
  expect_match "referrers" "$(referrers "$REFERRERS/from/tag@$digest")" '^sha256:'
}

it_mounts_within_one_registry() {
  local start digest
  image "$PLAIN/mounted/source:1"
  digest=$("$CRANE" digest "$PLAIN/mounted/source:1")
  start=$(mark distribution2-none)
  run crategate registry copy "$PLAIN/mounted/source@$digest" "$PLAIN/mounted/target:1"
  expect_ok
  expect_judged "$PLAIN/mounted/target:1" "$digest"
  expect_equal "uploads of bytes" "$(since distribution2-none "$start" '(PUT|PATCH) /v2/mounted/target/blobs/')" 0
  expect_match "mounts" "$(since distribution2-none "$start" 'POST /v2/mounted/target/blobs/uploads/[^ ]*mount=')" '^[1-9]'
}

it_copies_to_a_layout_and_back() {
  local digest
  index "$OTHER/layout/source"
  digest=$("$CRANE" digest "$OTHER/layout/source:all")
  run crategate registry copy "$OTHER/layout/source:all" "oci:$WORK/layout:kept"
  expect_ok
  expect_equal "digest in the layout" "$(regctl manifest head "ocidir://$WORK/layout:kept")" "$digest"
  run crategate registry copy "oci:$WORK/layout:kept" "$MEMORY/layout/target:1"
  expect_ok
  expect_judged "$MEMORY/layout/target:1" "$digest"
  run "$CRANE" validate --remote "$MEMORY/layout/target:1"
  expect_ok
}

it_removes_no_tag_when_one_of_them_is_not_there() {
  local name
  image "$MEMORY/public/untagged:1"
  for name in a b; do
    run crategate registry copy "$MEMORY/public/untagged:1" "oci:$WORK/untagged:$name"
    expect_ok
  done
  run crategate registry untag "oci:$WORK/untagged:a" "oci:$WORK/untagged:misspelt"
  expect_failure 22 not-found "oci:$WORK/untagged:misspelt" 'registry ls'
  run crategate registry ls "oci:$WORK/untagged"
  expect_equal "names" "$(sort <<<"$OUT" | tr '\n' ' ')" "a b "
  run crategate registry untag "oci:$WORK/untagged:a" "oci:$WORK/untagged:a"
  expect_ok
  run crategate registry ls "oci:$WORK/untagged"
  expect_equal "names" "$OUT" "b"
}

it_says_digests_and_tags_as_others_do() {
  local host number
  local -a references
  for host in "$PLAIN" "$TOKEN" "$BASIC" "$MEMORY"; do
    image "$host/public/tagged:t1"
    run crategate registry tag "$host/public/tagged:t1" t2 t3 t4
    expect_ok
    run crategate registry ls "$host/public/tagged"
    expect_ok
    expect_equal "tags" "$(sort <<<"$OUT")" "$("$CRANE" ls "$host/public/tagged" | sort)"
    references=()
    for number in 1 2 3 4; do references+=("$host/public/tagged:t$number"); done
    run crategate registry digest "${references[@]}"
    expect_ok
    expect_equal "digests" "$(grep -oE 'sha256:[0-9a-f]{64}' <<<"$OUT")" "$(for number in 1 2 3 4; do "$CRANE" digest "$host/public/tagged:t$number"; done)"
    run crategate registry digest --json "${references[0]}"
    expect_ok
    expect_match "JSON" "$(jq -c . <<<"$OUT")" "$("$CRANE" digest "${references[0]}")"
  done
}

it_shows_a_manifest_as_it_is() {
  index "$TOKEN/private/shown"
  run crategate registry inspect --json "$TOKEN/private/shown:all"
  expect_ok
  expect_match "digest" "$(jq -c . <<<"$OUT")" "$("$CRANE" digest "$TOKEN/private/shown:all")"
  expect_match "children" "$OUT" "$("$CRANE" digest "$TOKEN/private/shown:two")"
}

it_pulls_without_a_login_what_is_public() {
  image "$TOKEN/public/open:1"
  image "$TOKEN/private/closed:1"
  export DOCKER_CONFIG=$WORK/anonymous
  run crategate registry digest "$TOKEN/public/open:1"
  expect_ok
  run crategate registry digest "$TOKEN/private/closed:1"
  expect_failure 20 unauthenticated "$TOKEN" '(login|username)'
}

it_takes_a_login_from_a_credential_helper() {
  helper writer "$PASSWORD"
  image "$TOKEN/private/helped:1"
  export DOCKER_CONFIG=$WORK/helped
  run crategate registry digest "$TOKEN/private/helped:1"
  expect_ok
  expect_equal "questions of the helper" "$(sort -u "$WORK/helper-asked")" "get $TOKEN"
  expect_no_match "output" "$OUT$ERR" "$PASSWORD"
}

# An identity token: the helper gives a refresh token instead of a password.
it_takes_a_refresh_token_from_a_credential_helper() {
  local refresh
  image "$TOKEN/private/renewed:1"
  refresh=$(token_server 'token?service=distribution2-token-tls&offline_token=true' --user "writer:$PASSWORD" | jq -r .refresh_token)
  helper '<token>' "$refresh"
  export DOCKER_CONFIG=$WORK/helped
  run crategate registry digest "$TOKEN/private/renewed:1"
  expect_ok
  expect_match "the token server's log" "$(tail -n 1 "$TOKENS_LOG")" '"grant": "refresh_token".*"status": 200'
  expect_no_match "output" "$OUT$ERR" "$refresh"
}

# helper USER SECRET: docker-credential-tests on PATH, and a configuration that names it for one registry.
helper() {
  mkdir -p "$WORK/helped"
  : >"$WORK/helper-asked"
  jq -n --arg host "$TOKEN" '{credHelpers: {($host): "tests"}}' >"$WORK/helped/config.json"
  jq -n --arg user "$1" --arg secret "$2" --arg host "$TOKEN" '{ServerURL: $host, Username: $user, Secret: $secret}' >"$WORK/helper-answer"
  cat >"$WORK/bin/docker-credential-tests" <<HELPER
#!/bin/sh
read -r server
echo "\$1 \$server" >>"$WORK/helper-asked"
cat "$WORK/helper-answer"
HELPER
  chmod 755 "$WORK/bin/docker-credential-tests"
}

it_checks_a_login() {
  run crategate registry auth-check "$TOKEN/private/checked"
  expect_ok
  expect_match "user" "$OUT$ERR" 'writer'
  export DOCKER_CONFIG=$WORK/anonymous
  run crategate registry auth-check "$TOKEN/private/checked"
  expect_failure 20 unauthenticated "$TOKEN" '(login|username)'
  export WRONG=wrong-password
  run crategate registry auth-check "$BASIC" --registry "$BASIC" --username writer --password env:WRONG
  expect_failure 20 unauthenticated "$BASIC" '.'
  expect_no_match "output" "$OUT$ERR" 'wrong-password'
}

it_lets_a_reader_read_and_says_what_is_missing_to_write() {
  image "$TOKEN/private/read:1"
  export DOCKER_CONFIG=$WORK/anonymous
  local -a reader=(--registry "$TOKEN" --username reader --password env:READER)
  READER=$(about distribution2-token-tls reader | jq -r .password)
  export READER
  run crategate registry digest "$TOKEN/private/read:1" "${reader[@]}"
  expect_ok
  run crategate registry tag "$TOKEN/private/read:1" other "${reader[@]}"
  ((STATUS == 20 || STATUS == 21)) || fail "exit 20 or 21"
  expect_match "message" "$ERR" "$TOKEN/private/read"
  expect_no_match "output" "$OUT$ERR" "$READER"
  expect_equal "tags" "$("$REGCTL" tag ls "$TOKEN/private/read" 2>/dev/null || DOCKER_CONFIG=$WORK/logged-in "$CRANE" ls "$TOKEN/private/read")" "1"
}

# B06
it_waits_where_the_token_server_says_so() {
  image "$TOKEN/private/limited:1"
  token_server settings --data 'refuse=1&retry-after=1' >/dev/null
  run crategate registry digest "$TOKEN/private/limited:1"
  token_server settings --data refuse=0 >/dev/null
  expect_ok
  expect_match "the token server's log" "$(tail -n 2 "$TOKENS_LOG" | jq -s -c 'map(.status)')" '^\[429,200\]$'
}

# B16
it_refuses_a_registry_whose_certificate_nobody_vouches_for() {
  export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
  run crategate registry digest "$TOKEN/public/any:1"
  ((STATUS == 24 || STATUS == 25)) || fail "exit 24 or 25"
  expect_match "message" "$ERR" '[Cc]ertificate'
}

run_cases
