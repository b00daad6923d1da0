# shellcheck shell=bash disable=SC2034,SC2153  # STATE, ROOT: state.bash
# Go programs that the tests need and no Debian package has, compiled once.

readonly GO_WANTED=1.24
readonly GO_PACKAGES=("golang-$GO_WANTED-go" "golang-$GO_WANTED-src")

go_version() { "$1" env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9.]*\).*/\1/p'; }

# Sets GO to a Go that is new enough: the machine's, else Debian 13's in the private root.
find_go() {
  local version
  if GO=$(command -v go) && version=$(go_version "$GO") && [[ -n $version ]] && at_least "$version" "$GO_WANTED"; then
    return
  fi
  packages_unpack "${GO_PACKAGES[@]}"
  GO=$ROOT/usr/lib/go-$GO_WANTED/bin/go
  version=$(go_version "$GO") || true
  [[ -n $version ]] || die "no Go $GO_WANTED or newer on this machine, and Debian 13's does not run here"
}

# act, a runner of workflows that is not GitHub's (https://github.com/nektos/act).
readonly ACT_VERSION=v0.2.87

# Prints the path of the program.
runner_program() {
  local program=$STATE/runner/act-$ACT_VERSION log=$STATE/runner/log
  if [[ ! -x $program ]]; then
    find_go
    say "compiling act $ACT_VERSION with $("$GO" env GOVERSION) (a minute or two, once)"
    mkdir -p "$STATE/runner"
    (
      cd "$STATE/runner"
      export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false' GOWORK=off GOBIN=$STATE/runner
      [[ -n ${HOME-} ]] || export HOME=$STATE/runner
      "$GO" install "github.com/nektos/act@$ACT_VERSION"
    ) >"$log" 2>&1 9>&- || die_with_log "$log" "act did not compile"
    mv "$STATE/runner/act" "$program"
  fi
  echo "$program"
}
