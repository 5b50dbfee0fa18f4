#!/usr/bin/env bash
# Tries the API with whatever its OpenAPI document allows, and with what it forbids: no 5xx, and every answer as the
# document says. Takes the binary `runner`, and at most some four minutes.
#
#   tests/api/schemathesis.sh target/debug/runner
set -euo pipefail
cd "$(dirname "$0")/../.."

runner="${1:?usage: schemathesis.sh RUNNER}"
seconds="${SCHEMATHESIS_SECONDS:-180}"
examples="${SCHEMATHESIS_EXAMPLES:-30}"
cache="${RUNNER_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-ci}"

# Its checks grow with its versions: this one is known to pass.
version=4.32.5
tools="$cache/schemathesis-$version"
if ! [ -x "$tools/bin/schemathesis" ]; then
    # Debian's Python can make no environment without this package.
    python3 -c 'import ensurepip' 2>/dev/null || { apt-get -qq update && apt-get -qq install --yes python3-venv >/dev/null; }
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version"
fi

place="$(mktemp -d)"
daemon=
finish() {
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
    rm -rf "$place"
}
trap finish EXIT

printf '[webhooks.secrets]\nfuzz = { env = "FUZZ_SECRET" }\ngithub = { env = "FUZZ_SECRET" }\n' >"$place/runner.toml"
export FUZZ_SECRET=a-secret-that-nobody-guesses RUNNER_GRACE=1
options=(--config "$place/runner.toml" --data "$place/data")
key="$("$runner" "${options[@]}" key create schemathesis --role admin --json | sed -n 's/.*"\(rk_[0-9a-zA-Z]*\)".*/\1/p')"
[ -n "$key" ] || { echo 'no key was made' >&2; exit 1; }

for packs in packs tests/api/packs examples/*/packs; do options+=(--packs "$packs"); done
"$runner" "${options[@]}" serve --listen 127.0.0.1:0 --json >"$place/out" 2>"$place/log" &
daemon=$!
for _ in $(seq 300); do
    url="$(sed -n 's/.*"listening": *"\([^"]*\)".*/\1/p' "$place/out")"
    [ -n "$url" ] && break
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
done
[ -n "${url:-}" ] || { cat "$place/log" >&2; echo 'the daemon does not listen' >&2; exit 1; }
# It listens before it has taken up what was left.
for _ in $(seq 300); do
    "$tools/bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1])' "$url/readyz" 2>/dev/null && break
    sleep 0.1
done

try() {
    # Past its own limit it is hung up on: a request may hang.
    timeout --kill-after=10 $((seconds + 60)) "$tools/bin/schemathesis" --config-file tests/api/schemathesis.toml \
        run "$url/api/v1/openapi.json" --header "Authorization: Bearer $key" --no-color --checks all --max-examples "$examples" "$@"
}

status=0
try --max-time "$seconds" --exclude-path-regex '(/stream|/executions/\{id\}/events)$' \
    --exclude-operation-id delete_keys_id || status=$?
try --phases examples,coverage,fuzzing --include-operation-id delete_keys_id || status=$?
kill -0 "$daemon" 2>/dev/null || { echo 'the daemon has ended' >&2; status=1; }
if grep -q 'panicked' "$place/log"; then
    grep -A5 'panicked' "$place/log" >&2
    status=1
fi
[ "$status" = 0 ] || [ -z "${SCHEMATHESIS_LOG:-}" ] || cp "$place/log" "$SCHEMATHESIS_LOG"
exit "$status"
