#!/usr/bin/env bash
# cleanup: the directories that were named lose what they hold, and nothing else does; the next build hits its cache.
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
PROJECT=$WORK/project
tiny_project "$PROJECT" 'cleanup: {apt: false}'
ROOM=$WORK/room

# room: a directory with files, a link out of it, a place of an engine in it, and a neighbour.
room() {
  as_root rm -rf "$ROOM"
  mkdir -p "$ROOM"/tool/{bin,'lib ü'} "$ROOM"/tool/store/overlay2 "$ROOM/outside"
  head -c 3000000 /dev/zero >"$ROOM/tool/bin/large"
  touch "$ROOM/tool/.hidden" "$ROOM/tool/lib ü/a" "$ROOM/tool/store/overlay2/layer" "$ROOM/outside/kept"
  ln -s "$ROOM/outside" "$ROOM/tool/way-out"
}

expect_emptied() {
  expect_equal "what is left" "$(cd "$ROOM" && find . -type f -o -type l | sort | tr '\n' ' ')" './outside/kept ./tool/store/overlay2/layer '
  expect_equal "the freed bytes" "$(jq -r '.directories[0].bytes >= 3000000' .crategate/cleanup.json)" true
  expect_equal "free space is said" "$(jq -r '.free_before > 0 and .free_after > 0' .crategate/cleanup.json)" true
}

it_asks_on_a_machine_of_a_person() {
  room
  run crategate cleanup --paths "$ROOM/tool"
  expect_failure 2 bad-input 'expected --yes before 1 directories of this machine are emptied' 'crategate cleanup .*--yes'
  expect_match "list" "$ERR" "would be emptied: $ROOM/tool"
  [[ -e $ROOM/tool/.hidden ]] || fail "nothing is removed without --yes"
  run crategate cleanup --paths "$ROOM/tool" --dry-run
  expect_ok
  expect_equal "dry run" "$OUT" "empty $ROOM/tool"
  run crategate cleanup --yes --paths "$ROOM/tool"
  expect_ok
  expect_match "output" "$OUT" '^cleanup: freed .*: .* were free, now '
  expect_emptied
}

it_refuses_what_is_never_emptied() {
  local path
  for path in /usr /var/lib /etc/apt /home/runner /var/lib/docker /var/lib/docker/overlay2 /var/lib/containerd "$PROJECT" \
    "$WORK" "$PROJECT/.crategate" "$PROJECT/.crategate/images"; do
    run crategate cleanup --yes --paths "$path"
    expect_failure 2 bad-input 'cleanup\.paths: expected a directory that can be spared, found' '/usr/share/dotnet'
  done
  ln -s outside "$ROOM/link"
  run crategate cleanup --yes --paths "$ROOM/link"
  expect_failure 2 bad-input 'expected a directory reached without links' 'real path'
}

it_reaches_the_disk_of_the_engines_machine_from_a_job() {
  local image
  room
  with_libraries "$CRATEGATE" "$WORK/root" /usr/bin/crategate
  printf 'FROM scratch\nCOPY . /\n' >"$WORK/Dockerfile"
  docker build --quiet --provenance=false --file "$WORK/Dockerfile" --tag "$TO/crategate:1" "$WORK/root" >/dev/null
  docker push --quiet "$TO/crategate:1" >/dev/null
  image=$TO/crategate@$(manifest_digest "$TO/crategate:1")
  run crategate plan --to "$TO" "${TAG_PUSH[@]}"
  expect_ok
  run crategate generate
  expect_ok
  run crategate build --cell cpu-py3.11
  expect_ok
  as_runner push refs/tags/v1.2.3 '{}'
  run crategate cleanup --image "$image" --paths "$ROOM/tool"$'\n'"$ROOM/absent"
  expect_ok
  expect_match "output" "$OUT" 'cleanup: freed '
  expect_match "output" "$OUT" "$ROOM/absent: not there"
  expect_match "summary" "$(<"$GITHUB_STEP_SUMMARY")" '### cleanup: freed'
  expect_emptied
  expect_equal "containers left" "$(docker container ls --all --quiet --filter label=io.crategate.stage=cleanup)" ''
  unset "${!GITHUB_@}"
  # BuildKit's state is untouched: no step of the same build runs again.
  run crategate build --cell cpu-py3.11 --verbose
  expect_ok
  expect_match "build" "$OUT$ERR" 'CACHED'
  docker image rm --force "$image" "$TO/crategate:1" >/dev/null 2>&1 || true
}

it_counts_what_it_cannot_remove() {
  ((EUID == 0)) || return 0
  room
  chmod 755 "$WORK"
  mkdir "$ROOM/tool/mounted"
  mount -t tmpfs none "$ROOM/tool/mounted"
  touch "$ROOM/tool/mounted/kept"
  run crategate cleanup --yes --paths "$ROOM/tool"
  [[ -e $ROOM/tool/mounted/kept ]] || fail "what is mounted below the directory stays"
  umount "$ROOM/tool/mounted"
  expect_ok
  expect_equal "kept" "$(jq -r '.directories[0].kept' .crategate/cleanup.json)" 2
}

run_cases
