#!/usr/bin/env bash
#
# What the action does; see action.yml for the variables that it gives. The exit code is that of the
# command, so that 3 (findings), 4 (lock) and 5 (unreachable) can be told apart in the log.

set -euo pipefail

# An unset database is none, and not an empty URL.
if [[ -z ${DATABASE_URL:-} ]]; then
    unset DATABASE_URL
fi
stairway=${STAIRWAY_BIN:-${CARGO_TARGET_DIR:-target}/debug/${BIN:-stairway}}
revisions=${REVISIONS_DIRECTORY:-migration/src/revisions}
output=${GITHUB_OUTPUT:-/dev/null}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}

# Runs `check` with these arguments, and shows each finding at the revisions that it is about.
check() {
    local code=0 report
    report=$("$stairway" --output json check "$@") || code=$?
    if [[ -n $report ]]; then
        jq --raw-output --arg directory "$revisions" '
            def escaped: gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
            .findings[]?
            | . as $finding
            | (if ((.revisions // []) | length) == 0 then [null] else .revisions end)[]
            | "::error " + (if . then "file=\($directory)/\(.).rs," else "" end)
                + "title=stairway \($finding.kind)::" + ($finding.message | escaped)
        ' <<<"$report"
    fi
    return "$code"
}

# Tells the webhook that nothing was migrated, because the check before found something, and ends with
# this code. `run` and `upgrade` send their messages themselves.
refuse() {
    local code=$1 text
    if [[ -n ${MIGRATION_WEBHOOK_URL:-} ]]; then
        text="The check before the migration failed with exit code $code; nothing was migrated"
        if [[ -n ${GITHUB_RUN_ID:-} ]]; then
            text+=": ${GITHUB_SERVER_URL:-}/${GITHUB_REPOSITORY:-}/actions/runs/$GITHUB_RUN_ID"
        fi
        jq --null-input --arg text "$text" --arg format "${MIGRATION_WEBHOOK_FORMAT:-json}" '
            if $format == "slack" then { text: ":x: *Migration refused*: \($text)" }
            else { schema_version: 1, event: "migration", outcome: "refused", command: "check",
                error: { message: $text } } end
        ' | curl --silent --fail --output /dev/null --max-time 10 --retry 2 \
            --header 'content-type: application/json' --data-binary @- "$MIGRATION_WEBHOOK_URL" \
            || echo "::warning::The webhook could not be told"
    fi
    exit "$code"
}

# Where the database is now, for the steps that follow and for people.
tell() {
    local status
    status=$("$stairway" --output json status)
    {
        echo "status=$(jq --compact-output . <<<"$status")"
        echo "up-to-date=$(jq .is_up_to_date <<<"$status")"
    } >>"$output"
    jq --raw-output '"| database | state | current | head | pending |\n|---|---|---|---|---|\n"
        + "| \(.database) | \(.state) | \(.current_revision // "none") | \(.head_revision // "none")"
        + " | \(.pending_count) |"' <<<"$status" >>"$summary"
}

case ${COMMAND:?set command to check, test, status, upgrade or run} in
    check)
        if [[ -z ${DATABASE_URL:-} ]]; then
            check --offline
        else
            # Before a deployment revisions are pending on purpose.
            check --ignore pending || refuse $?
            tell
        fi
        ;;
    test)
        : "${DATABASE_URL:?a test needs a database that may be changed}"
        "$stairway" wait --timeout "${MIGRATION_WAIT_TIMEOUT:-60s}"
        # Fresh; all the way back, which shows that every downgrade works; and there again.
        "$stairway" upgrade
        "$stairway" downgrade base --yes
        "$stairway" upgrade
        check
        tell
        ;;
    status)
        "$stairway" status
        tell
        ;;
    upgrade)
        : "${DATABASE_URL:?which database?}"
        "$stairway" upgrade --wait
        "$stairway" status --exit-code
        tell
        ;;
    run)
        : "${DATABASE_URL:?which database?}"
        "$stairway" run
        "$stairway" status --exit-code
        tell
        ;;
    *)
        echo "::error::there is no command $COMMAND: it is check, test, status, upgrade or run"
        exit 2
        ;;
esac
