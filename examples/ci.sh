#!/bin/sh
# Runs recipes of this checkout on a farm, from a shell script in CI.
#
#   CRAFTING_URL=https://farm.example CRAFTING_TOKEN=… ./ci.sh [RECIPE…]
#
# The commit that CI has checked out is run, and uploaded if the farm lacks it. New findings become annotations in the
# form that GitHub's and Forgejo's runners read from the output. The exit status is that of the run: 0 passed, 1 failed,
# 124 timed out, 3 if the farm itself failed, 5 if the token is no good.
set -eu

: "${CRAFTING_URL:?set it to the address of the farm}"
: "${CRAFTING_TOKEN:?set it to a bearer, or to @FILE that holds one}"
crafting=${CRAFTING:-crafting}

run=$(mktemp)
trap 'rm -f "$run"' EXIT

status=0
"$crafting" job run --committed --format json "$@" >"$run" || status=$?
# 1 and 124 are the jobs' own failures; with others there is nothing to tell of.
case $status in 0 | 1 | 124) ;; *) exit "$status" ;; esac

# The ids stand in the answer as "id":"…": no JSON tool is needed for them.
ids=$(tr '{' ',' <"$run" | tr ',' '\n' | sed -n 's/^ *"id": *"\([a-z0-9]\{12\}\)".*/\1/p' | sort -u)
for id in $ids; do
    "$crafting" findings "$id" --new --format github || true
done
exit "$status"
