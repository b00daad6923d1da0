# shellcheck shell=bash disable=SC2034  # the scripts read what is set here
# A repository with a CI image and a pull request of it, for the scripts that are about that; source lib.bash before.
use_store containerd
IMAGE=$TO/ci

# ci_project: a repository with a CI image, and a branch `fix` with the pull request 7.
ci_project() {
  mkdir "$WORK/project"
  cd "$WORK/project"
  git init --quiet --initial-branch=main
  git config user.name e2e
  git config user.email e2e@example.invalid
  git config advice.detachedHead false
  mkdir -p .github/workflows src
  echo 'FROM crategate/busybox:1' >ci.Dockerfile
  echo 'on: push' >.github/workflows/build-ci-image.yml
  cat >crategate.yml <<YAML
ci-image:
  image: $IMAGE
  watch: [ci.Dockerfile, .github/workflows/build-ci-image.yml]
  branches: {main: latest, v2: v2}
YAML
  commit 'First'
  git update-ref refs/remotes/origin/main HEAD
  git checkout --quiet -b fix
}

# built TAG COMMIT: an image of that commit at the tag; prints its digest.
built() {
  printf 'FROM crategate/busybox:1\nLABEL org.opencontainers.image.revision=%s\nENV TAG=%s\n' "$2" "$1" >"$WORK/Dockerfile"
  docker build --quiet --provenance=false --file "$WORK/Dockerfile" --tag "$IMAGE:$1" "$WORK/bin" >/dev/null
  docker push --quiet "$IMAGE:$1" >/dev/null
  manifest_digest "$IMAGE:$1"
}

# pull_request [HEAD-REPOSITORY]: as a runner of its newest commit, with the merge commit checked out.
# shellcheck disable=SC2120  # one script names another repository, the others none
pull_request() {
  HEAD=$(git rev-parse fix)
  git checkout --quiet --detach refs/remotes/origin/main
  git merge --quiet --no-ff --message merge fix
  as_runner pull_request refs/pull/7/merge "{\"action\":\"synchronize\",\"number\":7,\"pull_request\":{\"number\":7,\"head\":{\"ref\":\"fix\",\"sha\":\"$HEAD\",\"repo\":{\"id\":${1-1}}},\"base\":{\"ref\":\"main\"}},\"repository\":{\"id\":1}}"
}

# push_to_fix FILE TEXT: another commit of the pull request.
push_to_fix() {
  git checkout --quiet fix
  echo "$2" >"$1"
  commit "$2"
}
