# shellcheck shell=bash disable=SC2034  # read by the other parts
# Debian packages unpacked in a private root: nothing is installed, no service starts.
#
# Always Debian 13's: its Docker has the containerd image store, and buildx is new enough.  The mirror
# is the one that this machine's own apt uses, with an apt configuration and lists of its own.

readonly ENGINE_PACKAGES=(docker.io docker-cli containerd docker-buildx tini)
readonly SMALL_PACKAGES=(docker-registry busybox-static)

# mirror_of SUFFIX: the address for the suite {codename}SUFFIX, e.g. "" or "-security".
mirror_of() {
  apt-get indextargets --format "\$(CODENAME) \$(COMPONENT) \$(REPO_URI)" 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
    awk -v suffix="$1" '$1 ~ ("^[a-z]+" suffix "$") && $2 == "main" && !found { print $3; found = 1 }'
}

packages_configure() {
  local apt=$STATE/packages/apt mirror security signed=''
  command -v apt-get >/dev/null ||
    die "no usable engine here, and no apt to fetch one: install Docker (API 1.41) with buildx 0.13 and start it"
  mirror=$(mirror_of '')
  if [[ -z $mirror ]]; then
    as_root apt-get -qq -o Acquire::Retries=3 update >"$STATE/packages/log" 2>&1 ||
      die_with_log "$STATE/packages/log" "apt-get update failed"
    mirror=$(mirror_of '')
  fi
  [[ -n $mirror ]] ||
    die "no usable engine here, and no Debian mirror among this machine's apt sources: install Docker (API 1.41) with buildx 0.13 and start it"
  security=$(mirror_of -security)
  if [[ -f /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
    signed=' [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
  fi
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  {
    echo "deb$signed $mirror trixie main"
    [[ -z $security ]] || echo "deb$signed $security trixie-security main"
  } >"$apt/sources.list"
  # The machine's own settings (proxies, credentials) stay; its hooks do not.
  cat >"$apt/apt.conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Dir::Etc::sourceparts;
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
APT::Sandbox::User "root";
APT::Default-Release "";
Acquire::Retries "3";
Acquire::Languages "none";
CONF
}

# packages_unpack NAME...: into $ROOT, each once.
packages_unpack() {
  local name log=$STATE/packages/log
  local -a missing=()
  for name in "$@"; do
    [[ -e $STATE/packages/$name.unpacked ]] || missing+=("$name")
  done
  ((${#missing[@]} > 0)) || return 0
  say "fetching ${missing[*]}"
  mkdir -p "$ROOT" "$STATE/packages/debs"
  packages_configure
  if ! (
    cd "$STATE/packages/debs"
    rm -f ./*.deb
    apt-get -qq -c "$STATE/packages/apt/apt.conf" update
    apt-get -qq -c "$STATE/packages/apt/apt.conf" download "${missing[@]}"
  ) >"$log" 2>&1; then
    die_with_log "$log" "could not fetch ${missing[*]}"
  fi
  for name in "${missing[@]}"; do
    dpkg -x "$STATE/packages/debs/${name}"_*.deb "$ROOT" >>"$log" 2>&1 || die_with_log "$log" "could not unpack $name"
    touch "$STATE/packages/$name.unpacked"
  done
  rm -rf "$STATE/packages/debs"
}
