#!/usr/bin/env bash
#
# Runs the stairway command line of this project, from any directory:
#
#   scripts/migrate.sh status
#   scripts/migrate.sh upgrade --dry-run
#   scripts/migrate.sh downgrade -1
#   scripts/migrate.sh create "Add user preferences table"
#   scripts/migrate.sh history --output json
#
# All arguments are passed on as they are, and the exit code is the command's own. The command runs
# in the project's root, the directory above this one: relative paths are meant from there.
#
# What is run: STAIRWAY_BIN if it is set; else the newest binary in target/; else cargo builds and
# runs it; else `stairway` on PATH. A binary that is older than the sources would not know the
# newest revisions: then cargo builds it anew, if there is cargo.

set -euo pipefail

name=stairway

root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cd -- "$root"

if [[ -n ${STAIRWAY_BIN:-} ]]; then
    exec "$STAIRWAY_BIN" "$@"
fi

target=${CARGO_TARGET_DIR:-target}
built=
for candidate in "$target/release/$name" "$target/debug/$name"; do
    if [[ -f $candidate && -x $candidate && ( -z $built || $candidate -nt $built ) ]]; then
        built=$candidate
    fi
done

newer_source() {
    find . \( -name target -o -name '.?*' \) -prune -o \
        \( -name '*.rs' -o -name '*.sql' -o -name Cargo.toml -o -name Cargo.lock \) \
        -newer "$1" -print 2>/dev/null | head -n 1
}

source=
if [[ -n $built ]]; then
    source=$(newer_source "$built" || true)
    if [[ -z $source ]]; then
        exec "$built" "$@"
    fi
fi

if [[ -f Cargo.toml ]] && command -v cargo >/dev/null; then
    exec cargo run --quiet --bin "$name" -- "$@"
fi

if [[ -n $built ]]; then
    echo "migrate.sh: $built is older than $source, and there is no cargo to build it anew" >&2
    exec "$built" "$@"
fi

if command -v "$name" >/dev/null; then
    exec "$name" "$@"
fi

echo "migrate.sh: found neither a built $name in $target, nor cargo, nor $name on PATH;" \
    "set STAIRWAY_BIN to the binary's path" >&2
exit 127
