#!/usr/bin/env bash
# The generation of /regen: real commits of a bare repository, a real container, and generators that want out of it.
# shellcheck disable=SC2016,SC2317  # scripts for the container; a function that the library calls
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"
at_work() { REMOTE=$WORK/remote.git CANARY=$WORK/canary; }
at_work

# regen_project: a default branch that says what is run, a remote with pull request 7, and the image by digest.
regen_project() {
  ci_project
  git checkout --quiet main
  cat >>crategate.yml <<YAML
  generate: [sh, gen.sh]
regen: {remote: $REMOTE, timeout: 60s, memory-mib: 256, processes: 128}
YAML
  echo old >generated
  printf '%s\n' .crategate/ '*.ignored' >.gitignore
  commit 'What regen needs'
  git init --quiet --bare "$REMOTE"
  DIGEST=$(built latest "$(git rev-parse main)")
  echo "$DIGEST" >"$WORK/digest"
}

# generator: pull request 7 with the script of standard input.  Sets HEAD.
generator() {
  [[ -d $WORK/project ]] || regen_project
  [[ -n ${GITHUB-} ]] || github
  cd "$WORK/project"
  DIGEST=$(<"$WORK/digest")
  git checkout --quiet -B fix main
  cat >gen.sh
  commit 'A generator'
  HEAD=$(git rev-parse fix)
  git push --quiet --force "$REMOTE" fix:refs/pull/7/head
  git checkout --quiet main
  rm -rf .crategate "$CANARY"
}

# regen [VARIABLE=VALUE...]: the stage, as the second job has it.
regen() {
  as_runner issue_comment refs/heads/main '{"repository":{"id":1}}'
  ask_github regen INPUT_SHA="$HEAD" "INPUT_PULL-REQUEST=7" "INPUT_REGEN-IMAGE=$IMAGE@$DIGEST" "INPUT_REGEN-REMOTE=$REMOTE" "$@"
  [[ ! -e $CANARY ]] || fail "nothing ran outside of the container"
  [[ ! -e .crategate/regen/files ]] || fail "the folder is gone"
  expect_equal "containers left" "$(docker container ls --all --quiet --filter label=io.crategate.stage=regen --filter "volume=$PWD/.crategate/regen/files")" ""
}

files() { jq -r '.files[] | .change + " " + .path' .crategate/regen/regen.json | paste -sd ';'; }
log() { cat .crategate/logs/regen.log; }
# said NAME: what the generator has printed as NAME=VALUE.
said() { sed -n "s/^$1=//p" .crategate/logs/regen.log | paste -sd ' '; }

# expect_ends: each generator of standard input comes to its end: what it does @ exit code and name @ message @ regen.timeout.
expect_ends() {
  local -a row
  while IFS=@ read -ra row; do
    generator <<<"${row[0]//CANARY/$CANARY}"
    regen "INPUT_REGEN-TIMEOUT=${row[3]:-60s}"
    COMMAND="${row[0]}" expect_failure "${row[1]% *}" "${row[1]#* }" "${row[2]}" .
    expect_equal "what is left" "$(cat .crategate/regen/regen.json 2>/dev/null)" ''
  done
}

# Alone: other programs that fill the disk meanwhile would be taken for it.
it_ends_what_fills_the_disk_elsewhere() {
  expect_ends <<'ROWS'
for i in 3 4 5 6 7 8; do fallocate -l 500m f && eval "exec $i<f" && rm f; done; sleep 60@2 bad-input@stopped: the disk: expected at most 2.0 GiB less of free space
ROWS
}

it_makes_a_patch_of_what_the_command_changes() {
  generator <<'SH'
cat generated && echo new >generated && mkdir docs && printf 'a\0b' >docs/made && touch x.ignored && echo "$HOME" >home && touch "$HOME/elsewhere"
SH
  regen
  expect_ok
  expect_equal changed "$(output changed)" true
  expect_equal files "$(files)" 'added docs/made;modified generated;added home'
  expect_equal home "$(log | tail -n 1)" old
  expect_equal commit "$(jq -r .sha .crategate/regen/regen.json)" "$HEAD"
  expect_equal "pull request" "$(jq -r .pull_request .crategate/regen/regen.json)" 7
  expect_equal image "$(jq -r .image .crategate/regen/regen.json)" "$IMAGE@$DIGEST"
  expect_equal "digest of the patch" "$(jq -r .patch_sha256 .crategate/regen/regen.json)" "$(sha256sum <.crategate/regen/regen.patch | cut -d' ' -f1)"
  # Git itself, on that commit.
  git clone --quiet "$REMOTE" "$WORK/judge" 2>/dev/null
  git -C "$WORK/judge" fetch --quiet origin refs/pull/7/head
  git -C "$WORK/judge" checkout --quiet "$HEAD"
  run git -C "$WORK/judge" apply --index "$PWD/.crategate/regen/regen.patch"
  expect_ok
  expect_equal tree "$(git -C "$WORK/judge" write-tree)" "$(jq -r .tree .crategate/regen/regen.json)"
  expect_equal home "$(cat "$WORK/judge/home")" /tmp
  expect_equal "the checkout" "$(git status --porcelain)" ''
}

it_says_that_nothing_changed() {
  generator <<<'printf "old\n" >generated; mkdir -p empty/folder'
  regen
  expect_ok
  expect_equal changed "$(output changed)" false
  expect_equal files "$(files)" ''
  expect_equal patch "$(cat .crategate/regen/regen.patch)" ''
}

it_gives_the_command_nothing() {
  generator <<SH
needle=\$(printf %s%s ghs_ $TOKEN)
# In two steps: the program that looks must not be seen with what it looks for.
processes() { cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; }
IN_VARIABLES=needle /bin/sh -c 'sleep 9; : in-arguments' &
sleep 1
everywhere=\$(processes)
echo "control=\$(echo "\$everywhere" | grep -cF IN_VARIABLES=needle) \$(echo "\$everywhere" | grep -cF ': in-arguments')"
echo "processes=\$(echo "\$everywhere" | grep -cF "\$needle")"
echo "files=\$(printf %s "\$needle" | grep -rlsF -f /dev/stdin /bin /dev/shm /etc /home /root /run /tmp /usr /var /workspace | paste -sd ' ' -)"
echo "variables=\$(env | sed 's/^HOSTNAME=.*/HOSTNAME/' | sort | paste -sd ' ' -)"
echo "git=\$(find / -xdev -name .git 2>/dev/null)"
echo "sockets=\$(find / -xdev -type s 2>/dev/null)"
echo "interfaces=\$(ls /sys/class/net 2>/dev/null | paste -sd ' ' -)"
echo "capabilities=\$(sed -n 's/^Cap[A-Z][a-z]*:\t//p' /proc/self/status | sort -u | paste -sd ' ' -)"
echo "privileges=\$(sed -n 's/^NoNewPrivs:\t//p' /proc/self/status)"
echo "mounts=\$(awk '\$4 ~ /(^|,)rw(,|\$)/ && \$3 !~ /^(devpts|mqueue)\$/ && \$2 !~ /^\/(proc|sys)/ {print \$2}' /proc/mounts | sort | paste -sd ' ' -)"
echo "settings=\$(for at in /sys/fs/cgroup/x /proc/sys/kernel/x; do mkdir \$at 2>/dev/null; done; (echo 1 >/proc/sys/vm/overcommit_memory) 2>/dev/null && echo written)"
echo "parents=\$(ls -d /proc/[0-9]* | wc -l)"
(echo x >/root-file) 2>/dev/null && echo "root=written" || echo "root=read-only"
wget -q -T 2 -O- http://${REGISTRY/localhost/127.0.0.1}/v2/ >/dev/null 2>&1 && echo "network=reached" || echo "network=none"
SH
  export ACTIONS_ID_TOKEN_REQUEST_TOKEN=ghs_$TOKEN SOME_SECRET=ghs_$TOKEN
  regen
  expect_ok
  expect_match "what there is in processes" "$(said control)" '^[1-9][0-9]* [1-9]'
  expect_equal "token in processes" "$(said processes)" 0
  expect_equal "token in files" "$(said files)" ''
  expect_equal "variables" "$(said variables)" \
    'HOME=/tmp HOSTNAME PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PWD=/workspace SHLVL=1 TAG=latest'
  expect_equal ".git" "$(said git)" ''
  expect_equal sockets "$(said sockets)" ''
  expect_equal interfaces "$(said interfaces)" lo
  expect_equal capabilities "$(said capabilities)" 0000000000000000
  expect_equal "no new privileges" "$(said privileges)" 1
  expect_equal "writable" "$(said mounts)" '/dev /dev/shm /tmp /workspace'
  expect_equal "settings of the kernel" "$(said settings)" ''
  expect_within "processes" "$(said parents)" 9
  expect_equal root "$(said root)" read-only
  expect_equal network "$(said network)" none
}

it_has_a_network_where_the_configuration_says_so() {
  generator <<<'echo "interfaces=$(ls /sys/class/net | grep -c -v "^lo")"'
  regen INPUT_REGEN-NETWORK=true
  expect_ok
  expect_match interfaces "$(said interfaces)" '^[1-9]'
}

it_hands_the_patch_to_another_job() {
  mkfifo "$WORK/service-input"
  "${CRATEGATE_ARTIFACT_SERVICE:?the program of the artifact service}" R1 generate apply \
    <"$WORK/service-input" >"$WORK/service" 2>/dev/null &
  echo $! >>"$WORK/started"
  exec 9>"$WORK/service-input"
  wait_until 10 grep -E '^apply=.' "$WORK/service"
  ACTIONS_RESULTS_URL=$(sed -n 's/^ACTIONS_RESULTS_URL=//p' "$WORK/service")
  ACTIONS_RUNTIME_TOKEN=$(sed -n 's/^generate=//p' "$WORK/service")
  export ACTIONS_RESULTS_URL ACTIONS_RUNTIME_TOKEN
  generator <<<'env | grep -c ACTIONS; echo new >generated'
  regen
  expect_ok
  expect_match artifact_digest "$(output artifact_digest)" '^regen=sha256:[0-9a-f]{64}$'
  expect_equal "variables" "$(log)" 0
  ACTIONS_RUNTIME_TOKEN=$(sed -n 's/^apply=//p' "$WORK/service")
  run crategate artifact download regen --path "$WORK/handed"
  expect_ok
  expect_equal files "$(ls "$WORK/handed")" $'regen.json\nregen.patch'
  expect_equal "digest of the patch" "$(jq -r .patch_sha256 "$WORK/handed/regen.json")" "$(sha256sum <"$WORK/handed/regen.patch" | cut -d' ' -f1)"
}

it_ends_what_wants_too_much_of_the_disk() { # of too many entries the tests of the stage
  expect_ends <<'ROWS'
seq 1001 | xargs touch@2 bad-input@at most 1000 changed files
dd if=/dev/zero of=big bs=1M count=1024@11 tests-failed@ci-image.generate: expected exit 0
dd if=/dev/zero of=big bs=1M count=1024; exit 0@2 bad-input@at most 32.0 MiB of new content, found more with .?"big
for i in $(seq 1024); do dd if=/dev/zero of=$i bs=1M count=1 2>/dev/null; done; sleep 60@2 bad-input@stopped: expected at most 512.0 MiB in files
dd if=/dev/zero of=/tmp/x bs=1M count=1000@11 tests-failed@ci-image.generate: expected exit 0
ROWS
}

it_ends_what_takes_too_long_or_too_much() {
  expect_ends <<'ROWS'
f() { f | f & }; f; sleep 60@11 tests-failed@(no end within its time limit of 3|fork: Resource temporarily unavailable)@3s
while :; do :; done@11 tests-failed@no end within its time limit of 1@1s
trap "" TERM INT; while :; do sleep 1; done@11 tests-failed@no end within its time limit of 1@1s
dd if=/dev/zero of=/dev/null bs=1G count=1@11 tests-failed@exit 137
kill -9 -1; kill -9 1; exit 3@11 tests-failed@ci-image.generate: expected exit 0
ROWS
}

it_takes_no_repository_from_the_command() { # A36
  expect_ends <<'ROWS'
mkdir -p .git/hooks; echo "touch CANARY" >.git/hooks/post-checkout; printf "[core]\nfsmonitor = touch CANARY\n" >.git/config@2 bad-input@.?".git.?": expected files of the project, found a git repository
ROWS
}

it_limits_the_volumes_of_the_image() {
  local volumes
  generator <<'SH'
echo "kinds=$(awk '$2 ~ /^\/(cache|data)$/ {print $2, $3}' /proc/mounts | sort | paste -sd ' ' -)"
echo x >/data/x && echo "data=written"
dd if=/dev/zero of=/cache/x bs=1M count=1000
SH
  volumes=$(docker volume ls --quiet | wc -l)
  printf 'FROM %s:latest\nVOLUME /cache /data/\n' "$IMAGE" >"$WORK/Dockerfile"
  docker build --quiet --provenance=false --file "$WORK/Dockerfile" --tag "$IMAGE:volumes" "$WORK/bin" >/dev/null
  docker push --quiet "$IMAGE:volumes" >/dev/null
  DIGEST=$(manifest_digest "$IMAGE:volumes")
  regen
  expect_failure 11 tests-failed 'ci-image.generate: expected exit 0' .
  expect_equal kinds "$(said kinds)" '/cache tmpfs /data tmpfs'
  expect_equal data "$(said data)" written
  expect_equal volumes "$(docker volume ls --quiet | wc -l)" "$volumes"
}

it_never_follows_what_the_command_leaves() {
  echo "secret of the host" >"$WORK/secret"
  generator <<SH
ln -s $WORK/secret leak
ln -s / top
ln -sf /etc/passwd generated
rm -rf src && ln -s /etc src
ln /etc/passwd hard 2>/dev/null || echo "hard=refused"
chmod 4777 gen.sh
SH
  mkdir -p src
  regen
  expect_ok
  expect_equal "hard links" "$(said hard)" refused
  expect_match files "$(files)" 'added leak;.*added src;added top'
  expect_no_match patch "$(cat .crategate/regen/regen.patch)" 'secret of the host|root:'
}

it_runs_as_the_owner_of_the_workspace() {
  ((EUID == 0)) || return 0
  generator <<<'echo "user=$(id -u):$(id -g)"; echo new >generated; mkdir -p docs && echo x >docs/x && rm gen.sh'
  chown 1234:4321 .
  git() { command git -c safe.directory="$PWD" "$@"; } # of this script: crategate has its own way
  regen
  chown 0:0 .
  expect_ok
  expect_equal user "$(said user)" 1234:4321
  expect_match files "$(files)" 'added docs/x;deleted gen.sh;modified generated'
  expect_equal "owner of the patch" "$(stat -c %u:%g .crategate/regen/regen.patch)" 1234:4321
}

it_obeys_nothing_of_the_output() { # A78
  generator <<'SH'
echo "::set-output name=x::y"; echo "::add-mask::e"; printf 'text\r::error::z\n'; echo "##[error]v"; echo "  ::stop-commands::abc"
yes "line of output" | head -c 70000000
SH
  regen
  expect_ok
  expect_no_match log "$OUT$ERR" $'(^|[\n\r])[ \t]*::(set-output|add-mask|error|stop-commands)'
  expect_no_match log "$OUT$ERR" '##\['
  expect_within "bytes of the log" "$(stat -c %s .crategate/logs/regen.log)" 67200000
  expect_match "end of the log" "$(tail -c 100 .crategate/logs/regen.log)" 'more bytes are left out'
  expect_within "lines shown" "$(wc -l <<<"$OUT$ERR")" 20100
}

it_refuses_a_job_that_has_something_to_steal() {
  generator <<<'echo new >generated'
  state permission --token "$JOB_TOKEN" --name contents --level write
  regen
  expect_failure 2 bad-input 'a token that may not write' 'contents: read.*regen.yml'
  state permission --token "$JOB_TOKEN" --name contents --level read
  state fail --status 500 --times 20 --match '^GET /tiny/app[.]git/info/refs[?]service=git-receive-pack$'
  regen
  expect_failure 2 bad-input 'a token that may not write' 'regen.yml'
  expect_match warning "$OUT$ERR" 'info/refs\?service=git-receive-pack.*expected 200.*found 500'
  github
  regen INPUT_GITHUB-TOKEN=
  expect_failure 2 bad-input "the job's own token as github-token, found none" 'Leave the input github-token out.*regen.yml'
  regen "INPUT_PUSH-TOKEN=$JOB_TOKEN"
  expect_failure 2 bad-input 'expected no push-token, found one' 'apply-regen alone.*regen.yml'
  git config http.https://github.example/.extraheader "AUTHORIZATION: basic $TOKEN"
  regen
  expect_failure 2 bad-input 'found http.https://github.example/.extraheader' 'persist-credentials: false.*regen.yml'
  expect_no_match message "$OUT$ERR" "basic"
  git config --unset http.https://github.example/.extraheader
  expect_equal "images pulled or run" "$(cat .crategate/logs/regen.log 2>/dev/null)" ''
}

it_says_what_is_missing() {
  generator <<<'echo new >generated'
  local there=$HEAD
  HEAD=$(printf 'a%.0s' {1..40}) regen
  expect_failure 22 not-found 'a{40}' .
  HEAD='' regen
  expect_failure 2 bad-input 'input sha: expected 40 hex digits' authorise-regen
  HEAD=main regen
  expect_failure 2 bad-input 'input sha: expected 40 hex digits' authorise-regen
  HEAD=$there DIGEST=sha256:$(printf 'a%.0s' {1..64}) regen
  expect_failure 22 not-found "$IMAGE@sha256:a*" .
  HEAD=$there regen "INPUT_REGEN-IMAGE=$IMAGE:latest"
  expect_failure 2 bad-input 'input regen-image: expected an image by its digest' .
}

it_shows_a_person_what_would_change() {
  generator <<<'echo newer >generated'
  git checkout --quiet fix
  for name in $(compgen -e | grep -E '^(GITHUB|INPUT|ACTIONS)_'); do unset "$name"; done
  run crategate ci-image regen --image "$IMAGE@$DIGEST"
  expect_ok
  expect_equal output "$OUT" 'modified  generated'
  run git apply --check .crategate/regen/regen.patch
  expect_ok
  run crategate ci-image regen --image "$IMAGE@$DIGEST" --dry-run
  expect_ok
  expect_match "command" "$OUT" 'docker run --rm --init --volume=.*--network=none --memory=268435456 .*--cap-drop=ALL --read-only .*--entrypoint=sh .*gen.sh'
  git checkout --quiet main
}

run_cases_beside 3
