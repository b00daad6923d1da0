#!/usr/bin/env bash
# regen.yml, unmodified, on an independent runner with a strict GitHub, a real repository, engine and registry: from the comment to the
# commit, with what a hostile command finds meanwhile.
# shellcheck disable=SC2016  # Markdown
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"
# shellcheck source=tests/e2e/regen_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/regen_fixture.bash"
# shellcheck source=tests/e2e/act_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/act_fixture.bash"

# git_server: the repository over HTTPS, as GitHub has it. GitHub gives each job a token of its own, while this runner has one for all: as
# tiny/app, the job's own repository, the server says that the token may not write.
git_server() {
  mkdir -p "$WORK/server/tiny/app.git"
  : >"$WORK/server/tiny/app.git/read-only"
  rm -f "$WORK/server.port" # of the first case
  "$REPO/tests/support/git_server.py" "$WORK/server" "x-access-token:$JOB_TOKEN" >"$WORK/server.port" &
  echo $! >>"$WORK/started"
  wait_until 10 grep -E '^port ' "$WORK/server.port"
}
server() { echo "https://127.0.0.1:$(sed -n 's/^port //p' "$WORK/server.port")"; }

# documented_caller: the first workflow of docs/regen.md.
documented_caller() { awk '/^```yaml$/ { on = 1; next } on && /^```$/ { exit } on' "$REPO/docs/regen.md"; }

# served: the project's repository is what the server of this $WORK has.
served() {
  git_server
  sed -i "s|remote: [^,]*|remote: $(server)/remote.git|" crategate.yml
}

# The runner names its containers after the jobs: two that work side by side call them differently.
at_work() {
  REMOTE=$WORK/server/remote.git
  [[ -d $WORK/project ]] || return 0
  cd "$WORK/project"
  git checkout --quiet --force main
  served
  sed -i "s|^    name: regen$|    name: regen-$(basename "$WORK")|" .github/workflows/regen.yml
  commit 'Another server'
  git push --quiet --force "$REMOTE" main
}
at_work

# calling_project: the project's workflow is the documented one, with this registry in place of ghcr.io.
calling_project() {
  mkdir "$WORK/server"
  regen_project
  make_release
  served
  mkdir -p .github/workflows
  documented_caller >.github/workflows/regen.yml
  expect_match "the documented workflow" "$(tail -n 1 .github/workflows/regen.yml)" '^    uses: crategate/crategate/.github/workflows/regen.yml@v1$'
  echo "    with: {registry: \"$REGISTRY\"}" >>.github/workflows/regen.yml
  commit 'Workflow'
  git branch --quiet --force main
  git push --quiet --force "$REMOTE" main
}

# comments BODY [JQ]: alice does, and the workflow of the default branch runs; JQ changes the payload.
comments() {
  comment "$@"
  event comment "$PAYLOAD"
  cd "$WORK/project"
  git checkout --quiet --force main
  ARTIFACTS=$(mktemp -d "$WORK/artifacts.XXXXXX")
  (
    for name in $(compgen -e | grep -E '^(GITHUB|INPUT)_'); do unset "$name"; done
    act issue_comment --eventpath "$WORK/comment.json" --workflows .github/workflows/regen.yml \
      --local-repository "crategate/crategate@v1=$RELEASE" --container-daemon-socket "${DOCKER_HOST#unix://}" \
      --container-options "--volume=$WORK/server:$WORK/server" --env "SSL_CERT_FILE=$WORK/server/certificate.pem" \
      --env "GITHUB_API_URL=$GITHUB" --env "GITHUB_SERVER_URL=$(server)" \
      --env GITHUB_REPOSITORY=tiny/app --env GITHUB_REPOSITORY_ID=1 --secret "GITHUB_TOKEN=$JOB_TOKEN"
    printf '%s' "$STATUS" >"$WORK/act.status"
    printf '%s' "$OUT" >"$WORK/act.out"
    printf '%s' "$ERR" >"$WORK/act.err"
  )
  COMMAND=act STATUS=$(<"$WORK/act.status") OUT=$(<"$WORK/act.out") ERR=$(<"$WORK/act.err")
  expect_described
}

# expect_left: the branch is as alice has left it, and the answer, if any, is one.
expect_left() {
  expect_equal fix "$(in_remote rev-parse fix)" "$HEAD"
  expect_equal replies "$(replies | grep -c '^<!-- crategate:regen')" "${1-1}"
}

# expect_no_commit REASON...: the workflow has failed and says why, in the answer.
expect_no_commit() {
  ((STATUS != 0)) || fail "a workflow that failed"
  for reason in '### /regen: ' "$@"; do expect_match reply "$(replies)" "$reason"; done
}

it_commits_what_a_writer_asked_for() {
  calling_project
  pull 'src/list=c\nb\na\n'
  comments /regen
  expect_ok
  expect_equal parent "$(in_remote rev-parse fix^)" "$HEAD"
  expect_equal author "$(in_remote log -1 --format=%an fix)" 'github-actions[bot]'
  expect_equal files "$(in_remote diff --name-status fix^ fix)" "$(printf 'M\tgenerated/list')"
  expect_equal content "$(in_remote show fix:generated/list)" "$(printf 'a\nb\nc')"
  expect_match reply "$(replies)" '### /regen: committed 1 file'
}

it_does_nothing_for_a_reader() {
  pull 'src/list=d\n'
  state user --login alice --id 5 --level read
  comments /regen
  expect_ok
  expect_equal fix "$(in_remote rev-parse fix)" "$HEAD"
  expect_match reply "$(replies)" 'reason .permission'
  expect_no_match "no later job" "$OUT" 'Run Main generate'
}

it_runs_nothing_of_an_edited_comment() { # A37
  pull 'src/list=d\n'
  comments /regen '.action = "edited" | .changes = {body: {from: "please"}}'
  expect_ok
  expect_left 0
  expect_equal requests "$(state count)" 0
}

it_pushes_nothing_for_whoever_was_revoked_meanwhile() { # A31
  pull 'src/list=d\n'
  state when --match '^POST .*/comments/1001/reactions' user --login alice --level read
  comments /regen
  expect_ok
  expect_match "the files were made" "$OUT" '1 file of [0-9a-f]+ changed'
  expect_left
  expect_match reply "$(replies)" 'reason .permission'
}

# push_once_generating: somebody pushes to the branch when the job `generate` has its files; GitHub does not say so yet.
push_once_generating() {
  wait_until 60 grep -F 'POST /remote.git/git-upload-pack' "$WORK/server/requests.log"
  git -C "$WORK/remote-clone" push --quiet "$REMOTE" HEAD:refs/heads/fix
}

it_leaves_a_branch_that_moved_during_the_generation() { # A32, A34
  local pushing
  pull 'src/list=d\n' 'generate.sh=set -e\nsleep 2\nsort src/list >generated/list\n'
  git clone --quiet --branch fix "file://$REMOTE" "$WORK/remote-clone"
  git -C "$WORK/remote-clone" -c user.name=x -c user.email=x@example.invalid commit --quiet --allow-empty --message later
  : >"$WORK/server/requests.log"
  push_once_generating &
  pushing=$!
  comments /regen
  wait "$pushing"
  expect_no_commit 'has moved on' 'Comment /regen again'
  HEAD=$(git -C "$WORK/remote-clone" rev-parse HEAD)
  expect_left
}

it_commits_no_workflow() { # A35
  pull 'generate.sh=mkdir -p .github/workflows; echo "on: push" >.github/workflows/x.yml; echo x >generated/list\n'
  comments /regen
  expect_no_commit '`protected-path` `.github/workflows/x.yml`'
  expect_left
}

it_takes_no_repository_from_the_command() { # A36
  pull "generate.sh=mkdir -p .git/hooks; echo 'touch $WORK/canary' >.git/hooks/pre-push; echo x >generated/list\\n"
  comments /regen
  expect_no_commit 'The job .generate. says:' '> `.*\.git.*: expected files of the project, found a git repository'
  expect_left
  [[ ! -e $WORK/canary ]] || fail "nothing of it was run"
}

it_ends_a_command_without_measure() {
  pull 'generate.sh=dd if=/dev/zero of=generated/big bs=1M count=1024\n'
  comments /regen
  expect_no_commit 'The job .generate. says:' '> `.*ci-image.generate: expected exit 0'
  expect_left
  pull 'generate.sh=f() { f | f & }; f; exit 3\n'
  comments /regen
  expect_no_commit 'The job .generate. says:' '> `.*ci-image.generate: expected exit 0'
  expect_left
}

it_commits_no_link_out_of_the_tree() { # A35
  pull 'generate.sh=ln -s /etc/passwd generated/leak; ln -s / top\n'
  comments /regen
  expect_no_commit '`not-a-regular-file` `generated/leak`' '`not-a-regular-file` `top`'
  expect_left
}

# What the command writes into generated/list is committed here, to be looked at.
it_shows_a_hostile_command_no_token() { # R5, A36
  local found
  pull "generate.sh=(env; cat /proc/*/environ /proc/*/cmdline | tr '\\\\0' '\\\\n'; ls -aR /workspace /tmp /var/run; cat /etc/hosts) >generated/list 2>&1
echo '::set-output name=artifact_digest::regen=sha256:0'; echo '::error::owned'; echo '::add-path::/workspace'\n"
  comments /regen
  expect_ok
  found=$(in_remote show fix:generated/list)
  expect_match "it was run" "$found" 'generate\.sh'
  expect_no_match "a token" "$found" "$JOB_TOKEN|ACTIONS_|GITHUB_|INPUT_"
  expect_no_match "the repository, the engine" "$found" $'(^|\n)(\\.git|docker\\.sock)(\n|$)'
  expect_match "its output, shown" "$OUT" ': :error::owned'
  expect_match "how the runner shows a command" "$OUT" '⚙  ::set-output:: exit_code=0'
  expect_no_match "workflow commands" "$(grep -E '❗|⚙|❓' <<<"$OUT")" 'owned|regen=sha256:0[[:space:]]|/workspace'
}

it_gives_a_fork_a_patch_and_leaves_main_alone() { # A33
  local FORK=--fork HEAD_REF=main before
  before=$(in_remote rev-parse main)
  fork_pull
  comments "/regen $HEAD"
  expect_ok
  expect_equal main "$(in_remote rev-parse main)" "$before"
  expect_match reply "$(replies)" '### /regen: a patch of 1 file'
}

# The last one of its lane: the time limit is the default branch's.
it_stops_a_command_that_hangs() {
  cd "$WORK/project"
  git checkout --quiet --force main
  sed -i 's/timeout: 20s/timeout: 2s/' crategate.yml
  commit 'Less time'
  git push --quiet "$REMOTE" main
  pull 'generate.sh=while :; do sleep 1; done\n'
  comments /regen
  expect_no_commit 'The job .generate. says:' '> `.*no end within its time limit of 2'
  expect_left
}

run_cases_beside 3
