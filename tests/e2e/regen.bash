#!/usr/bin/env bash
# /regen from the comment to the commit: three jobs with the tokens that regen.yml gives them, a real repository, engine, registry and
# artifact service, and a strict GitHub.
# shellcheck disable=SC2016,SC2119  # Markdown; stages without options of their own
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
# shellcheck source=tests/e2e/ci_image_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/ci_image_fixture.bash"
# shellcheck source=tests/e2e/github_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/github_fixture.bash"
# shellcheck source=tests/e2e/regen_fixture.bash
source "$(dirname "${BASH_SOURCE[0]}")/regen_fixture.bash"

tip() { in_remote rev-parse "refs/heads/${1-fix}"; }

# expect_nothing_pushed: every ref is as people have left it.
expect_nothing_pushed() {
  expect_equal refs "$(in_remote for-each-ref)" "$(<"$WORK/refs")"
}

it_commits_what_a_writer_asked_for() { # B34: whoever reads it knows how checks start
  pull 'src/list=c\nb\na\n'
  regen /regen
  expect_ok
  expect_equal commit "$(output commit)" "$(tip)"
  expect_equal parent "$(in_remote rev-parse fix^)" "$HEAD"
  expect_equal author "$(in_remote log -1 --format='%an <%ae>' fix)" \
    'github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>'
  expect_equal committer "$(in_remote log -1 --format=%cn fix)" 'github-actions[bot]'
  expect_equal message "$(in_remote log -1 --format=%B fix)" 'chore: regenerate files'
  expect_equal files "$(in_remote diff --name-status fix^ fix)" "$(printf 'M\tgenerated/list')"
  expect_equal content "$(in_remote show fix:generated/list)" "$(printf 'a\nb\nc')"
  expect_equal replies "$(replies | grep -c '^### /regen')" 1
  expect_match reply "$(replies)" '### /regen: committed 1 file'
  expect_match reply "$(replies)" '`generated/list` modified'
  expect_match reply "$(replies)" 'GitHub starts no checks'
}

it_says_that_there_is_nothing_to_change() {
  pull 'src/list=b\na\n' 'generated/list=a\nb\n'
  regen /regen
  expect_ok
  expect_nothing_pushed
  expect_equal commit "$(output commit)" ''
  expect_match reply "$(replies)" '### /regen: nothing to change'
}

it_is_signed_off_and_named_as_configured() {
  pull 'src/list=z\n'
  requested
  apply 'INPUT_REGEN-MESSAGE=build: made anew' INPUT_REGEN-SIGN-OFF=true
  expect_ok
  expect_equal message "$(in_remote log -1 --format=%B fix)" \
    "$(printf 'build: made anew\n\nSigned-off-by: github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>')"
}

it_does_nothing_for_a_reader() {
  pull 'src/list=c\n'
  state user --login alice --id 5 --level read
  regen /regen
  expect_ok
  expect_equal authorised "$AUTHORISED" false
  expect_nothing_pushed
}

it_pushes_nothing_for_whoever_was_revoked_meanwhile() { # A31
  pull 'src/list=c\n'
  requested
  state user --login alice --id 5 --level read
  apply
  expect_ok
  expect_nothing_pushed
  expect_equal commit "$(output commit)" ''
  expect_match reply "$(replies)" 'permission'
}

it_leaves_a_branch_that_moved_during_the_generation() { # A32, A34
  local later
  pull 'src/list=c\n'
  requested
  cd "$WORK/project"
  git commit --quiet --allow-empty --message later
  later=$(git rev-parse HEAD)
  git push --quiet "$REMOTE" HEAD:refs/heads/fix HEAD:refs/pull/7/head
  apply # GitHub has not noticed yet: the push itself finds out
  expect_failure 50 conflict 'moved on' '[Cc]omment'
  expect_equal branch "$(tip)" "$later"
  expect_match reply "$(replies)" 'Comment /regen again'
  state pull --number 7 --head-sha "$later"
  apply
  expect_failure 50 conflict "moved on from $HEAD" .
  expect_match reply "$(replies)" '```'$'\n''/regen'$'\n''```'
  expect_equal branch "$(tip)" "$later"
}

it_gives_a_fork_a_patch_and_leaves_main_alone() { # A33
  local FORK=--fork HEAD_REF=main
  fork_pull
  regen /regen
  expect_equal "without a commit" "$AUTHORISED" false
  artifact_service
  comment "/regen $HEAD"
  authorise
  expect_equal authorised "$AUTHORISED" true
  generate
  expect_ok
  apply
  expect_ok
  expect_equal main "$(tip main)" "$(git rev-parse "$(git -C "$WORK/project" rev-parse main)")"
  expect_match reply "$(replies)" '### /regen: a patch of 1 file'
  expect_match reply "$(replies)" 'git apply --index regen.patch'
  cd "$WORK/project"
  git checkout --quiet --force --detach "$HEAD"
  git apply --index "$WORK/job-apply/.crategate/regen/regen.patch"
  expect_equal "what the patch makes" "$(cat generated/list)" "$(printf 'a\nc')"
  git checkout --quiet --force main
}

# app: the App 12 is installed; its key is $WORK/app.key.
app() {
  [[ -e $WORK/app.key ]] || openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$WORK/app.key"
  openssl pkey -in "$WORK/app.key" -pubout -out "$WORK/app.pem"
  state app --id 12 --key "$WORK/app.pem" "$@"
}

# apply_as_app: with the key on one line, as a secret without line ends has it.
apply_as_app() { apply INPUT_PUSH-APP-ID=12 "INPUT_PUSH-APP-KEY=$(awk '{ printf "%s\\n", $0 }' "$WORK/app.key")" "$@"; }

it_pushes_as_an_app() { # B34: they start by themselves
  local token
  pull 'src/list=c\nb\na\n'
  app
  requested
  apply_as_app
  expect_ok
  expect_equal commit "$(output commit)" "$(tip)"
  expect_equal parent "$(in_remote rev-parse fix^)" "$HEAD"
  expect_equal "what was asked for" "$(jq -c '.[].made | map({permissions, repositories, revoked})' "$WORK/github/apps.json")" \
    '[{"permissions":{"contents":"write"},"repositories":["app"],"revoked":true}]'
  expect_no_match reply "$(replies)" 'GitHub starts no checks'
  token=$(jq -r '.[].made[0].token' "$WORK/github/apps.json")
  expect_equal "the only place that says it" "$(grep -F "$token" <<<"$OUT$ERR")" "::add-mask::$token"
  expect_no_match "outputs" "$(<"$GITHUB_OUTPUT")$(<"$GITHUB_STEP_SUMMARY")$(replies)" "$token"
  if grep -rqF "$token" "$WORK/job-apply" "$REMOTE"; then fail "no file with the token"; fi
  while read -r line; do
    if grep -qF -- "$line" <<<"$OUT$ERR$(<"$GITHUB_OUTPUT")" || grep -rqF -- "$line" "$WORK/job-apply"; then fail "no line of the key"; fi
  done < <(grep -v -- '-----' "$WORK/app.key")
}

it_says_why_an_app_cannot_push() {
  pull 'src/list=c\nb\na\n'
  app --only contents=read
  requested
  apply_as_app
  expect_failure 30 github-api 'not granted' 'contents: write'
  expect_nothing_pushed
  expect_match reply "$(replies)" '### /regen: failed'
  app --uninstall
  apply_as_app
  expect_failure 22 not-found 'find the App 12 in tiny/app' 'install the App in tiny/app'
  apply_as_app "INPUT_PUSH-APP-KEY=open-sesame"
  expect_failure 2 bad-input 'push-app-key: the private key: expected an RSA key in PEM' 'pem file'
  expect_no_match "what is said" "$OUT$ERR" 'sesame'
  apply_as_app INPUT_PUSH-APP-ID=13
  expect_failure 22 not-found 'Integration not found' '13 is no App'
  apply_as_app INPUT_PUSH-TOKEN=ghp_of-a-person
  expect_failure 2 bad-input 'either push-token or push-app-id' .
  expect_nothing_pushed
}

it_warns_of_a_token_that_is_not_revoked() {
  pull 'src/list=c\nb\na\n'
  app
  requested
  state fail --status 403 --match installation/token
  apply_as_app
  expect_ok
  expect_equal commit "$(output commit)" "$(tip)"
  expect_match warning "$OUT$ERR" "warning: the App's token ends by itself within an hour only: .*revoke the App's token: found 403"
}

# cancel_while_pushing: the job is cancelled while the server looks at the push.
cancel_while_pushing() {
  local folder
  wait_until 20 cat "$WORK/pushing"
  for folder in /proc/[0-9]*; do
    if [[ $(cat "$folder/comm" 2>/dev/null) == crategate && $(readlink "$folder/cwd") == "$WORK/job-apply" ]]; then
      kill -TERM "${folder#/proc/}"
    fi
  done
}

it_revokes_the_apps_token_of_a_cancelled_job() {
  pull 'src/list=c\nb\na\n'
  app
  requested
  printf '#!/bin/sh\necho at it >%s/pushing\nsleep 3\nexit 1\n' "$WORK" >"$REMOTE/hooks/pre-receive"
  chmod +x "$REMOTE/hooks/pre-receive"
  cancel_while_pushing &
  apply_as_app
  rm "$REMOTE/hooks/pre-receive"
  expect_failure 143 terminated . .
  expect_equal "the token" "$(jq -c '.[].made | map(.revoked)' "$WORK/github/apps.json")" '[true]'
  expect_nothing_pushed
  expect_match reply "$(replies)" '### /regen: failed'
}

it_makes_no_token_where_nothing_is_pushed() {
  pull 'src/list=b\na\n' 'generated/list=a\nb\n'
  app
  requested
  apply_as_app
  expect_ok
  expect_nothing_pushed
  expect_equal "tokens" "$(jq -c '.[].made' "$WORK/github/apps.json")" '[]'
}

# one_of_many ID STEP: of a comment of its own, with a folder of its own: `asked`, or `applied` in another shell.
one_of_many() {
  local top=$WORK
  WORK=$WORK/request-$1
  STATUS=0
  if [[ $2 == asked ]]; then
    mkdir "$WORK"
    ln -s ../github ../home ../job-generate "$WORK/"
    comment /regen ".comment.id = $1"
    authorise
    printf '%s\n' "$AUTHORISED" "$SHA" "$PINNED" "$PAYLOAD" >"$WORK/asked"
  else
    { read -r AUTHORISED && read -r SHA && read -r PINNED && PAYLOAD=$(cat); } <"$WORK/asked"
    apply
    echo "$AUTHORISED $STATUS $(output commit)" >"$top/end-$1"
  fi
}

# all_of_many STEP: side by side.
all_of_many() {
  local id pids=()
  for id in {2001..2020}; do
    one_of_many "$id" "$1" &
    pids+=($!)
  done
  wait "${pids[@]}"
}

it_makes_one_commit_of_twenty_comments() { # A38: one commit, and none of the others is lost in it
  local id ends comments=()
  pull 'src/list=c\nb\na\n'
  for id in {2001..2020}; do comments+=(+ comment add --issue 7 --id "$id" --login alice --user-id 5); done
  state "${comments[@]:1}"
  CRATEGATE_ARTIFACT_SERVICE=
  all_of_many asked
  expect_equal "requests that were accepted" "$(cat "$WORK"/request-*/asked | grep -cx true)" 20
  # regen.yml makes the files of one after the other; of the same commit in the same image they are the same.
  SHA=$(sed -n 2p "$WORK/request-2001/asked") PINNED=$(sed -n 3p "$WORK/request-2001/asked") generate
  all_of_many applied
  ends=$(cat "$WORK"/end-*)
  expect_equal "ends" "$(wc -l <<<"$ends")" 20
  # Those of one second make the same commit, and agree; the others have lost the branch.
  expect_equal "other ends" "$(grep -cvE "^true (0 $(tip)|50 )\$" <<<"$ends" || true)" 0
  expect_equal "new commits" "$(in_remote rev-list --count "$HEAD..fix")" 1
  expect_equal parent "$(in_remote rev-parse fix^)" "$HEAD"
  expect_match "an answer" "$(replies)" '^<!-- crategate:regen [^ ]+ -->.### /regen: (committed 1 file|failed)'
  expect_equal "comments with a reaction" "$(state count --match '^POST .*/comments/20[0-9][0-9]/reactions')" 20
}

it_tells_the_second_of_two_that_it_came_too_late() { # A38: superseded
  local made
  pull 'src/list=c\nb\na\n'
  requested
  apply
  expect_ok
  made=$(tip)
  state pull --number 7 --head-sha "$made"
  apply # of the same commit, asked for at the same time
  expect_failure 50 conflict "moved on from $HEAD" .
  expect_equal branch "$(tip)" "$made"
  expect_match "the answer of the first" "$(replies)" "committed 1 file.*Last commit of /regen: .*${made:0:7}"
  state pull --number 7 --head-sha "$HEAD"
  SHA=$made apply # a later command, whose commit nobody has made
  expect_failure 50 conflict "moved on from $made" .
  expect_match reply "$(replies)" 'reason .head-moved.'
  expect_match "what the first has made" "$(replies)" "Last commit of /regen: .*${made:0:7}"
}

# forged JQ [PATCH]: what the job that runs the pull request's code could say, if that code had taken it over: regen.json changed
# by JQ and another patch, in an artifact whose digest it names.
forged() {
  local name
  artifact_service
  as_job generate
  cd "$WORK/job-generate/.crategate/regen"
  [[ -z ${2-} ]] || printf '%b' "$2" >regen.patch
  jq -cjS --arg sum "$(sha256sum <regen.patch | cut -d' ' -f1)" --argjson bytes "$(stat -c %s regen.patch)" \
    ".patch_sha256 = \$sum | .patch_bytes = \$bytes | $1" regen.json >"$WORK/forged"
  cp "$WORK/forged" regen.json
  mkdir -p ../../hostile
  cp regen.json regen.patch ../../hostile/
  cd ../..
  GITHUB_WORKSPACE=$PWD run crategate artifact upload regen --path hostile/regen.json --path hostile/regen.patch
  expect_ok
  BOUND=regen=sha256:$(for name in regen.json regen.patch; do
    printf '%d:%s sha256:%s\n' "${#name}" "$name" "$(sha256sum <"hostile/$name" | cut -d' ' -f1)"
  done | sha256sum | cut -d' ' -f1)
}

it_believes_nothing_that_a_hostile_generate_says() { # more of it: the tests of the stage, and of hostile patches
  local what change patch code text blob
  pull 'src/list=c\n'
  requested
  cp -R "$WORK/job-generate/.crategate/regen" "$WORK/honest"
  blob=$(in_remote rev-parse "$HEAD:generated/list")
  while IFS='|' read -r what change patch code text; do
    echo "case: $what"
    cp "$WORK"/honest/* "$WORK/job-generate/.crategate/regen/"
    forged "$change" "${patch//BLOB/$blob}"
    apply
    ((STATUS == code)) || fail "exit $code"
    expect_match why "$ERR" "$text"
    expect_nothing_pushed
  done <<'ROWS'
another commit|.sha = "0000000000000000000000000000000000000001"||25|sha: expected
an unknown member|.run = "x"||2|run: expected no such member
a file outside of the repository|.|diff --git a/../x b/../x\nnew file mode 100644\nindex 0000000000000000000000000000000000000000..78981922613b2afb6025042ff6bd878ac1994e85\n--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+a\n|2|file .\.\./x.: the path has the component .\.\..
a change that does not fit|.|diff --git a/generated/list b/generated/list\nindex BLOB..78981922613b2afb6025042ff6bd878ac1994e85 100644\n--- a/generated/list\n+++ b/generated/list\n@@ -1 +1 @@\n-no\n+a\n|2|generated/list
ROWS
}

it_takes_no_artifact_but_the_one_that_was_named() { # A67
  pull 'src/list=c\n'
  requested
  BOUND=${BOUND/sha256:????/sha256:0000}
  apply
  expect_failure 25 integrity 'artifact regen' .
  expect_nothing_pushed
  BOUND=
  apply
  expect_failure 22 not-found 'the job generate has named' 'log of the job generate'
  expect_nothing_pushed
  expect_match reply "$(replies)" '### /regen: failed'
}

it_answers_when_the_image_did_not_arrive() {
  pull 'src/list=c\n'
  artifact_service
  comment /regen
  authorise
  PINNED=
  generate
  expect_failure 2 bad-input 'regen-image: expected an image by its digest' .
  apply
  expect_failure 2 bad-input 'regen-image' 'an output that holds a secret'
  expect_nothing_pushed
  expect_match reply "$(replies)" '### /regen: failed'
  expect_match reply "$(replies)" 'as the input username'
}

it_leaves_the_answer_of_others_to_whoever_may_not_ask() {
  pull 'src/list=c\n'
  regen /regen
  expect_match reply "$(replies)" 'committed 1 file'
  state user --login alice --id 5 --level read
  for body in /regen '/regen see #1 of a stranger'; do
    regen "$body"
    expect_equal authorised "$AUTHORISED" false
    expect_match reply "$(replies)" 'committed 1 file'
    expect_no_match reply "$(replies)" stranger
  done
}

it_commits_files_that_pack_well() {
  pull 'generate.sh=yes "an equal line" | head -c 2000000 >generated/list\n'
  requested
  apply
  expect_ok
  expect_equal "size" "$(in_remote cat-file -s fix:generated/list)" 2000000
}

it_tells_of_a_commit_though_the_job_was_cancelled() { # the server has taken it
  pull 'src/list=c\nb\na\n'
  requested
  printf '#!/bin/sh\necho at it >%s/pushing\nsleep 3\n' "$WORK" >"$REMOTE/hooks/post-receive"
  chmod +x "$REMOTE/hooks/post-receive"
  cancel_while_pushing &
  apply
  rm "$REMOTE/hooks/post-receive" "$WORK/pushing"
  expect_equal parent "$(in_remote rev-parse fix^)" "$HEAD"
  expect_equal "output" "$(output commit)" "$(tip)"
  expect_match reply "$(replies)" "### /regen: committed 1 file"
}

it_commits_nothing_that_a_workflow_depends_on() { # A35; of each alone the tests of the policy and of hostile patches
  local path reason
  pull 'src/list=c\n' 'generate.sh=set -e\nsort src/list >generated/list\nchmod +x generated/list\n
    mkdir -p .github/workflows\necho x >.github/workflows/x.yml\necho >>crategate.yml\n
    echo "* filter=x" >generated/.gitattributes\nln -s /etc/passwd generated/link\necho x >generated/List\n'
  regen /regen
  expect_failure 10 gate-refused protected-path .
  expect_nothing_pushed
  expect_match reply "$(replies)" '### /regen: refused'
  while read -r path reason; do
    expect_match reply "$(replies)" "- .$reason. .$path.: "
  done <<'ROWS'
.github/workflows/x.yml protected-path
crategate.yml protected-path
generated/.gitattributes protected-path
generated/link not-a-regular-file
generated/list mode-change
generated/List case-collision
ROWS
}

it_protects_the_configuration_of_a_folder() { # A35
  pull 'src/list=c\n'
  git checkout --quiet --force main
  mkdir sub
  cp crategate.yml sub/
  commit 'A project in a folder'
  git push --quiet "$REMOTE" main
  pull 'src/list=c\n' 'generate.sh=echo >>sub/crategate.yml; echo >>ci.Dockerfile\n'
  requested
  apply INPUT_WORKSPACE=sub
  expect_failure 10 gate-refused 'protected-path: .*ci.Dockerfile.* is built from it' .
  expect_match reply "$(replies)" '- `protected-path` `ci.Dockerfile`: '
  expect_nothing_pushed
  expect_match reply "$(replies)" '- `protected-path` `sub/crategate.yml`: '
}

it_answers_when_the_command_fails() {
  local said='> `[a-z.0-9:]+ ?ci-image.generate: expected exit 0, found exit 3; last line: "'
  pull 'src/list=c\n' 'generate.sh=echo "the reason: @alice <!-- crategate:regen x --> /regen"; exit 3\n'
  requested
  expect_failure 11 tests-failed 'found exit 3; last line: "the reason' .
  expect_equal "lines of the reason" "$(wc -l <<<"$REASON")" 1
  apply
  expect_failure 22 not-found 'the job generate has named' .
  expect_nothing_pushed
  expect_match reply "$(replies)" '### /regen: failed'
  expect_match reply "$(replies)" "The job .generate. says:"$'\n\n'"${said}the reason: @alice <!-- crategate:regen x --> /regen\"[^\`]*\`"
  REASON=$(printf 'x%.0s' {1..100000}) apply # nothing else comes of whatever it is
  expect_failure 22 not-found 'the job generate has named' .
  expect_match reply "$(replies)" '> `x{599}…`'
  REASON=' {a: [1' apply
  expect_failure 22 not-found 'the job generate has named' .
  expect_match reply "$(replies)" '> `\{a: \[1`'
}

it_refuses_to_run_with_a_token_that_may_write() { # R5
  pull 'src/list=c\n'
  artifact_service
  comment /regen
  authorise
  READ_TOKEN=$JOB_TOKEN generate
  expect_failure 2 bad-input 'write' 'regen.yml'
  expect_nothing_pushed
}

run_cases_beside 3
