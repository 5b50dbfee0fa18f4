#!/usr/bin/env bash
# Tries the simulated ONTAP clusters with NetApp's own Python client, over TLS. Takes the binary `runner`.
#
#   tests/ontap/client.sh target/debug/runner
set -euo pipefail
cd "$(dirname "$0")/../.."

runner="${1:?usage: client.sh RUNNER}"
cache="${RUNNER_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-ci}"

version=9.19.1.0
tools="$cache/netapp-ontap-$version"
if ! "$tools/bin/python" -c 'import netapp_ontap' 2>/dev/null; then
    # Debian's Python can make no environment without this package.
    python3 -c 'import ensurepip' 2>/dev/null || { apt-get -qq update && apt-get -qq install --yes python3-venv >/dev/null; }
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "netapp-ontap==$version"
fi

place="$(mktemp -d)"
simulator=
finish() {
    [ -z "$simulator" ] || { kill "$simulator" 2>/dev/null && wait "$simulator" 2>/dev/null; } || true
    rm -rf "$place"
}
trap finish EXIT

"$runner" --data "$place/data" --packs packs simulate ontap --port cluster1=0 --port cluster2=0 \
    --tls --cert-out "$place/authority.pem" --json >"$place/out" 2>"$place/log" &
simulator=$!
listening='import json, sys; print(*(one["url"] for one in json.load(sys.stdin)["connections"]))'
for _ in $(seq 600); do
    urls="$("$tools/bin/python" -c "$listening" <"$place/out" 2>/dev/null || true)"
    [ -n "$urls" ] && break
    kill -0 "$simulator" 2>/dev/null || break
    sleep 0.1
done
[ -n "${urls:-}" ] || { cat "$place/out" "$place/log" >&2; echo 'the simulator does not listen' >&2; exit 1; }

export PYTHONDONTWRITEBYTECODE=1
"$tools/bin/python" tests/ontap/client.py $urls "$place/authority.pem"
