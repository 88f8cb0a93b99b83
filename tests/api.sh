#!/usr/bin/env bash
# A real server, read by others' programs: its metrics by Prometheus' own parser, and its OpenAPI document by
# schemathesis, which asks as an administrator and as somebody who owns nothing: no fault of the server, no answer that
# the document does not describe.
#
#   tests/api.sh path/to/crafting [SECONDS per caller]
#
# Needs git, curl, and from PyPI `schemathesis` (4 or newer) and `prometheus_client`.
set -euo pipefail
crafting=$(realpath "$1")
seconds=${2:-40}

folder=$(mktemp -d)
server=
# shellcheck disable=SC2329 # the trap calls it
stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$folder"
}
trap stop EXIT
mkdir "$folder/home" "$folder/tmp" "$folder/repo"
export HOME="$folder/home" TMPDIR="$folder/tmp"
export CRAFTING_DATA_DIR="$folder/data" CRAFTING_WORKSPACE_DIR="$folder/workspace"
unset CRAFTING_URL CRAFTING_TOKEN CRAFTING_CONFIG

git -C "$folder/repo" init --quiet --initial-branch=main
printf '[[subproject]]\npath = "."\nlanguage = "other"\n[subproject.recipes]\ntest = "echo hello"\n' >"$folder/repo/crafting.toml"
git -C "$folder/repo" add --all
git -C "$folder/repo" -c user.name=a -c user.email=a@example.com commit --quiet --message first
"$crafting" -C "$folder/repo" --quiet project add --name mine >/dev/null
"$crafting" -C "$folder/repo" --quiet job run test >/dev/null

"$crafting" serve --bind 127.0.0.1:0 2>"$folder/log" &
server=$!
for _ in $(seq 100); do
    url=$(sed -n 's/^listening on //p' "$folder/log")
    [ -n "$url" ] && break
    sleep 0.1
done
[ -n "$url" ] || { cat "$folder/log"; exit 1; }

# There are no numbers of requests before the first.
curl --silent --fail --output /dev/null "$url/healthz"
curl --silent --fail "$url/metrics" | python3 -c '
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
print(len(families), "families of metrics")
wanted = {"crafting_http_requests", "crafting_jobs_ended", "crafting_ledger_size_bytes"}
missing = wanted - {f.name for f in families}
assert not missing, missing
'

admin=$(cat "$CRAFTING_DATA_DIR/admin-bearer.txt")
token=$("$crafting" token mint tester)
status=0
for caller in "admin $admin" "tester $token"; do
    bearer=${caller#* } caller=${caller%% *}
    printf '\n== schemathesis as %s\n' "$caller"
    # Revoking the callers' own tokens would end the test, not find a fault. Streams are without end, and packs are
    # nothing that schemathesis can write.
    timeout $((seconds * 3)) schemathesis run "$url/openapi.json" \
        --header "Authorization: Bearer $bearer" \
        --exclude-path '/admin/tokens/{name}' --exclude-path-regex '/(events|log|packs)$' \
        --max-time "$seconds" --phases examples,coverage,fuzzing --max-examples 20 --seed 1 --request-timeout 20 --no-color \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        >"$folder/$caller.txt" 2>&1 || status=$?
    # The beginning is a line for each operation.
    if grep -q '^=.* FAILURES\|^=.* ERRORS' "$folder/$caller.txt"; then
        sed -n '/^=.* \(ERRORS\|FAILURES\) /,$p' "$folder/$caller.txt"
    else
        tail -n 60 "$folder/$caller.txt"
    fi
done
kill -0 "$server" || { echo "the server is gone"; tail "$folder/log"; status=1; }
exit "$status"
