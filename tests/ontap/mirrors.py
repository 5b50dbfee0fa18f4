"""SnapMirror between two clusters."""

import time

from netapp_ontap.resources import (
    ClusterPeer,
    IpInterface,
    SnapmirrorRelationship,
    SnapmirrorTransfer,
    SvmPeer,
    Volume,
)

from kit import TWO, at, case


@case
def a_volume_is_mirrored_to_the_other_cluster():
    with at(TWO):
        there = [lif.ip.address for lif in IpInterface.get_collection(services="intercluster_core", fields="ip.address")]
    here = [lif.ip.address for lif in IpInterface.get_collection(services="intercluster_core", fields="ip.address")]
    ClusterPeer(remote={"ip_addresses": there}, authentication={"passphrase": "xyz12345"}).post()
    with at(TWO):
        ClusterPeer(remote={"ip_addresses": here}, authentication={"passphrase": "xyz12345"}).post()
    SvmPeer(svm={"name": "svm_prod"}, peer={"svm": {"name": "svm_dr"}, "cluster": {"name": "cluster2"}}, applications=["snapmirror"]).post()
    with at(TWO):
        SvmPeer.patch_collection({"state": "peered"}, state="pending")
        mirror = SnapmirrorRelationship(
            source={"path": "svm_prod:projects", "cluster": {"name": "cluster1"}}, destination={"path": "svm_dr:projects_dr"},
            create_destination={"enabled": True}, policy={"name": "MirrorAllSnapshots"})
        mirror.post(hydrate=True)
        assert (mirror.state, Volume.find(name="projects_dr").type) == ("uninitialized", "dp")
        mirror.state = "snapmirrored"
        mirror.patch(hydrate=True)
        assert mirror.state == "snapmirrored" and mirror.healthy and mirror.lag_time
        transfer = SnapmirrorTransfer(mirror.uuid)
        transfer.post(hydrate=True)
        assert transfer.state == "transferring"
        time.sleep(1.6)  # A transfer takes a second and a half, on the real clock here.
        transfer.get()
        assert transfer.state == "success"
        for state, kind in (("paused", "dp"), ("broken_off", "rw"), ("snapmirrored", "dp")):
            mirror.state = state
            mirror.patch(hydrate=True)
            assert (mirror.state, Volume.find(name="projects_dr").type) == (state, kind)
        mirror.delete()
