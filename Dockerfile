# The image of the action: the program, the libraries it loads, git (which speaks HTTPS), buildx and certificates; no shell.
# Any builder takes it, also that of Docker 20.10 without BuildKit: a runner builds it for `uses: …@main`.
#
#   docker buildx build --build-context build=DIRECTORY …    takes DIRECTORY/usr/bin/crategate and compiles nothing

FROM debian:trixie-slim AS compile
WORKDIR /source
COPY tools/install tools/
RUN tools/install build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json VERSION ./
COPY cmake cmake
COPY src src
RUN cmake --preset release --log-level=WARNING && cmake --build --preset release
COPY tools/image-parts LICENSE tools/
RUN sh tools/image-parts program /out

FROM scratch AS build
COPY --from=compile /out /

FROM debian:trixie-slim AS parts
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates docker-buildx git \
 && rm -rf /var/lib/apt/lists/*
COPY tools/image-parts /usr/local/bin/
COPY --from=build / /
RUN sh /usr/local/bin/image-parts base /out/base && sh /usr/local/bin/image-parts buildx /out/buildx

# What changes least comes first.
FROM scratch
LABEL org.opencontainers.image.title="crategate" \
      org.opencontainers.image.description="Builds, tests, gates and publishes a matrix of container images, exactly those that were tested" \
      org.opencontainers.image.url="https://github.com/crategate/crategate" \
      org.opencontainers.image.source="https://github.com/crategate/crategate" \
      org.opencontainers.image.licenses="MIT"
COPY --from=parts /out/base /
COPY --from=parts /out/buildx /
COPY --from=build / /
ENV PATH=/usr/bin
ENTRYPOINT ["/usr/bin/crategate"]
