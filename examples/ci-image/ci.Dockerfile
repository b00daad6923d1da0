# What the checks and the generator of this repository run in, on a runner and on your machine.
FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git make python3 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /workspace
