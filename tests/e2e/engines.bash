#!/usr/bin/env bash
# The fixture: `up FILE` starts what the scripts need and notes in FILE what did not run before; `down FILE` stops that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
FILE=$2

# The whole answer first: a pipe that is closed early would read as "down", and stop what others use.
is_up() {
  local status
  status=$(tools/engine status 2>/dev/null || true)
  grep -qE "^$1 +up " <<<"$status"
}

case $1 in
  up)
    # After an interrupted run the note still says what is ours to stop.
    [[ -e $FILE ]] || for part in registry containerd classic; do
      is_up "$part" || echo "$part"
    done >"$FILE"
    tools/engine up --store containerd --images
    tools/engine up --store classic
    tools/engine builder-image --store classic
    tools/engine runner
    ;;
  down)
    for store in containerd classic; do
      if grep -qx "$store" "$FILE"; then tools/engine down --store "$store"; fi
    done
    if grep -qx registry "$FILE" && ! is_up containerd && ! is_up classic; then tools/engine down; fi
    rm -f "$FILE"
    ;;
  *)
    echo "usage: engines.bash up|down FILE" >&2
    exit 2
    ;;
esac
