#!/bin/sh
# Tests hello.sh with nothing but sh and python3. Exits with 1 if a test fails.
set -u
cd "$(dirname "$0")" || exit 1
HELLO_TEST=1 . ./hello.sh
set +e

tests=0
failed=0

# is NAME GOT WANTED
is() {
    tests=$((tests + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $tests - $1"
    else
        failed=$((failed + 1))
        echo "not ok $tests - $1"
        echo "# got:    $2"
        echo "# wanted: $3"
    fi
}

is "nobody is nothing" "$(join)" ""
is "one name stands alone" "$(join Ada)" "Ada"
is "two names are joined by an ampersand" "$(join Ada Grace)" "Ada & Grace"
is "more names are listed" "$(join Ada Grace Linus)" "Ada, Grace & Linus"
is "a name may have blanks" "$(join "Ada Lovelace" Grace)" "Ada Lovelace & Grace"

unset HELLO_TEST
case $(./hello.sh --lang fr Ada Grace) in
    *"Bonjour, Ada & Grace!"*) said=yes ;;
    *) said=no ;;
esac
is "the greeting is in the language asked for" "$said" yes
./hello.sh --lang 2>/dev/null
is "--lang alone is a mistake" "$?" 2

echo "1..$tests"
[ "$failed" -eq 0 ]
