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

# Registries, and clients of registries that are not ours.
readonly DISTRIBUTION_VERSION=v3.0.0
readonly GGCR_VERSION=v0.22.1
readonly REGCTL_VERSION=v0.11.7
# toxiproxy, which puts latency and cuts between a client and a server.
readonly TOXIPROXY_VERSION=v2.5.0

runner_program() { go_program act github.com/nektos/act "$ACT_VERSION"; }
actionlint_program() { go_program actionlint github.com/rhysd/actionlint/cmd/actionlint "$ACTIONLINT_VERSION"; }

# program NAME: prints the path of a registry, of a client that judges ours, or of toxiproxy.
program() {
  case $1 in
    crane | ggcr) go_program "$1" "github.com/google/go-containerregistry/cmd/${1/ggcr/registry}" "$GGCR_VERSION" ;;
    ggcr-referrers) ggcr_referrers_program ;;
    regctl) go_program regctl github.com/regclient/regclient/cmd/regctl "$REGCTL_VERSION" ;;
    toxiproxy) go_program toxiproxy github.com/Shopify/toxiproxy/v2/cmd/server "$TOXIPROXY_VERSION" ;;
    distribution3) go_program distribution3 github.com/distribution/distribution/v3/cmd/registry "$DISTRIBUTION_VERSION" ;;
    distribution2)
      [[ -e $STATE/packages/docker-registry.unpacked ]] || take_lock_as_owner
      packages_unpack docker-registry
      echo "$ROOT/usr/bin/docker-registry"
      ;;
    skopeo) command -v skopeo || die "no skopeo: tools/install engine" ;;
    *) die "unknown program '$1' (crane, regctl, skopeo, toxiproxy, distribution2, distribution3, ggcr, ggcr-referrers)" 2 ;;
  esac
}

# go_program NAME PACKAGE VERSION [COMMAND]: prints the path of the program, which COMMAND or `go install` makes in the
# folder that GOBIN names, with the name that the package's path ends with.
go_program() {
  local name=$1 package=$2 version=$3 make=${4-go_install}
  local program=$STATE/runner/$name-$version log=$STATE/runner/$name.log
  if [[ ! -x $program ]]; then
    take_lock_as_owner
  fi
  if [[ ! -x $program ]]; then # nobody made it while we waited
    find_go
    say "compiling $name $version with $("$GO" env GOVERSION) (a minute or two, once)"
    mkdir -p "$STATE/runner"
    (
      cd "$STATE/runner"
      export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false' GOWORK=off GOBIN=$STATE/runner/new
      [[ -n ${HOME-} ]] || export HOME=$STATE/runner
      # Debian's Go stays with its own version, and a module may ask for a newer one.
      export GOTOOLCHAIN=${GOTOOLCHAIN-auto}
      "$make" "$package" "$version"
    ) >"$log" 2>&1 9>&- || die_with_log "$log" "$name did not compile"
    mv "$STATE/runner/new/${package##*/}" "$program"
  fi
  echo "$program"
}

go_install() { "$GO" install "$1@$2"; }

# go-containerregistry's registry answers for referrers only where a program of its own asks for that.
ggcr_referrers_program() {
  go_program ggcr-referrers github.com/google/go-containerregistry/pkg/registry "$GGCR_VERSION" ggcr_referrers_make
}
ggcr_referrers_make() {
  rm -rf ggcr-referrers
  mkdir ggcr-referrers
  cd ggcr-referrers
  cat >main.go <<'GO'
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	log.Fatal(http.ListenAndServe("localhost:"+os.Args[2], registry.New(registry.WithReferrersSupport(true))))
}
GO
  "$GO" mod init crategate.test/registry
  "$GO" get "$1@$2"
  "$GO" build -o "$GOBIN/registry" .
  cd ..
  rm -rf ggcr-referrers
}
