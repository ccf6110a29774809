#!/usr/bin/env bash
#
#   deploy/ci/edited-revisions.sh BRANCH_OR_COMMIT [DIRECTORY]
#
# Fails if a revision file that is on BRANCH_OR_COMMIT is changed, renamed or removed here: somebody
# may have applied it, and their database would not get the change. New files are fine. `stairway
# check` finds the same for a database that can be asked; this needs none. Each finding is also an
# annotation for GitHub. In an emergency, lift it for one commit with a line
# `Edits-Revision: <why>` in its message.

set -euo pipefail

base=${1:?which branch or commit do the revisions have to be as on?}
directory=${2:-migration/src/revisions}

# The first push of a branch has nothing before it.
if [[ $base =~ ^0+$ ]]; then
    echo "Nothing to compare with"
    exit 0
fi
if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
    base=origin/$base
fi
since=$(git merge-base "$base" HEAD)

edited=$(git diff --name-status --diff-filter=MDR --find-renames "$since" HEAD -- "$directory")
if [[ -z $edited ]]; then
    echo "No revision of $base was changed"
    exit 0
fi
if git log --format=%B "$since"..HEAD | grep -q '^Edits-Revision: .'; then
    echo "Revisions of $base were changed, on purpose:"
    echo "$edited"
    exit 0
fi
while IFS=$'\t' read -r status file _; do
    case $status in
        D) what=removed ;;
        R*) what=renamed ;;
        *) what=changed ;;
    esac
    echo "::error file=$file,title=edited revision::$file is on $base and was $what; add a new revision instead"
done <<<"$edited"
exit 3
