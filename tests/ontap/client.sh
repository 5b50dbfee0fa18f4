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
python="$tools/bin/python"
if ! "$python" -c 'import netapp_ontap' 2>/dev/null; then
    # Debian's Python can make no environment without this package.
    python3 -c 'import ensurepip' 2>/dev/null || { apt-get -qq update && apt-get -qq install --yes python3-venv >/dev/null; }
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "netapp-ontap==$version"
fi

. tests/ontap/simulated.sh
PYTHONDONTWRITEBYTECODE=1 "$python" tests/ontap/client.py "$one" "$two" "$authority" "$runner"
