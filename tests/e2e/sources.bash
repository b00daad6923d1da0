#!/usr/bin/env bash
# An image is the same image wherever it is read from; its text value is the shell pipeline's.
# shellcheck disable=SC2016  # jq's variables
# shellcheck source=tests/e2e/lib.bash
source "$(dirname "${BASH_SOURCE[0]}")/lib.bash"
use_store containerd
NAME=$TOKEN-sources
cd "$WORK"

archive() { "$E2E/image_archive.py" "$@"; }

# value KEY IMAGE [OPTION...]: one value of an image, by the binary.
value() {
  local key=$1
  shift
  run crategate digest --json --image "$@"
  expect_ok
  jq -r --arg key "$key" '.[$key]' <<<"$OUT"
}

# by_shell IMAGE: the pipeline that the value must agree with.
by_shell() { docker inspect --format='{{.RootFS.Layers}}' "$1" | sha256sum | cut -d' ' -f1; }

# forget IMAGE...: in both stores.
forget() {
  local store
  for store in classic containerd; do (use_store "$store" && docker image rm --force "$@" >/dev/null 2>&1) || true; done
}

it_agrees_with_the_shell_pipeline_for_any_number_of_layers() {
  local store layers image held=''
  for layers in 0 1 2 14 125 127; do
    image=$NAME-layers:$layers
    archive "layers-$layers.tar" "$image" --layers "$layers" --form oci --gzip
    archive "docker-$layers.tar" "$image" --layers "$layers"
    for store in containerd classic; do
      use_store "$store"
      # The classic store loads manifest.json only, takes at most 125 layers, and saves no image without one.
      docker load --quiet --input "$([[ $store == classic ]] && echo "docker-$layers.tar" || echo "layers-$layers.tar")" >load.log 2>&1 || continue
      held+="$store:$layers "
      expect_equal "$store, $layers layers" "$(value layer_text "docker:$image")" "$(by_shell "$image")"
      expect_equal "$store, $layers layers, quick" "$(value layer_text "docker:$image" --quick)" "$(by_shell "$image")"
      expect_equal "$store, $layers layers, archive" "$(value layer_text "docker-archive:docker-$layers.tar")" "$(by_shell "$image")"
      expect_equal "fingerprints" "$(value fingerprint "docker:$image")" "$(value fingerprint "oci-archive:layers-$layers.tar")"
      docker image rm --force "$image" >/dev/null
    done
  done
  expect_equal "what the stores hold" "$held" \
    "containerd:0 classic:0 containerd:1 classic:1 containerd:2 classic:2 containerd:14 classic:14 containerd:125 classic:125 containerd:127 "
}

it_refuses_evidence_of_an_image_without_layers_by_name() {
  local store
  for store in containerd classic; do
    use_store "$store"
    tiny_project "$WORK/empty-$store" 'check: {image: crategate/busybox:1, run: ["true"]}'
    printf 'FROM scratch\nENV DEVICE={{device}} PYTHON={{python}}\n' >docker/Dockerfile.mustache
    sed -i '/^test:/,$d' crategate.yml # an image without files runs nothing
    commit 'No layers'
    git tag --force v1.2.3 >/dev/null
    run crategate plan --to "$TO" "${TAG_PUSH[@]}"
    expect_ok
    run crategate generate
    expect_ok
    run crategate build --cell cpu-py3.11
    expect_ok
    run crategate test --cell cpu-py3.11
    expect_ok
    run crategate digest --cell cpu-py3.11
    expect_failure 10 gate-refused 'empty-evidence: expected an image with layers, found none' 'add a layer'
    [[ ! -e .crategate/records/cpu-py3.11/record.json ]] || fail "no record"
  done
}

# same_everywhere FINGERPRINT CONFIG SOURCE...: what is read from each.
same_everywhere() {
  local source fingerprint=$1 config=$2
  shift 2
  for source in "$@"; do
    expect_equal "fingerprint of $source" "$(value fingerprint "$source")" "$fingerprint"
    expect_equal "configuration of $source" "$(value config_digest "$source")" "$config"
  done
}

it_is_the_same_image_in_every_source_and_compression() {
  local image=$NAME-same:1 fingerprint config manifest
  local -a sources=() copy=(skopeo copy --quiet --dest-tls-verify=false)
  archive same.tar "$image" --layers 3 --form oci --gzip
  fingerprint=$(value fingerprint oci-archive:same.tar)
  config=$(value config_digest oci-archive:same.tar)
  manifest=$(value manifest_digest oci-archive:same.tar)
  gzip --keep same.tar
  zstd --quiet same.tar
  archive same-docker.tar "$image" --layers 3
  "${copy[@]}" oci-archive:same.tar "docker://$TO/same:gzip"
  "${copy[@]}" --dest-compress-format zstd --dest-force-compress-format oci-archive:same.tar "docker://$TO/same:zstd" 2>/dev/null ||
    "${copy[@]}" --dest-compress --dest-compress-format zstd oci-archive:same.tar "docker://$TO/same:zstd"
  "${copy[@]}" --format v2s2 oci-archive:same.tar "docker://$TO/same:v2s2"
  "${copy[@]}" oci-archive:same.tar "oci:$WORK/same-layout:1"
  "${copy[@]}" oci-archive:same.tar docker-archive:skopeo.tar
  for store in classic containerd; do
    use_store "$store"
    docker load --quiet --input same-docker.tar >/dev/null
    docker save "$image" >"saved-$store.tar"
    gzip --keep "saved-$store.tar"
    same_everywhere "$fingerprint" "$config" "docker:$image" "docker-archive:saved-$store.tar" "docker-archive:saved-$store.tar.gz"
  done
  sources=(oci-archive:same.tar oci-archive:same.tar.gz oci-archive:same.tar.zst docker-archive:same-docker.tar
    docker-archive:skopeo.tar "docker://$TO/same:gzip" "docker://$TO/same:zstd" "docker://$TO/same@$(manifest_digest "$TO/same:gzip")"
    "oci:$WORK/same-layout" "oci:$WORK/same-layout:1" "oci:$WORK/same-layout:$manifest")
  same_everywhere "$fingerprint" "$config" "${sources[@]}"
  # Another media type, and so another manifest, of the same configuration.
  same_everywhere "$fingerprint" "$config" "docker://$TO/same:v2s2"
  expect_equal "types of manifests" "$(skopeo inspect --tls-verify=false --raw "docker://$TO/same:v2s2" | jq -r .mediaType)" \
    application/vnd.docker.distribution.manifest.v2+json
  forget "$image"
}

it_takes_the_platform_that_was_asked_for() {
  local image=$NAME-many:1 source architecture
  archive many.tar "$image" --form oci --gzip --architecture amd64 --architecture arm64 --architecture arm/v6 --architecture arm/v7
  skopeo copy --quiet --all --dest-tls-verify=false oci-archive:many.tar "docker://$TO/many:1"
  skopeo copy --quiet --all oci-archive:many.tar "oci:$WORK/many-layout:1"
  for source in oci-archive:many.tar "docker://$TO/many:1" "oci:$WORK/many-layout:1"; do
    for architecture in amd64 arm64 arm/v6 arm/v7; do
      archive one.tar "$image" --form oci --gzip --architecture "$architecture"
      expect_equal "$source for linux/$architecture" "$(value manifest_digest "$source" --platforms "linux/$architecture")" \
        "$(value manifest_digest oci-archive:one.tar --platforms "linux/$architecture")"
    done
    expect_equal "$source without a word" "$(value fingerprint "$source")" "$(value fingerprint "$source" --platforms linux/amd64)"
    run crategate digest --image "$source" --platforms linux/s390x
    [[ $ERR == *'expected one image for linux/s390x, found linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64'* ]] || fail "the platforms that there are"
    expect_match "hint" "$ERR" 'platforms linux/amd64'
    run crategate digest --image "$source" --platforms linux/arm
    expect_failure 25 integrity 'expected one image for linux/arm, found 2 \(linux/arm/v6, linux/arm/v7\)' 'variant'
  done
  run crategate digest --image oci-archive:one.tar
  expect_failure 25 integrity 'expected one image for linux/amd64, found linux/arm/v7' 'platforms linux/arm/v7'
}

it_never_takes_an_attestation_for_a_platform() {
  local image=$NAME-proven:1 source fingerprint attestation
  printf 'FROM crategate/busybox:1\nRUN echo %s >/hello\n' "$TOKEN" >Dockerfile
  docker buildx build --quiet --provenance=mode=max --load --tag "$image" . >/dev/null
  docker buildx build --quiet --provenance=mode=max --output "type=oci,dest=$WORK/proven.tar" . >/dev/null
  docker buildx build --quiet --provenance=mode=max --output "type=oci,tar=false,dest=$WORK/proven" . >/dev/null
  docker buildx build --quiet --provenance=mode=max --push --tag "$TO/proven:1" . >/dev/null
  fingerprint=$(value fingerprint "docker:$image")
  for source in oci-archive:proven.tar "oci:$WORK/proven" "docker://$TO/proven:1"; do
    expect_equal "$source" "$(value fingerprint "$source")" "$fingerprint"
  done
  expect_equal "the description" "$(value fingerprint "docker:$image" --quick)" "$fingerprint"
  attestation=$(skopeo inspect --tls-verify=false --raw "docker://$TO/proven:1" |
    jq -r '.manifests[] | select(.annotations["vnd.docker.reference.type"] == "attestation-manifest") | .digest')
  expect_match "an attestation" "$attestation" '^sha256:'
  expect_equal "the image's own manifest" "$(value manifest_digest "docker://$TO/proven:1")" \
    "$(skopeo inspect --tls-verify=false --raw "docker://$TO/proven:1" | jq -r '.manifests[] | select(.platform.os == "linux") | .digest')"
  [[ $(value manifest_digest "docker:$image") != "$(docker image inspect --format '{{.Id}}' "$image")" ]] ||
    fail "the image's manifest, not the index that the engine names"
  run crategate digest --image "docker://$TO/proven@$attestation"
  expect_failure 22 not-found 'expected one image for linux/amd64, found unknown/unknown' '.'
  run crategate digest --image "docker://$TO/proven:1" --platforms unknown/unknown
  expect_failure 22 not-found 'expected one image for unknown/unknown' '.'
  forget "$image"
}

it_describes_an_image_of_the_engine_as_saving_it_does() {
  local image=$NAME-described:1 store
  cat >Dockerfile <<'DOCKERFILE'
FROM crategate/busybox:1
RUN echo hello >/hello
ENV A=1 B=2
LABEL l=v m=w
EXPOSE 90/udp 80/tcp
VOLUME /v /w
USER 1:2
WORKDIR /wd
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=3s --timeout=2s --start-period=5s --retries=4 CMD true
ONBUILD RUN true
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "true"]
DOCKERFILE
  for store in containerd classic; do
    use_store "$store"
    docker build --quiet --provenance=false --tag "$image" . >/dev/null
    expect_equal "$store" "$(value fingerprint "docker:$image" --quick)" "$(value fingerprint "docker:$image")"
    expect_equal "configuration, $store" "$(value config_digest "docker:$image" --quick)" \
      "$([[ $store == containerd ]] || engine_config_digest "$image")"
  done
  run crategate digest --quick --image "docker:$image" --platforms linux/s390x
  expect_failure 22 not-found 'expected one image for linux/s390x, found linux/' 'platforms'
  run crategate digest --quick --image oci-archive:same.tar
  expect_failure 2 bad-input 'expected --image docker:NAME' 'leave --quick out'
  forget "$image"
}

it_refuses_archives_that_were_changed() {
  local name
  archive sound.tar "$NAME:1" --layers 2 --form oci --gzip
  for name in truncated trailing flipped; do cp sound.tar "$name.tar"; done
  truncate --size=4000 truncated.tar
  echo evil >>trailing.tar
  printf '\x7f' | dd of=flipped.tar bs=1 seek=600 conv=notrunc status=none
  for name in truncated trailing flipped; do
    run crategate digest --image "oci-archive:$name.tar"
    expect_failure 25 integrity 'image archive' '.'
  done
}

run_cases
