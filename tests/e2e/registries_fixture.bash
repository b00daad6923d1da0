#!/usr/bin/env bash
# The fixture of registries.bash: `up FILE [NAME...]` starts the registries and notes in FILE what did not run before;
# `down FILE` stops that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
FILE=$2

case $1 in
  up)
    # After an interrupted run the note still says what is ours to stop.
    if [[ ! -e $FILE ]]; then
      status=$(tools/registries status || true)
      awk '$2 == "down" && $1 !~ /^token-server/ { print $1 }' <<<"$status" >"$FILE"
    fi
    tools/registries up "${@:3}"
    for name in crane regctl skopeo; do tools/engine program "$name"; done
    ;;
  down)
    mapfile -t names <"$FILE"
    ((${#names[@]} == 0)) || tools/registries down "${names[@]}"
    rm -f "$FILE"
    ;;
  *)
    echo "usage: registries_fixture.bash up|down FILE [NAME...]" >&2
    exit 2
    ;;
esac
