"""What other clients send: dotted keys, `True`, bodies on DELETE, trailing slashes; ONTAP's own filters."""

from kit import ask, case, svm, volume


@case
def dotted_keys_capital_booleans_bodies_and_slashes_are_accepted():
    svm()
    made = ask("POST", "/api/protocols/nfs/export-policies/?return_records=True", json={"name": "d", "svm.name": "svm1"})
    assert made.status_code == 201 and made.json()["records"][0]["svm"]["name"] == "svm1", made.text
    made = ask("POST", "/api/storage/volumes?return_timeout=30", json={
        "name": "avol", "svm.name": "svm1", "aggregates": [{"name": "aggr1"}], "size": 10 << 30, "nas.export_policy.name": "d",
        "nas.path": "/avol", "state": "online", "space.logical_space.enforcement": "true"})
    assert made.status_code == 201, made.text
    found = ask("GET", "/api/storage/volumes/?name=avol&svm.name=svm1&fields=nas.export_policy.name,space.logical_space,state").json()
    record = found["records"][0]
    assert record["nas"]["export_policy"]["name"] == "d" and record["space"]["logical_space"]["enforcement"] is True
    assert ask("GET", "/api/svm/svms?max_records=1024&fields=").json()["num_records"] >= 1
    place = ask("GET", "/api/protocols/nfs/export-policies?name=d").json()["records"][0]["_links"]["self"]["href"]
    assert ask("DELETE", f"{place}/", json={}).status_code == 409
    ask("PATCH", f"/api/storage/volumes/{record['uuid']}?return_timeout=30", json={"nas.export_policy.name": "default"})
    assert ask("DELETE", f"{place}/", json={}).status_code == 200
    tunnelled = ask("GET", "/api/storage/volumes?fields=svm.name", headers={"X-Dot-SVM-Name": "svm1"}).json()["records"]
    assert {one["svm"]["name"] for one in tunnelled} == {"svm1"}
    plain = ask("GET", "/api/storage/volumes?max_records=1", headers={"Accept": "application/json"})
    assert plain.text.count("_links") == 1 and plain.links["next"]["url"] == plain.json()["_links"]["next"]["href"]


@case
def filters_are_ontaps():
    svm()
    for name, size in (("small", "1GB"), ("middle", "5GB"), ("large", "20GB")):
        volume(name, size=size)
    for query, expected in (
        ("size=>=5GB", {"middle", "large"}),
        ("size=2GB..10GB", {"middle"}),
        ("name=sm*|la*", {"small", "large"}),
        ("name=!sm*", {"middle", "large"}),
        ('name="small"', {"small"}),
        ("nas.path=null", {"small", "middle", "large"}),
        ("nas.path=!null", set()),
    ):
        records = ask("GET", f"/api/storage/volumes?svm.name=svm1&is_svm_root=false&{query}").json()["records"]
        assert {record["name"] for record in records} == expected, (query, records)
