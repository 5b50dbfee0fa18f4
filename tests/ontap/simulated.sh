# Sourced by the scripts beside it: starts the simulated clusters. Sets `place` (a directory that goes again), `one` and `two` (the
# URLs of the clusters) and `authority` (the certificate to trust). Needs `runner` and `python`.

place="$(mktemp -d)"
authority="$place/authority.pem"
simulator=
finish() {
    [ -z "$simulator" ] || { kill "$simulator" 2>/dev/null && wait "$simulator" 2>/dev/null; } || true
    rm -rf "$place"
}
trap finish EXIT

"$runner" --data "$place/data" --packs packs simulate ontap --port cluster1=0 --port cluster2=0 \
    --tls --cert-out "$authority" --json >"$place/out" 2>"$place/log" &
simulator=$!
listening='import json, sys; print(*(one["url"] for one in json.load(sys.stdin)["connections"]))'
for _ in $(seq 600); do
    read -r one two < <("$python" -c "$listening" <"$place/out" 2>/dev/null || true) || true
    [ -n "${two:-}" ] && break
    kill -0 "$simulator" 2>/dev/null || break
    sleep 0.1
done
[ -n "${two:-}" ] || { cat "$place/out" "$place/log" >&2; echo 'the simulator does not listen' >&2; exit 1; }
