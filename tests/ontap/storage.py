"""SVMs, volumes, exports, snapshots, qtrees, quotas, LUNs."""

from netapp_ontap.resources import (
    ExportPolicy,
    ExportRule,
    Igroup,
    Lun,
    LunMap,
    NfsService,
    Node,
    Qtree,
    QuotaRule,
    Snapshot,
    Svm,
    Volume,
)

from kit import case, control, count, refused, svm, volume


@case
def an_svm_is_made_in_a_job_with_its_interfaces():
    made = Svm(
        name="svm1", aggregates=[{"name": "aggr1"}], nfs={"allowed": True, "enabled": True}, routes=[{"gateway": "10.1.100.1"}],
        ip_interfaces=[{"name": "svm1_mgmt", "ip": {"address": "10.1.100.50", "netmask": "255.255.255.0"},
                        "location": {"broadcast_domain": {"name": "Default"}, "home_node": {"name": next(Node.get_collection()).name}},
                        "service_policy": "default-management"}])
    made.post()
    polled = [one for one in control("requests")["counts"] if one["path"].startswith("/api/cluster/jobs/")]
    assert count("POST", "/api/svm/svms", 202) == 1 and polled, "the job was polled to its end"
    made.get()
    assert made.state == "running" and made.ip_interfaces[0].name == "svm1_mgmt"
    NfsService(svm={"name": "svm1", "uuid": made.uuid}, protocol={"v3_enabled": True}).post(hydrate=True)
    with refused(409, 1):
        NfsService(svm={"name": "svm1"}).post()
    service = NfsService.find(**{"svm.name": "svm1"})
    service.protocol = {"v3_enabled": False}
    service.patch()
    service.get()
    assert service.protocol.v3_enabled is False
    with refused(409, 13434908):
        Svm(name="svm1").post()
    made.delete()
    assert Svm.find(name="svm1") is None


@case
def an_nfs_share_is_provisioned_and_taken_away():
    svm()
    policy = ExportPolicy(name="production_policy", svm={"name": "svm1"}, rules=[{
        "clients": [{"match": "10.1.0.0/16"}], "protocols": ["nfs3", "nfs4"], "ro_rule": ["sys"], "rw_rule": ["sys"], "superuser": ["sys"]}])
    policy.post(hydrate=True)
    rule = ExportRule(policy.id, clients=[{"match": "192.168.1.0/24"}], protocols=["nfs3"], ro_rule=["sys"], rw_rule=["never"], superuser=["none"])
    rule.post(hydrate=True)
    assert rule.index == 2 and rule.clients[0].match == "192.168.1.0/24"
    made = volume(nas={"export_policy": {"name": "production_policy"}, "path": "/shared", "security_style": "unix", "unix_permissions": 755},
                  snapshot_policy={"name": "default"})
    assert (made.state, made.size, made.nas.path, made.nas.export_policy.name) == ("online", 1 << 30, "/shared", "production_policy")
    made.size = "2GB"
    made.patch(hydrate=True)
    assert made.size == made.space.size == 2 << 30
    with refused(409, 8):
        policy.delete()
    with refused(409, 8):
        made.delete()
    made.state = "offline"
    made.nas = {"path": ""}
    made.patch()
    made.delete()
    assert Volume.find(name="shared") is None
    rule.delete()
    policy.delete()


@case
def volumes_are_cloned_moved_patched_and_deleted_by_query():
    svm()
    for name in ("v1", "v2", "v3"):
        volume(name)
    Volume.patch_collection({"comment": "by query"}, name="v*", **{"svm.name": "svm1"})
    assert {one.comment for one in Volume.get_collection(name="v*", fields="comment")} == {"by query"}
    clone = Volume(name="c1", svm={"name": "svm1"}, clone={"is_flexclone": True, "parent_volume": {"name": "v1"}})
    clone.post(hydrate=True)
    assert clone.clone.parent_volume.name == "v1" and clone.size == 1 << 30
    moved = Volume.find(name="v2")
    moved.movement = {"destination_aggregate": {"name": "aggr2"}}
    moved.patch(hydrate=True)
    assert moved.aggregates[0].name == "aggr2"
    both = [Volume(name=name, svm={"name": "svm1"}, aggregates=[{"name": "aggr1"}], size=1 << 30) for name in ("m1", "m2")]
    Volume.post_collection(both)
    assert Volume.count_collection(name="m*") == 2
    Volume.patch_collection({"state": "offline"}, name="m*")
    Volume.delete_collection(name="m*")
    assert Volume.count_collection(name="m*") == 0


@case
def snapshots_qtrees_and_quotas_are_made():
    svm()
    made = volume(nas={"path": "/shared"})
    snapshot = Snapshot(made.uuid, name="before_upgrade")
    snapshot.post(hydrate=True)
    assert snapshot.volume.name == "shared" and snapshot.create_time
    with refused(409, 1):
        Snapshot(made.uuid, name="before_upgrade").post()
    # A qtree has two keys, both of them in `Location`.
    qtree = Qtree(name="q1", svm={"name": "svm1"}, volume={"name": "shared"}, security_style="unix")
    qtree.post(hydrate=True)
    assert qtree.path == "/shared/q1" and qtree.id == 1, qtree
    rule = QuotaRule(type="tree", svm={"name": "svm1"}, volume={"name": "shared"}, qtree={"name": "q1"},
                     space={"hard_limit": 10 << 30, "soft_limit": 8 << 30}, files={"hard_limit": 10000})
    rule.post(hydrate=True)
    with refused(409, 8):
        qtree.delete()
    rule.space = {"hard_limit": 20 << 30}
    rule.patch()
    rule.delete()
    qtree.delete()
    snapshot.delete()
    assert not list(Snapshot.get_collection(made.uuid))


@case
def luns_are_mapped_and_unmapped():
    svm()
    volume("lunvol")
    group = Igroup(name="ig1", svm={"name": "svm1"}, os_type="linux", protocol="iscsi", initiators=[{"name": "iqn.1994-05.com.redhat:host1"}])
    group.post(hydrate=True)
    lun = Lun(name="/vol/lunvol/lun1", svm={"name": "svm1"}, os_type="linux", space={"size": "100GB"})
    lun.post(hydrate=True)
    assert lun.space.size == 100 << 30 and lun.status.mapped is False
    lun_map = LunMap(svm={"name": "svm1"}, lun={"name": "/vol/lunvol/lun1"}, igroup={"name": "ig1"})
    lun_map.post(hydrate=True)
    assert lun_map.logical_unit_number == 0
    with refused(409, 5374922):
        LunMap(svm={"name": "svm1"}, lun={"name": "/vol/lunvol/lun1"}, igroup={"name": "ig1"}).post()
    with refused(409, 8):
        lun.delete()
    lun_map.delete()
    lun.delete()
    group.delete()
