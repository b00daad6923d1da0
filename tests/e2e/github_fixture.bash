# shellcheck shell=bash disable=SC2034  # the scripts read what is set here
# A strict GitHub (tests/github) for the scripts whose stages ask it; source lib.bash before.
JOB_TOKEN=ghs_$TOKEN

state() { "$REPO/tests/github/state.py" "$WORK/github" "$@"; }

# github: a GitHub of this case's own that knows nothing yet but the project's pull request 7.
github() {
  rm -rf "$WORK/github"
  : >"$WORK/port" # that of an earlier one must not be taken for this one's
  state init --repository tiny/app --id 1 --token "$JOB_TOKEN"
  : >"$WORK/port" # of an earlier one
  "$REPO/tests/github/server.py" "$WORK/github" >"$WORK/port" &
  echo $! >>"$WORK/started"
  for _ in {1..100}; do
    grep -q listening "$WORK/port" && break
    sleep 0.1
  done
  GITHUB=http://127.0.0.1:$(cut -d' ' -f2 <"$WORK/port")
}

# ask_github STAGE [VARIABLE=VALUE...]: the stage, as a step with the job's token.
ask_github() {
  local -x GITHUB_API_URL=$GITHUB GITHUB_SERVER_URL=$GITHUB INPUT_STAGE=$1 GITHUB_REPOSITORY_ID=1
  run env "INPUT_GITHUB-TOKEN=$JOB_TOKEN" "${@:2}" crategate
  state violations || fail "no request that GitHub does not describe"
}
