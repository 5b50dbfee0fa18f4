#!/usr/bin/env bash
# Runs a playbook of NetApp's Ansible collection against the simulated ONTAP, twice. Takes the binary `runner`.
#
#   tests/ontap/playbook.sh target/debug/runner
set -euo pipefail
cd "$(dirname "$0")/../.."

runner="${1:?usage: playbook.sh RUNNER}"
cache="${RUNNER_CI_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-ci}"

# With the collections: netapp.ontap 23.2.
version=12.3.0
tools="$cache/ansible-$version"
python="$tools/bin/python"
if ! [ -x "$tools/bin/ansible-playbook" ] || ! "$python" -c 'import requests' 2>/dev/null; then
    python3 -c 'import ensurepip' 2>/dev/null || { apt-get -qq update && apt-get -qq install --yes python3-venv >/dev/null; }
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-compile "ansible==$version" requests
fi

. tests/ontap/simulated.sh
address="${one#https://}"
export ANSIBLE_HOME="$place/ansible" ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false ANSIBLE_NOCOLOR=1
# It would take the place of what the modules are told about certificates.
unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE

play() {
    "$tools/bin/ansible-playbook" tests/ontap/playbook.yml -e "host=${address%:*}" -e "port=${address##*:}" \
        -e "ansible_python_interpreter=$python" >"$place/play" 2>&1 || { cat "$place/play" >&2; exit 1; }
    tail -n 2 "$place/play"
}
play
play
grep -q 'changed=0 ' "$place/play" || { cat "$place/play" >&2; echo 'the second run changes something' >&2; exit 1; }
