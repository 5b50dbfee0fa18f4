"""Jobs and faults."""

import time

import requests
from netapp_ontap import NetAppRestError
from netapp_ontap.resources import Cluster, ExportPolicy, Job, Volume

from kit import CERTIFICATE, ONE, ask, case, connection, control, count, refused, svm, volume


@case
def a_job_that_fails_says_why():
    svm()
    control("faults", {"kind": "job_failure", "method": "POST", "path": "/api/storage/volumes", "message": "no disks left"})
    try:
        volume("bad")
    except NetAppRestError as error:
        assert "no disks left" in str(error), error
    else:
        raise AssertionError("the job did not fail")
    assert Volume.find(name="bad") is None
    # Without a fault on request: more than there is.
    try:
        volume("big", size="11TB", guarantee={"type": "volume"})
    except NetAppRestError as error:
        assert "not enough space" in str(error), error
    else:
        raise AssertionError("the job did not fail")


@case
def a_job_can_be_waited_for_or_polled_by_hand():
    svm()
    later = Volume(name="later", svm={"name": "svm1"}, aggregates=[{"name": "aggr1"}], size="1GB")
    answer = later.post(poll=False).http_response
    assert answer.status_code == 202 and answer.headers["Location"].startswith("/api/storage/volumes/")
    job = Job(uuid=answer.json()["job"]["uuid"])
    seen = []
    for _ in range(100):
        job.get(fields="state")
        if not seen or seen[-1] != job.state:
            seen.append(job.state)
        if job.state == "success":
            break
        time.sleep(0.05)
    assert seen[-2:] == ["running", "success"], seen
    at_once = ask("POST", "/api/storage/volumes?return_timeout=15&return_records=true", json={
        "name": "now", "svm.name": "svm1", "aggregates": [{"name": "aggr1"}], "size": 1 << 30})
    assert at_once.status_code == 201 and at_once.json()["records"][0]["state"] == "online", at_once.text


@case
def faults_are_what_the_client_knows_of_ontap():
    control("faults", {"kind": "unavailable", "retry_after": 1})
    assert Cluster().get().http_response.status_code == 200, "a GET is sent again after Retry-After"
    control("faults", {"kind": "throttled", "retry_after": 1})
    Cluster().get()
    assert count("GET", "/api/cluster", 429) == count("GET", "/api/cluster", 503) == 1
    with refused(503, 13001):
        control("faults", {"kind": "unavailable"})
        Cluster().get()
    svm()
    policy = {"name": "p", "svm": {"name": "svm1"}}
    with refused(409, 2621573):
        control("faults", {"kind": "locked", "method": "POST"})
        ExportPolicy(**policy).post()
    for kind, made in (("drop_before", 0), ("drop_after", 1)):
        control("faults", {"kind": kind, "method": "POST"})
        try:
            ExportPolicy(**policy).post()
        except (NetAppRestError, requests.exceptions.ConnectionError):
            pass
        else:
            raise AssertionError("the connection was not dropped")
        assert ExportPolicy.count_collection(name="p") == made, kind
    control("faults", {"kind": "slow", "delay_ms": 300})
    assert ask("GET", "/api/cluster").elapsed.total_seconds() >= 0.3


@case
def nobody_is_answered_without_a_login():
    for login in (None, ("admin", "wrong")):
        answer = requests.get(f"{ONE}/api/cluster", auth=login, verify=CERTIFICATE, timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "6691623")
