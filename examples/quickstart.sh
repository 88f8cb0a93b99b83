#!/bin/sh
# The HTTP API with nothing but curl: queues a job, follows its log, and shows what it found.
#
#   CRAFTING_URL=http://127.0.0.1:8810 CRAFTING_TOKEN=ct_… ./quickstart.sh PROJECT [RECIPE]
#
# The exit status is 0 if the job passed, else 1.
set -eu

: "${CRAFTING_URL:?set it to the address of the farm}"
: "${CRAFTING_TOKEN:?set it to a bearer}"
project=${1:?name a project}
recipe=${2:-test}

# The bearer goes to curl by its standard input: other people on the machine can read arguments.
api() {
    printf 'header = "Authorization: Bearer %s"\n' "$CRAFTING_TOKEN" |
        curl --silent --show-error --fail-with-body --config - "$@"
}

# The text of a member of a flat JSON answer.
member() {
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

echo "== the server" >&2
api "$CRAFTING_URL/healthz" && echo

echo "== queue $recipe of $project" >&2
answer=$(api --request POST "$CRAFTING_URL/projects/$project/jobs" \
    --header 'Content-Type: application/json' --data "{\"recipe\":\"$recipe\"}") || {
    # It says why.
    printf '%s\n' "$answer" >&2
    exit 1
}
job=$(printf '%s' "$answer" | member job_id)
echo "$job"

echo "== its log, until it ends" >&2
api --no-buffer "$CRAFTING_URL/jobs/$job/log?follow=1"

echo "== how it ended" >&2
status=$(api "$CRAFTING_URL/jobs/$job" | sed 's/.*"job":{//' | tr ',' '\n' | sed -n 's/^"status":"\([a-z_]*\)"$/\1/p' | head -n 1)
echo "$status"

echo "== what it found" >&2
api "$CRAFTING_URL/jobs/$job/findings" && echo

[ "$status" = passed ]
