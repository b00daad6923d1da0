# shellcheck shell=bash disable=SC2153  # STATE, ROOT: state.bash
# A BuildKit image for `docker buildx create --driver docker-container`, made from BuildKit's Go
# module and Debian's runc, since there may be no registry to pull moby/buildkit from.

readonly BUILDKIT_VERSION=v0.23.2
buildkit_compile() {
  local work=$STATE/buildkit/module log=$STATE/buildkit/log
  find_go
  say "compiling BuildKit $BUILDKIT_VERSION with $("$GO" env GOVERSION) (a few minutes, once)"
  rm -rf "$work"
  mkdir -p "$work"
  (
    cd "$work"
    export CGO_ENABLED=0 GOFLAGS='-trimpath -buildvcs=false' GOWORK=off
    [[ -n ${HOME-} ]] || export HOME=$STATE/buildkit
    "$GO" mod init crategate.test/buildkit
    "$GO" get "github.com/moby/buildkit/cmd/buildkitd@$BUILDKIT_VERSION" "github.com/moby/buildkit/cmd/buildctl@$BUILDKIT_VERSION"
    "$GO" build -ldflags "-s -w -X github.com/moby/buildkit/version.Version=$BUILDKIT_VERSION" -o "$STATE/buildkit/bin/" \
      github.com/moby/buildkit/cmd/buildkitd github.com/moby/buildkit/cmd/buildctl
  ) >"$log" 2>&1 9>&- || die_with_log "$log" "BuildKit did not compile"
  rm -rf "$work"
}

# copy_program PROGRAM ROOT TARGET: with the shared libraries it needs.
copy_program() {
  local library
  install -D -m 755 "$1" "$2$3"
  { ldd "$1" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r library; do
    install -D -m 755 "$(realpath "$library")" "$2$library"
  done
}

buildkit_archive() {
  local root=$STATE/tmp/buildkit archive=$1
  [[ -x $STATE/buildkit/bin/buildkitd && -x $STATE/buildkit/bin/buildctl ]] || buildkit_compile
  as_root rm -rf "$root"
  mkdir -p "$root"/{etc,root,proc,sys,dev,run,usr/bin,var/lib/buildkit}
  mkdir -m 1777 "$root/tmp"
  cp "$STATE/buildkit/bin/buildkitd" "$STATE/buildkit/bin/buildctl" "$root/usr/bin/"
  copy_program "$(command -v runc)" "$root" /usr/bin/buildkit-runc
  if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  fi
  # The registry as Docker Hub's mirror, as for the engines: a builder sees no image of the engine.
  mkdir -p "$root/etc/buildkit"
  cat >"$root/etc/buildkit/buildkitd.toml" <<CONF
[registry."docker.io"]
  mirrors = ["localhost:$(registry_port)"]
[registry."localhost:$(registry_port)"]
  http = true
CONF
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  as_root chown -R 0:0 "$root"
  make_archive "$root" "crategate/buildkit:$BUILDKIT_VERSION" '{"Entrypoint": ["buildkitd"]}' "$archive"
  as_root rm -rf "$root"
}

# Prints the reference to give to --driver-opt image=….
buildkit_image() {
  local archive
  archive=$STATE/images/buildkit-$BUILDKIT_VERSION-$(registry_port).tar
  if [[ ! -e $archive ]]; then
    rm -f "$STATE/images/buildkit-"*.tar
    buildkit_archive "$archive"
  fi
  provide "crategate/buildkit:$BUILDKIT_VERSION" "$archive"
  echo "localhost:$(registry_port)/crategate/buildkit:$BUILDKIT_VERSION"
}
