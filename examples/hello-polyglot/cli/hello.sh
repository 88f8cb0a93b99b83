#!/bin/sh
# hello.sh [--lang CODE] [NAME...]: greets everybody in one sentence, in a box where the box program is built.
set -eu

# join NAME...: "Ada", "Ada & Grace", "Ada, Grace & Linus".
join() {
    joined=${1:-}
    [ $# -gt 0 ] && shift
    while [ $# -gt 1 ]; do
        joined="$joined, $1"
        shift
    done
    [ $# -eq 0 ] || joined="$joined & $1"
    printf '%s\n' "$joined"
}

main() {
    here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    language=${LANG:-en}
    if [ "${1:-}" = --lang ]; then
        [ $# -ge 2 ] || { echo "hello.sh: --lang needs a language" >&2; exit 2; }
        language=$2
        shift 2
    fi
    greeting=$(PYTHONPATH="$here/../greetings" python3 -m greetings --lang "$language" -- "$(join "$@")")
    banner="$here/../banner/target/debug/banner"
    if [ -x "$banner" ]; then
        "$banner" "$greeting"
    else
        printf '%s\n' "$greeting"
    fi
}

# The test reads this file for its functions alone.
[ -n "${HELLO_TEST:-}" ] || main "$@"
