# shellcheck shell=bash disable=SC2034  # the scripts read what is set here
# A project with a bare repository on "the server", pull request 7 from branch fix, and /regen as its three jobs do it; source
# lib.bash, ci_image_fixture.bash and github_fixture.bash before.
READ_TOKEN=ghs_read_$TOKEN # of the job that generates
HEAD='' SHA='' PINNED='' BOUND='' REASON='' AUTHORISED='' PAYLOAD=''

at_work() { REMOTE=$WORK/remote.git; }
at_work

# in_remote ARGUMENT...: git in the repository that pull requests are in.
in_remote() { git -C "$REMOTE" "$@"; }

# regen_project: the default branch has the command that makes generated/list out of src/list.
regen_project() {
  ci_project
  mkdir -p src generated
  printf 'b\na\n' >src/list
  printf 'set -e\nsort src/list >generated/list\n' >generate.sh
  : >generated/list
  printf '.crategate\n' >.gitignore
  sed -i 's|^  image: .*|&\n  generate: [sh, generate.sh]|' crategate.yml
  printf 'regen: {remote: "%s", timeout: 20s}\n' "$REMOTE" >>crategate.yml
  commit 'Generated files'
  git branch --quiet --force main HEAD
  built latest "$(git rev-parse main)" >/dev/null
  git clone --quiet --bare "file://$PWD" "$REMOTE"
  in_remote config uploadpack.allowAnySHA1InWant true
}

# pull FILE=TEXT...: pull request 7 becomes one commit with these files on top of main. FORK=--fork is a fork's.
pull() {
  local each
  [[ -d $WORK/project ]] || regen_project
  cd "$WORK/project"
  git checkout --quiet --force -B fix main
  for each in "$@"; do
    mkdir -p "$(dirname "${each%%=*}")"
    printf '%b' "${each#*=}" >"${each%%=*}"
  done
  commit 'A change'
  HEAD=$(git rev-parse HEAD)
  git push --quiet --force "$REMOTE" "HEAD:refs/heads/${HEAD_REF:-fix}" HEAD:refs/pull/7/head
  scene
}

# fork_pull: pull request 7 from a fork, with FORK=--fork and HEAD_REF; the repository has no branch of it.
fork_pull() {
  cd "$WORK/project"
  git checkout --quiet --force -B fix main
  printf 'c\na\n' >src/list
  commit 'From a fork'
  HEAD=$(git rev-parse HEAD)
  git push --quiet --force "$REMOTE" HEAD:refs/pull/7/head
  scene
}

# scene: a GitHub with alice, who may write, and pull request 7 as it is.
scene() {
  in_remote for-each-ref >"$WORK/refs"
  github user --login alice --id 5 --level write \
    + pull --number 7 --head-sha "$HEAD" --head-ref "${HEAD_REF:-fix}" ${FORK:+"$FORK"} \
    + file add --number 7 --name src/list \
    + comment add --issue 7 --id 1001 --login alice --user-id 5 \
    + permission --token "$JOB_TOKEN" --name contents --level write \
    + token --token "$READ_TOKEN" --only contents=read packages=read metadata=read
}

# job NAME: a clone of the default branch, as actions/checkout leaves one, and what the runner gives.
job() {
  cd "$WORK"
  rm -rf "$WORK/job-$1"
  git clone --quiet --depth=1 --branch=main "file://$REMOTE" "$WORK/job-$1"
  cd "$WORK/job-$1"
  as_runner issue_comment refs/heads/main "$PAYLOAD"
}

# comment BODY [JQ]: alice wrote BODY now; JQ changes the payload.
comment() {
  PAYLOAD=$(jq --null-input --arg body "$1" --arg now "$(date -u +%FT%TZ)" '{
    action: "created", repository: {id: 1, default_branch: "main"}, sender: {id: 5, login: "alice", type: "User"},
    issue: {number: 7, state: "open", pull_request: {url: "https://api.github.com/repos/tiny/app/pulls/7"}, user: {id: 9}},
    comment: {id: 1001, body: $body, created_at: $now, html_url: "https://github.com/tiny/app/pull/7#issuecomment-1001",
      author_association: "OWNER", user: {id: 5, login: "alice", type: "User"}}
  } | '"${2:-.}")
}

# artifact_service: of this case, with a token for each job. Without the program for it the jobs share the folder of generate.
artifact_service() {
  [[ -n ${CRATEGATE_ARTIFACT_SERVICE-} ]] || return 0
  local input=$WORK/service-input
  rm -f "$input" "$WORK/service"
  mkfifo "$input"
  "$CRATEGATE_ARTIFACT_SERVICE" R1 generate apply \
    <"$input" >"$WORK/service" 2>/dev/null &
  echo $! >>"$WORK/started"
  exec 9>"$input"
  wait_until 10 grep -E '^apply=.' "$WORK/service"
}

# as_job NAME: the artifact service, as that job of the run.
as_job() {
  if [[ -z ${CRATEGATE_ARTIFACT_SERVICE-} ]]; then
    [[ $1 != apply ]] || cp -R "$WORK/job-generate/.crategate" .
    return
  fi
  ACTIONS_RESULTS_URL=$(sed -n 's/^ACTIONS_RESULTS_URL=//p' "$WORK/service")
  ACTIONS_RUNTIME_TOKEN=$(sed -n "s/^$1=//p" "$WORK/service")
  export ACTIONS_RESULTS_URL ACTIONS_RUNTIME_TOKEN
}

# authorise, generate, apply: the three stages, each in a job of its own with the token that regen.yml gives it.
authorise() {
  job authorise
  ask_github authorise-regen INPUT_CI-IMAGE-WAIT-INTERVAL=1s INPUT_CI-IMAGE-WAIT-TIMEOUT=20s
  AUTHORISED=$(output authorised) SHA=$(output sha) PINNED=$(output image)
}

generate() {
  job generate
  as_job generate
  JOB_TOKEN=$READ_TOKEN ask_github regen INPUT_SHA="$SHA" INPUT_PULL-REQUEST=7 INPUT_REGEN-IMAGE="$PINNED" INPUT_REGEN-REMOTE="$REMOTE" "$@"
  BOUND='' REASON=''
  if grep -q ^artifact_digest "$GITHUB_OUTPUT"; then BOUND=$(output artifact_digest); fi
  if grep -q ^error "$GITHUB_OUTPUT"; then REASON=$(output error); fi
}

apply() {
  job apply
  as_job apply
  ask_github apply-regen INPUT_SHA="$SHA" INPUT_PULL-REQUEST=7 INPUT_REGEN-IMAGE="$PINNED" INPUT_REGEN-REMOTE="$REMOTE" \
    INPUT_ARTIFACT-DIGESTS="$BOUND" INPUT_REGEN-FAILURE="$REASON" "$@"
}

# requested: alice wrote /regen, and the files are made; what is left is to apply them.
requested() {
  artifact_service
  comment /regen
  authorise
  generate
}

# regen BODY [JQ]: all three.
regen() {
  artifact_service
  comment "$@"
  authorise
  [[ $AUTHORISED == true ]] || return 0
  generate
  apply
}

replies() { jq --raw-output '.[] | select(.login == "github-actions[bot]") | .body' "$WORK/github/comments.json"; }
