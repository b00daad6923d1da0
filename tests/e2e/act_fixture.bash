# shellcheck shell=bash disable=SC2034  # the scripts read what is set here
# The action as a release ships it, and an independent runner; source lib.bash and choose a store before.
ACT=$("$REPO/tools/engine" runner 2>/dev/null)
ACTION_IMAGE=$REGISTRY/$TOKEN/action:1
ARTIFACTS=
RELEASE=$WORK/release

# The image by digest, from the registry, as releases name it.
published_image() {
  docker push --quiet "$ACTION_IMAGE" >/dev/null
  docker image inspect --format '{{index .RepoDigests 0}}' "$ACTION_IMAGE"
}

# The action as a release ships it: the files of this repository, and the reference to the image that was built of them.
make_release() {
  "$REPO/tools/image" --program "$CRATEGATE" "$ACTION_IMAGE" --quiet >/dev/null
  mkdir -p "$RELEASE/.github/workflows"
  cp "$REPO/action.yml" "$RELEASE/"
  cp "$REPO"/.github/workflows/{image-pipeline,ci-image,build-ci-image,regen}.yml "$RELEASE/.github/workflows/"
  "$REPO/tools/release-reference" "$(published_image)" "$RELEASE/action.yml" >/dev/null
  (cd "$RELEASE" && git init --quiet && git add --all &&
    git -c user.name=e2e -c user.email=e2e@example.invalid commit --quiet --message release)
}

# event NAME JSON: the payload in a file.
event() { printf '%s' "$2" >"$WORK/$1.json"; }

act() {
  run env HOME="$WORK/home" XDG_CACHE_HOME="$WORK/home/cache" "$ACT" "$@" --platform ubuntu-latest=debian:trixie-slim \
    --pull=false --artifact-server-path "$ARTIFACTS" --artifact-server-addr 127.0.0.1 \
    --artifact-server-port "$(free_port)"
}
