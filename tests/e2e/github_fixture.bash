# shellcheck shell=bash disable=SC2034  # the scripts read what is set here
# A strict GitHub (tests/github) for the scripts whose stages ask it; source lib.bash before.
JOB_TOKEN=ghs_$TOKEN

# What stands before the interpreter, and what it reads of the machine, takes longer than the program does.
PYTHON=$(python3 -c 'import sys; print(sys.executable)')
state() { "$PYTHON" -IS "$REPO/tests/github/state.py" "$WORK/github" "$@"; }

# expect_described: GitHub describes every request that there was.
expect_described() {
  if grep -qF '"violations"' "$WORK/github/requests.log" 2>/dev/null; then
    state violations || fail "no request that GitHub does not describe"
  fi
}

# github [COMMAND ...]: a GitHub of this case's own that knows nothing yet but what the commands of tests/github/state.py say. One server
# serves all cases: what it knows is in the folder.
# shellcheck disable=SC2120
github() {
  rm -rf "$WORK/github"
  state init --repository tiny/app --id 1 --token "$JOB_TOKEN" ${1:+ + "$@"}
  if [[ ! -s $WORK/port ]]; then
    "$PYTHON" "$REPO/tests/github/server.py" "$WORK/github" >"$WORK/port" &
    echo $! >>"$WORK/started"
    disown # whoever kills it says nothing of it
    wait_until 10 cat "$WORK/port" >/dev/null
  fi
  GITHUB=http://127.0.0.1:$(cut -d' ' -f2 <"$WORK/port")
}

# ask_github STAGE [VARIABLE=VALUE...]: the stage, as a step with the job's token.
ask_github() {
  local -x GITHUB_API_URL=$GITHUB GITHUB_SERVER_URL=$GITHUB INPUT_STAGE=$1 GITHUB_REPOSITORY_ID=1
  run env "INPUT_GITHUB-TOKEN=$JOB_TOKEN" "${@:2}" crategate
  expect_described
}

# git_server: the repositories below $WORK/server over HTTPS, for the job's token alone.
git_server() {
  mkdir -p "$WORK/server"
  "$REPO/tests/support/git_server.py" "$WORK/server" "x-access-token:$JOB_TOKEN" >"$WORK/server.port" &
  echo $! >>"$WORK/started"
  disown
  wait_until 10 grep -E '^port ' "$WORK/server.port"
}
git_address() { echo "https://127.0.0.1:$(sed -n 's/^port //p' "$WORK/server.port")"; }
