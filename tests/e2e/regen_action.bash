#!/usr/bin/env bash
# regen.yml, unmodified, on an independent runner with a strict GitHub, a real repository, engine and registry: from the comment to the
# commit, with what a hostile command finds meanwhile.
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

REMOTE=$WORK/server/remote.git

# git_server: the repository over HTTPS, as GitHub has it. GitHub gives each job a token of its own, while this runner has one for all: as
# tiny/app, the job's own repository, the server says that the token may not write.
git_server() {
  mkdir -p "$WORK/server/tiny/app.git"
  : >"$WORK/server/tiny/app.git/read-only"
  "$REPO/tests/support/git_server.py" "$WORK/server" "x-access-token:$JOB_TOKEN" >"$WORK/server.port" &
  echo $! >>"$WORK/started"
  wait_until 10 grep -E '^port ' "$WORK/server.port"
}
server() { echo "https://127.0.0.1:$(sed -n 's/^port //p' "$WORK/server.port")"; }

# calling_project: the project's workflow, as docs/regen.md has it, with this registry in place of ghcr.io.
calling_project() {
  git_server
  regen_project
  make_release
  sed -i "s|remote: \"[^\"]*\"|remote: $(server)/remote.git|" crategate.yml
  mkdir -p .github/workflows
  cat >.github/workflows/regen.yml <<YAML
on: {issue_comment: {types: [created]}}
jobs:
  regen:
    uses: crategate/crategate/.github/workflows/regen.yml@v1
    with: {registry: "$REGISTRY"}
YAML
  commit 'Workflow'
  git branch --quiet --force main
  git push --quiet --force "$REMOTE" main
}

# comments BODY: alice does, and the workflow of the default branch runs.
comments() {
  comment "$1"
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

run_cases
