# meshload as an image: one binary and the libraries of C, no shell, not root.
#
#   docker build -t meshload .
#   docker run --rm --network host -v "$PWD/results:/results" meshload \
#       -R 800 -d 60s -s /lua/mixed-workload_type_1.lua http://localhost:5000 -o /results/a
#
# /results must be writable for user 65532.

FROM rust:1-bookworm AS build
WORKDIR /src
# With the repository (.git), so that the binary can name its commit.
COPY . .
RUN cargo build --profile dist --locked

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/dist/meshload /usr/local/bin/meshload
COPY --from=build /src/lua /lua
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/meshload"]
CMD ["--help"]
