#!/bin/sh
#
# Leaves of a cargo workspace in the working directory only what decides about its dependencies:
# manifests, lock file and cargo's settings, with an empty crate behind each manifest. Building that
# compiles the dependencies. For the Dockerfile; it deletes sources, so never run it in a checkout.

set -eu

if [ -e .git ]; then
    echo "stub-crates: this is a checkout, and all of its sources would be deleted" >&2
    exit 1
fi

find . -type f ! -name Cargo.toml ! -name Cargo.lock ! -path './.cargo/*' -delete
find . -type d -empty -delete

find . -name Cargo.toml | while read -r manifest; do
    grep -q '^\[package\]' "$manifest" || continue
    directory=$(dirname "$manifest")
    mkdir -p "$directory/src"
    : >"$directory/src/lib.rs"
    echo 'fn main() {}' >"$directory/src/main.rs"
    # A target that a manifest names has to be there.
    sed -n 's/^path = "\(.*\.rs\)"$/\1/p' "$manifest" | while read -r path; do
        mkdir -p "$directory/$(dirname "$path")"
        echo 'fn main() {}' >"$directory/$path"
    done
done
