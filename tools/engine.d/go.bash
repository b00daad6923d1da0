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
# actionlint, which reads workflows as GitHub does (https://github.com/rhysd/actionlint).
readonly ACTIONLINT_VERSION=v1.7.11

runner_program() { go_program act github.com/nektos/act "$ACT_VERSION"; }
actionlint_program() { go_program actionlint github.com/rhysd/actionlint/cmd/actionlint "$ACTIONLINT_VERSION"; }

# go_program NAME PACKAGE VERSION: prints the path of the program.
go_program() {
  local name=$1 package=$2 version=$3
  local program=$STATE/runner/$name-$version log=$STATE/runner/$name.log
  if [[ ! -x $program ]]; then
    take_lock
    find_go
    say "compiling $name $version with $("$GO" env GOVERSION) (a minute or two, once)"
    mkdir -p "$STATE/runner"
    (
      cd "$STATE/runner"
      export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false' GOWORK=off GOBIN=$STATE/runner
      [[ -n ${HOME-} ]] || export HOME=$STATE/runner
      "$GO" install "$package@$version"
    ) >"$log" 2>&1 9>&- || die_with_log "$log" "$name did not compile"
    mv "$STATE/runner/$name" "$program"
  fi
  echo "$program"
}
