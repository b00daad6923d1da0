#!/usr/bin/env bash
# The stages one by one, in clones of their own, with the variables and files of a runner, as a workflow's jobs do.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
PROJECT=$WORK/project
tiny_project "$PROJECT"
own_registry own
RELEASE='{"ref": "refs/tags/v1.2.3", "deleted": false, "repository": {"default_branch": "main", "full_name": "tiny/app"}}'
MAIN='{"repository": {"default_branch": "main"}}'

# planned TABLE-ROW: what the outputs and the plan say, in the words of the policy table.
planned_as() {
  local name row='' plan
  expect_ok
  plan=$(output plan)
  for name in should_run fresh cache_update push latest rebuild_flag; do
    expect_match "output $name" "$(output "$name")" '^(true|false)$'
    row+="$name=$(output "$name") "
  done
  row+="cache_read=$(jq -r '[.cells[].cache_read] | unique | join("+")' <<<"$plan") "
  row+="cells=$(jq '.cells | length' <<<"$plan")"
  expect_equal "the row" "$row" "$1"
  [[ -n $(output reason) ]] || fail "a reason"
}

# depend: the last commit changes a dependency file.
depend() {
  echo "# $1" >>pyproject.toml
  commit "Dependencies"
  git tag --force v1.2.3 >/dev/null
}

it_plans_the_row_of_a_release() {
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  run crategate plan
  planned_as 'should_run=true fresh=false cache_update=false push=true latest=true rebuild_flag=false cache_read=true cells=4'
  expect_equal "python_versions_json" "$(output python_versions_json)" '["3.11","3.13"]'
  expect_equal "version" "$(output version)" v1.2.3
  expect_equal "is_prerelease" "$(output is_prerelease)" false
  expect_equal "matrix" "$(output matrix | jq -c '[(.include // .)[] | [.runtime, .python]] | sort')" \
    '[["cpu","3.11"],["cpu","3.13"],["cuda","3.11"],["cuda","3.13"]]'
  expect_equal "plan as output and as file" "$(output plan | jq -Sc .)" "$(jq -Sc . .crategate/plan.json)"
  expect_match "summary" "$(<"$GITHUB_STEP_SUMMARY")" 'cpu-py3\.11'
  # The same facts give the same bytes.
  local first
  first=$(<.crategate/plan.json)
  run crategate plan
  expect_equal "plan of the same facts" "$(<.crategate/plan.json)" "$first"
}

it_tells_the_runner_of_an_error_in_the_configuration() {
  local good
  good=$(<crategate.yml)
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  echo 'tset: {}' >>crategate.yml
  run crategate plan
  expect_failure 2 bad-input 'unknown key "tset"' 'test'
  expect_equal "exit_code" "$(output exit_code)" 2
  expect_match "error" "$(output error)" 'unknown key "tset"'
  expect_match "annotation" "$OUT" '(^|'$'\n'')::error file=crategate\.yml,line=[0-9]+'
  printf '%s\n' "$good" >crategate.yml
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  run crategate paln
  expect_failure 2 bad-input 'paln' 'plan'
  expect_equal "exit_code" "$(output exit_code)" 2
}

# B24: what an earlier stage wrote stays readable.
it_leaves_the_output_file_whole_on_a_full_disk() {
  mkdir "$WORK/full"
  as_root mount -t tmpfs -o size=16k,mode=777 none "$WORK/full"
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  export GITHUB_OUTPUT=$WORK/full/output
  printf 'earlier=%04087d\n' 1 >"$GITHUB_OUTPUT" # a page
  cat /dev/zero >"$WORK/full/rest" 2>/dev/null || true
  run crategate plan
  expect_failure 41 no-space 'writing the output' '.'
  expect_equal "size of the output file" "$(stat -c %s "$GITHUB_OUTPUT")" 4096
  expect_match "earlier output" "$(output earlier)" '^0+1$'
}

it_plans_the_row_of_a_release_with_changed_dependencies() {
  depend release
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  run crategate plan
  planned_as 'should_run=true fresh=false cache_update=true push=true latest=true rebuild_flag=false cache_read=true cells=4'
}

it_plans_the_row_of_a_schedule() {
  as_runner schedule refs/heads/main '{"schedule": "0 3 * * 0", "repository": {"default_branch": "main"}}'
  run crategate plan
  planned_as 'should_run=true fresh=true cache_update=true push=true latest=false rebuild_flag=true cache_read=false cells=4'
}

it_plans_the_rows_of_a_manual_run() {
  as_runner workflow_dispatch refs/heads/main '{"inputs": {"REBUILD_BASE": "true"}}'
  run crategate plan
  planned_as 'should_run=true fresh=true cache_update=true push=true latest=false rebuild_flag=true cache_read=false cells=4'
  as_runner workflow_dispatch refs/heads/main '{"inputs": {"REBUILD_BASE": "false"}}'
  run crategate plan
  planned_as 'should_run=true fresh=false cache_update=true push=true latest=false rebuild_flag=false cache_read=true cells=4'
  git commit --quiet --allow-empty --message 'Nothing'
  as_runner workflow_dispatch refs/heads/main '{"inputs": {"REBUILD_BASE": "false"}}'
  run crategate plan
  planned_as 'should_run=true fresh=false cache_update=false push=true latest=false rebuild_flag=false cache_read=true cells=4'
  as_runner workflow_dispatch refs/heads/main '{"inputs": {"REBUILD_BASE": "yes"}}'
  run crategate plan
  expect_failure 2 bad-input 'REBUILD_BASE.*exactly true or false' '.'
  expect_equal "exit_code" "$(output exit_code)" 2
}

it_writes_nothing_with_publish_false() {
  as_runner workflow_dispatch refs/heads/main '{"inputs": {"REBUILD_BASE": "true"}}'
  INPUT_PUBLISH=false run crategate plan
  planned_as 'should_run=true fresh=true cache_update=false push=false latest=false rebuild_flag=true cache_read=false cells=4'
}

# pull_request BASE: the payload of one that is checked out as a merge commit.
pull_request() {
  jq -nc --arg base "$1" --arg head "$(git rev-parse HEAD^2)" '{action: "synchronize", number: 7,
    pull_request: {number: 7, base: {ref: $base}, head: {ref: "topic", sha: $head, repo: {full_name: "someone/fork"}}},
    repository: {default_branch: "main", full_name: "tiny/app"}}'
}

it_plans_the_rows_of_pull_requests() {
  git switch --quiet --create topic
  echo more >>src/hello
  commit 'A change'
  git switch --quiet --detach main
  git merge --quiet --no-ff --message merged topic
  export GITHUB_BASE_REF=main
  as_runner pull_request refs/pull/7/merge "$(pull_request main)"
  run crategate plan
  planned_as 'should_run=true fresh=true cache_update=false push=false latest=false rebuild_flag=false cache_read=false cells=4'
  as_runner pull_request refs/pull/7/merge "$(pull_request other)"
  GITHUB_BASE_REF=other run crategate plan
  planned_as 'should_run=false fresh=false cache_update=false push=false latest=false rebuild_flag=false cache_read= cells=0'
  git switch --quiet --force-create docs main
  echo more >>README
  commit 'Text only'
  git switch --quiet --detach main
  git merge --quiet --no-ff --message merged docs
  as_runner pull_request refs/pull/7/merge "$(pull_request main)"
  run crategate plan
  planned_as 'should_run=false fresh=false cache_update=false push=false latest=false rebuild_flag=false cache_read= cells=0'
  expect_match "reason" "$(output reason)" 'no watched path changed'
  expect_equal "matrix" "$(output matrix | jq -c '(.include // .)')" '[]'
}

it_runs_nothing_for_other_events() {
  as_runner push refs/heads/main "$MAIN"
  run crategate plan
  planned_as 'should_run=false fresh=false cache_update=false push=false latest=false rebuild_flag=false cache_read= cells=0'
  as_runner watch refs/heads/main "$MAIN"
  run crategate plan
  planned_as 'should_run=false fresh=false cache_update=false push=false latest=false rebuild_flag=false cache_read= cells=0'
}

it_builds_and_tests_a_pull_request_and_asks_no_registry() {
  git clone --quiet --config advice.detachedHead=false "file://$PROJECT" "$WORK/pull"
  cd "$WORK/pull"
  git config user.name e2e
  git config user.email e2e@example.invalid
  git switch --quiet --detach origin/main
  git merge --quiet --no-ff --message merged origin/topic
  export GITHUB_BASE_REF=main
  as_runner pull_request refs/pull/7/merge "$(pull_request main)"
  forget_requests
  run crategate plan --to "$OWN/e2e"
  expect_ok
  run crategate build --cell cpu-py3.11 --dry-run
  expect_ok
  expect_match "build command" "$OUT" ' --pull '
  expect_match "build command" "$OUT" ' --no-cache '
  expect_no_match "build command" "$OUT" '--(cache-from|cache-to|push)'
  run crategate run --to "$OWN/e2e" --only runtime=cpu
  expect_ok
  expect_equal "tests" "$(jq -c '[.cells[].tests.verdict]' .crategate/release.json)" '["passed","passed"]'
  expect_match "end" "$OUT" 'this event publishes nothing'
  expect_equal "requests to the registry" "$(requests)" 0
  run crategate push
  expect_failure 2 bad-input 'expected a plan that publishes' 'explain policy'
  expect_equal "requests that write" "$(writes)" 0
}

# job NAME: a fresh clone of the tag, two commits deep, as a job checks it out.
job() {
  git clone --quiet --depth 2 --branch v1.2.3 --config advice.detachedHead=false "file://$PROJECT" "$WORK/job-$1"
  cd "$WORK/job-$1"
  as_runner push refs/tags/v1.2.3 "$RELEASE"
}

it_releases_stage_by_stage_in_separate_jobs() {
  local cell plan artifacts=$WORK/artifacts name
  local -a options=(--to "$OWN/release")
  mkdir "$artifacts"
  job plan
  run crategate plan "${options[@]}"
  expect_ok
  plan=$(output plan)
  mapfile -t cells < <(output matrix | jq -r '(.include // .)[] | .cell // .key')
  expect_equal "cells" "$(printf '%s\n' "${cells[@]}" | sort | paste -sd ' ')" "$(printf '%s\n' "${CELLS[@]}" | sort | paste -sd ' ')"
  run crategate generate
  expect_ok
  cp -R docker/dockerfiles "$artifacts/generated-dockerfiles"

  for cell in "${cells[@]}"; do
    job "cell-$cell"
    cp -R "$artifacts/generated-dockerfiles" docker/dockerfiles
    run crategate build --plan "$plan" --cell "$cell"
    expect_ok
    expect_match "imageid" "$(output imageid)" '^sha256:[0-9a-f]{64}$'
    run crategate test --plan "$plan" --cell "$cell"
    expect_ok
    expect_equal "tests" "$(output tests | jq -r .verdict)" passed
    [[ -s $(output log) ]] || fail "the log that the output names"
    run crategate digest --plan "$plan" --cell "$cell"
    expect_ok
    expect_match "digest" "$(output digest)" '^sha256:[0-9a-f]{64}$'
    expect_match "fingerprint" "$(output fingerprint)" '^v1:[0-9a-f]{64}$'
    cp -R ".crategate/records/$cell" "$artifacts/digest-$cell"
    expect_equal "tags" "$(tags "$OWN/release/tiny/app-$cell")" ""
  done

  job publish
  mkdir -p .crategate/records
  for cell in "${cells[@]:1}"; do cp -R "$artifacts/digest-$cell" ".crategate/records/$cell"; done
  run crategate push --plan "$plan" # one artifact is not there
  expect_failure 10 gate-refused "1 of 4 cells refused; ${cells[0]}: record-missing" '.'
  expect_equal "exit_code" "$(output exit_code)" 10
  expect_match "annotation" "$OUT" '(^|'$'\n'')::error title='
  for cell in "${cells[@]}"; do expect_equal "tags" "$(tags "$OWN/release/tiny/app-$cell")" ""; done
  cp -R "$artifacts/digest-${cells[0]}" ".crategate/records/${cells[0]}"
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  run crategate verify --plan "$plan"
  expect_ok
  expect_equal "verdict" "$(output verdict)" admitted
  expect_equal "images built, in the job that publishes" "$(find .crategate -path '*builds*' -type f)" ""
  run crategate push --plan "$plan"
  expect_ok
  expect_equal "published" "$(output published | jq length)" 4
  for cell in "${cells[@]}"; do
    name=$OWN/release/tiny/app-$cell:v1.2.3
    expect_equal "published $name" "$(output published | jq -r --arg name "$name" '.[$name]')" "$(manifest_digest "$name")"
  done
  for cell in "${cells[@]}"; do expect_equal "tags" "$(tags "$OWN/release/tiny/app-$cell")" "v1.2.3"; done
  run crategate release --plan "$plan"
  expect_ok
  expect_equal "moved" "$(output moved | jq length)" 4
  run crategate report --plan "$plan"
  expect_ok
  for cell in "${cells[@]}"; do
    name=$OWN/release/tiny/app-$cell
    expect_equal "tags" "$(tags "$name")" "latest v1.2.3"
    expect_equal "release.json" "$(jq -r --arg name "$name:v1.2.3" '.published[$name]' .crategate/release.json)" "$(manifest_digest "$name:v1.2.3")"
    expect_equal "record" "$(jq -r .config_digest "$artifacts/digest-$cell/record.json")" "$(config_digest "$name:latest")"
  done
  expect_match "summary" "$(<"$GITHUB_STEP_SUMMARY")" 'cuda-py3\.13'
  expect_no_match "streams" "$(<"$WORK/out")" $'\e'
}

it_runs_again_without_moving_anything() {
  cd "$WORK/job-publish"
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  local before plan
  before=$(writes)
  plan=$(<"$WORK/job-plan/.crategate/plan.json")
  run crategate push --plan "$plan"
  expect_ok
  expect_equal "moved" "$(output moved)" '{}'
  run crategate release --plan "$plan"
  expect_ok
  expect_equal "moved" "$(output moved)" '{}'
  expect_equal "requests that write" "$(writes)" "$before"
}

it_refuses_the_records_of_another_workflow_run() {
  cd "$WORK/job-publish"
  as_runner push refs/tags/v1.2.3 "$RELEASE"
  GITHUB_RUN_ID=4712 run crategate push --plan "$(<"$WORK/job-plan/.crategate/plan.json")"
  expect_failure 10 gate-refused 'record-foreign: expected run' '.'
}

it_refuses_a_published_version_with_other_content() {
  cd "$PROJECT"
  git switch --quiet main
  echo other >src/hello
  commit 'Other content'
  git tag --force v1.2.3 >/dev/null
  local before cell
  cell=cpu-py3.11
  before=$(manifest_digest "$OWN/release/tiny/app-$cell:v1.2.3")
  run crategate run --to "$OWN/release" "${TAG_PUSH[@]}"
  expect_failure 50 conflict 'tiny/app-cpu-py3\.11:v1\.2\.3' '.'
  expect_equal "the published image" "$(manifest_digest "$OWN/release/tiny/app-$cell:v1.2.3")" "$before"
  expect_equal "latest" "$(manifest_digest "$OWN/release/tiny/app-$cell:latest")" "$before"
}

run_cases
