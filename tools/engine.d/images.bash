# shellcheck shell=bash disable=SC2153  # STATE, ROOT: state.bash
# Base images without a registry to pull from: Docker archives made once, then loaded into the engine
# and copied to the local registry under the same path.

# make_archive FOLDER IMAGE CONFIG OUT: one layer from FOLDER; CONFIG is JSON such as {"Cmd": ["sh"]}.
make_archive() {
  local folder=$1 image=$2 config=$3 out=$4 work diff
  work=$(mktemp -d "$STATE/tmp/archive.XXXXXX")
  as_root tar -C "$folder" --sort=name --numeric-owner --one-file-system -cf - . >"$work/layer.tar"
  diff=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  jq -nc --arg diff "sha256:$diff" --argjson config "$config" --arg architecture "$(go_architecture)" \
    --arg created "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '{
      architecture: $architecture, os: "linux", created: $created,
      config: ({Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]} + $config),
      rootfs: {type: "layers", diff_ids: [$diff]},
      history: [{created: $created, created_by: "debian packages"}]
    }' >"$work/config.json"
  jq -nc --arg image "$image" '[{Config: "config.json", RepoTags: [$image], Layers: ["layer.tar"]}]' >"$work/manifest.json"
  tar -C "$work" -cf "$out.new" manifest.json config.json layer.tar
  echo "sha256:$diff" >"${out%.tar}.layer"
  mv "$out.new" "$out"
  rm -rf "$work"
}

go_architecture() {
  case $(uname -m) in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) dpkg --print-architecture ;;
  esac
}

# provide IMAGE ARCHIVE: in the engine in use, and in the registry (also as Docker Hub's mirror).  The
# layer's digest tells whether they hold this archive's image, or one of an earlier archive.
provide() {
  local image=$1 archive=$2 name=${1%:*} tag=${1##*:} log=$STATE/images/log path layer
  local -a paths=("$name")
  [[ $name == */* ]] || paths+=("library/$name")
  layer=$(<"${archive%.tar}.layer")
  if [[ $(docker image inspect --format '{{json .RootFS.Layers}}' "$image" 2>/dev/null) != *"$layer"* ]] && ! machine_has "$image"; then
    say "loading $image"
    docker load -q -i "$archive" >"$log" 2>&1 || die_with_log "$log" "the engine did not load $image"
    if [[ $ENGINE == machine ]]; then
      echo "$image" >>"$STATE/machine/loaded"
    fi
  fi
  for path in "${paths[@]}"; do
    if [[ $(registry_config "$path" "$tag") != *"$layer"* ]]; then
      say "pushing $image to localhost:$(registry_port)/$path:$tag"
      skopeo --insecure-policy copy -q --retry-times 2 --dest-tls-verify=false \
        "docker-archive:$archive" "docker://localhost:$(registry_port)/$path:$tag" >"$log" 2>&1 ||
        die_with_log "$log" "the registry did not take $image"
    fi
  done
}

# An image of that name that belongs to this machine is left alone.
machine_has() {
  [[ $ENGINE == machine ]] && docker image inspect "$1" >/dev/null 2>&1 && ! grep -qxF "$1" "$STATE/machine/loaded" 2>/dev/null
}

# What was loaded into the machine's own engine goes again.
images_forget_machine() {
  local image
  [[ -e $STATE/machine/loaded ]] || return 0
  while read -r image; do
    docker image rm "$image" >/dev/null 2>&1 || true
  done <"$STATE/machine/loaded"
  rm -f "$STATE/machine/loaded"
}

# crategate/busybox:1, Debian's static busybox and nothing else.
images_busybox() {
  local archive=$STATE/images/busybox.tar root=$STATE/tmp/busybox binary applet
  if [[ ! -e $archive ]]; then
    packages_unpack "${SMALL_PACKAGES[@]}"
    mkdir -p "$STATE/images"
    rm -rf "$root"
    mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,root,proc,sys,dev}
    mkdir -m 1777 "$root/tmp"
    binary=$ROOT/usr/bin/busybox
    [[ -e $binary ]] || binary=$ROOT/bin/busybox
    cp "$binary" "$root/bin/busybox"
    while read -r applet; do
      [[ -e $root/$applet ]] || { mkdir -p "$root/$(dirname "$applet")" && ln -s /bin/busybox "$root/$applet"; }
    done < <("$binary" --list-full)
    [[ -L $root/bin/sh ]] || ln -s /bin/busybox "$root/bin/sh"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    as_root chown -R 0:0 "$root"
    make_archive "$root" crategate/busybox:1 '{"Cmd": ["sh"]}' "$archive"
    as_root rm -rf "$root"
  fi
  provide crategate/busybox:1 "$archive"
}

# images_debian SUITE: debian:SUITE-slim as its maintainers ship it: minimal, no lists, no caches.
images_debian() {
  local suite=$1 archive=$STATE/images/debian-$1-slim.tar root=$STATE/tmp/debian-$1 log=$STATE/images/debian-$1.log
  if [[ ! -e $archive ]]; then
    command -v debootstrap >/dev/null || die "debian:$suite-slim needs debootstrap"
    mkdir -p "$STATE/images" "$STATE/packages"
    packages_configure
    say "making debian:$suite-slim (about a minute, once)"
    as_root rm -rf "$root"
    as_root debootstrap --variant=minbase "$suite" "$root" "$(mirror_of '')" >"$log" 2>&1 ||
      die_with_log "$log" "debootstrap of $suite failed"
    as_root "$BASH" -c "$(declare -f slim_debian); slim_debian \"\$@\"" slim "$root" "$suite" "$(mirror_of '')" "$(mirror_of -security)" \
      >>"$log" 2>&1 || die_with_log "$log" "cleaning debian:$suite-slim failed"
    make_archive "$root" "debian:$suite-slim" '{"Cmd": ["bash"]}' "$archive"
    as_root rm -rf "$root"
  fi
  provide "debian:$suite-slim" "$archive"
}

# slim_debian ROOT SUITE MIRROR SECURITY-MIRROR (runs as root)
slim_debian() {
  set -eu
  local root=$1 suite=$2 mirror=$3 security=$4
  # Credentials of this machine do not belong into an image.
  # shellcheck disable=SC2001  # clearer than an expansion
  {
    mirror=$(sed 's|//[^/@]*@|//|' <<<"$mirror")
    security=$(sed 's|//[^/@]*@|//|' <<<"$security")
  }
  rm -f "$root/etc/apt/sources.list"
  {
    printf 'Types: deb\nURIs: %s\nSuites: %s %s-updates\nComponents: main\n' "$mirror" "$suite" "$suite"
    printf 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n'
    if [ -n "$security" ]; then
      printf '\nTypes: deb\nURIs: %s\nSuites: %s-security\nComponents: main\n' "$security" "$suite"
      printf 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n'
    fi
  } >"$root/etc/apt/sources.list.d/debian.sources"
  printf '%s\n' 'path-exclude /usr/share/doc/*' 'path-include /usr/share/doc/*/copyright' \
    'path-exclude /usr/share/man/*' 'path-exclude /usr/share/info/*' 'path-exclude /usr/share/locale/*' \
    'path-exclude /usr/share/lintian/*' >"$root/etc/dpkg/dpkg.cfg.d/docker"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
  # shellcheck disable=SC2016
  echo 'Acquire::Languages "none"; APT::AutoRemove::SuggestsImportant "false"; Acquire::GzipIndexes "true"; Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";' \
    >"$root/etc/apt/apt.conf.d/docker-clean"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  find "$root/usr/share/doc" -type l -delete
  rm -rf "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/* "$root"/usr/share/lintian
  rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/cache/debconf/*-old
  mkdir -p "$root/var/lib/apt/lists/partial" "$root/usr/share/man/man1"
  find "$root/var/log" -type f -delete
  : >"$root/etc/machine-id"
  rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root"/dev/* 2>/dev/null || true
}
