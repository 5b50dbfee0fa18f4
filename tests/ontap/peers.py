"""Cluster peers: the document's combinations, and what the client makes of the answers."""

from netapp_ontap.resources import ClusterPeer, IpInterface

from kit import TWO, ask, at, case, control, count, refused


@case
def a_peer_is_posted_hydrated_and_found():
    peer = ClusterPeer(name="cp1", remote={"ip_addresses": ["1.2.3.4"]}, authentication={"passphrase": "xyz12345"})
    peer.post(hydrate=True)
    assert peer.uuid and peer.status.state == "unavailable", peer
    again = ClusterPeer(uuid=peer.uuid)
    again.get()
    assert again.name == "cp1" and again.remote.ip_addresses == ["1.2.3.4"]
    again.get(fields="remote,status")
    assert ClusterPeer.find(name="cp1").uuid == peer.uuid
    assert ClusterPeer.find(name="nope") is None
    assert ClusterPeer.find(**{"status.state": "!available"}).name == "cp1"
    assert "xyz12345" not in ask("GET", "/api/cluster/peers?fields=**").text


@case
def a_peer_is_posted_with_returned_records():
    peer = ClusterPeer(name="cp2", authentication={"generate_passphrase": True})
    answer = peer.post(return_records=True).http_response.json()
    record = answer["records"][0]
    assert answer["num_records"] == 1 and len(record["authentication"]["passphrase"]) >= 8, answer
    assert record["uuid"] == peer.uuid and record["_links"]["self"]["href"].endswith(peer.uuid)
    # A name needs no escape of its own.
    ClusterPeer(name="with space & ü", authentication={"generate_passphrase": True}).post()
    assert ClusterPeer.find(name="with space & ü").name == "with space & ü"


def offers(names):
    for name in names:
        ClusterPeer(name=name, authentication={"generate_passphrase": True}).post()


@case
def peers_are_paged_counted_patched_and_deleted():
    offers(["cp1", "cp2", "cp3", "other"])
    assert [peer.name for peer in ClusterPeer.get_collection(max_records=1)] == ["cp1", "cp2", "cp3", "other"]
    assert count("GET", "/api/cluster/peers") == 4, "one request a page"
    assert [peer.name for peer in ClusterPeer.get_collection(order_by="name desc", fields="name", max_records=3)] == ["other", "cp3", "cp2", "cp1"]
    control("rules", {"empty_next": True})
    assert len(list(ClusterPeer.get_collection(max_records=2))) == 4, "a last link may lead to nothing"
    assert ClusterPeer.count_collection() == 4
    peer = ClusterPeer.find(name="cp1")
    peer.remote = {"ip_addresses": ["10.224.65.30"]}
    peer.patch(hydrate=True)
    assert peer.remote.ip_addresses == ["10.224.65.30"]
    peer.patch()
    answer = ClusterPeer.patch_collection(
        {"encryption": {"proposed": "none"}, "authentication": {"passphrase": "xyz12345", "in_use": "ok"}}, name="cp*")
    assert answer.http_response.json()["num_records"] == 3
    assert all(peer.encryption.proposed == "none" for peer in ClusterPeer.get_collection(name="cp*", fields="*"))
    peer.delete()
    with refused(404, 4):
        peer.get()
    ClusterPeer.delete_collection(name="cp*")
    assert [peer.name for peer in ClusterPeer.get_collection()] == ["other"]


@case
def every_combination_of_the_document_has_its_end():
    address, phrase = {"ip_addresses": ["1.2.3.4"]}, {"passphrase": "xyz12345"}
    with refused(400, 4656069):
        ClusterPeer(authentication=phrase).post()
    with refused(400, 4656077):
        ClusterPeer(remote=address).post()
    with refused(400, 4655058):
        ClusterPeer(remote=address, authentication={**phrase, "expiry_time": "P8D"}).post()
    for body in (
        {"remote": address, "authentication": phrase},
        {"authentication": {"generate_passphrase": True}},
        {"encryption": {"proposed": "tls_psk"}},
        {"ipspace": {"name": "Default"}},
        {"remote": address, "authentication": phrase, "encryption": {"proposed": "none"}},
        {"initial_allowed_svms": [{"name": "svm_prod"}]},
    ):
        peer = ClusterPeer(**body)
        peer.post(hydrate=True)
        assert peer.uuid and peer.authentication.in_use == "ok", body
        peer.delete()


@case
def every_other_refusal_has_its_code():
    offer = {"authentication": {"generate_passphrase": True}}
    network = {"interfaces": [{"ip_address": "10.9.9.1"}], "netmask": "255.255.0.0", "broadcast_domain": "Default"}
    for code, body in (
        (4656070, {"encryption": {"proposed": "tls_psk"}, "authentication": {"in_use": "absent"}}),
        (4656071, {"name": "cluster1", **offer}),
        (4656072, {"name": " ", **offer}),
        (4656076, {"remote": {"ip_addresses": ["nowhere"]}, "authentication": {"passphrase": "xyz12345"}}),
        (4656081, {"local_network": {**network, "interfaces": []}, **offer}),
        (4656085, {"local_network": {**network, "interfaces": [{"ip_address": "nowhere"}]}, **offer}),
        (4656086, {"local_network": {**network, "broadcast_domain": "nope"}, **offer}),
        (4656087, {"local_network": {**network, "interfaces": [{"ip_address": f"10.9.9.{n}"} for n in range(1, 4)]}, **offer}),
        (4656090, {"local_network": {**network, "netmask": "nope"}, **offer}),
        (4656091, {"local_network": {**network, "gateway": "nope"}, **offer}),
        (2621462, {"initial_allowed_svms": [{"name": "nope"}], **offer}),
    ):
        answer = ask("POST", "/api/cluster/peers", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, str(code)), (body, answer.text)
    offers(["cp1"])
    with refused(409, 1):
        ClusterPeer(name="cp1", **offer).post()
    place = f"/api/cluster/peers/{ClusterPeer.find(name='cp1').uuid}"
    for code, body in (
        (4655058, {"authentication": {"passphrase": "xyz12345", "expiry_time": "P8D"}}),
        (4656073, {"encryption": {"proposed": "none"}}),
        (4656082, {"authentication": {"passphrase": "short"}}),
    ):
        answer = ask("PATCH", place, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, str(code)), (body, answer.text)


@case
def two_clusters_find_each_other():
    offer = ClusterPeer(authentication={"generate_passphrase": True})
    passphrase = offer.post(return_records=True).http_response.json()["records"][0]["authentication"]["passphrase"]
    services = {"services": "intercluster_core", "fields": "ip.address"}
    addresses = [lif.ip.address for lif in IpInterface.get_collection(**services)]
    with at(TWO):
        taker = ClusterPeer(remote={"ip_addresses": addresses}, authentication={"passphrase": passphrase})
        taker.post(hydrate=True)
        assert (taker.name, taker.status.state) == ("cluster1", "available"), taker
    assert ClusterPeer.find(name="cluster2").status.state == "available"
