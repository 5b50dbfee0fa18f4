"""The pack `ontap` and NetApp's client, on the same clusters: each sees what the other has made."""

import json
import os
import subprocess
import sys
import tempfile

from netapp_ontap.resources import ClusterPeer, ExportPolicy, Volume

from kit import CERTIFICATE, LOGIN, ONE, TWO, case, svm, volume

RUNNER = os.path.abspath(sys.argv[4])


def runner(place, *arguments):
    """What an action or a workflow of the pack gives."""
    run = subprocess.run(
        [RUNNER, "--config", f"{place}/runner.toml", "--data", f"{place}/data", "--packs", "packs", "exec", *arguments],
        capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def configured(place):
    with open(f"{place}/password", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(LOGIN[1])
    lines = []
    for name, url in [("cluster1", ONE), ("cluster2", TWO)]:
        lines += [f"[connections.{name}]", 'kind = "ontap"', f'base_url = "{url}"', f'tls = {{ ca_file = "{CERTIFICATE}" }}',
                  f'auth = {{ type = "basic", username = "{LOGIN[0]}", password = {{ file = "{place}/password" }} }}',
                  "[[grants.ontap.http]]", f'connection = "{name}"', 'methods = ["GET", "POST", "PATCH", "DELETE"]']
    with open(f"{place}/runner.toml", "w") as file:
        file.write("\n".join(lines) + "\n")


@case
def the_pack_and_the_client_see_the_same_objects():
    with tempfile.TemporaryDirectory() as place:
        configured(place)
        svm()
        volume("by_client")
        seen = runner(place, "ontap.get_volume", "name=by_client", "svm=svm1", "connection=cluster1")
        assert seen["record"]["uuid"] == Volume.find(name="by_client").uuid, seen
        again = runner(place, "ontap.create_volume", "name=by_client", "svm=svm1", "size=1GB", "connection=cluster1")
        assert (again["changed"], again["created"]) == (False, False), again
        made = runner(place, "ontap.provision_nfs_volume", "name=by_pack", "svm=svm1", "size=2GB", "clients=10.1.0.0/16",
                      "connection=cluster1")
        found = Volume.find(name="by_pack")
        assert (found.uuid, found.size, found.nas.path) == (made["volume"]["uuid"], 2 << 30, "/by_pack"), made
        policy = ExportPolicy.find(name="by_pack")
        policy.get(fields="rules")
        assert [client.match for rule in policy.rules for client in rule.clients] == ["10.1.0.0/16"]
        runner(place, "ontap.peer_clusters", "local=cluster1", "remote=cluster2")
        peer = ClusterPeer.find(name="cluster2")
        peer.get()
        assert (peer.status.state, peer.authentication.state) == ("available", "ok"), peer
        peer.delete()
        assert runner(place, "ontap.find_cluster_peer", "name=cluster2", "connection=cluster1")["found"] is False
