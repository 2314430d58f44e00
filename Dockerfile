# The image: the executable, its loader and libraries, CA certificates. No shell, no package manager.
#   docker build -t ayaflow .
#   docker buildx build --platform linux/amd64,linux/arm64 -t ghcr.io/ayaflow/ayaflow:VERSION .
# Both architectures are built on the machine's own: nothing runs under emulation.

FROM --platform=$BUILDPLATFORM docker.io/library/node:20-bookworm-slim AS build
ARG TARGETARCH
WORKDIR /src
# What set-up installs changes less often than the sources.
COPY package.json package-lock.json setup.mjs ./
RUN node setup.mjs build
COPY . .
RUN sh build/image-root.sh "${TARGETARCH:-$(dpkg --print-architecture)}" /image

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="AyaFlow" \
      org.opencontainers.image.description="Who talks to whom on this host, by which name, how much" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/ayaflow/ayaflow" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /image/ /
USER 65532:65532
VOLUME /var/lib/ayaflow
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/ayaflow", "health"]
ENTRYPOINT ["/usr/bin/ayaflow"]
