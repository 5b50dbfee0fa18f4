"""What the cases have in common: the clusters, requests of no client in particular, refusals and counts."""

import contextlib
import os
import sys

import requests
from netapp_ontap import HostConnection, NetAppRestError, config
from netapp_ontap.resources import Svm, Volume

# They would take the place of the certificate that the client is told to trust.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)

CASES = []
ONE, TWO, CERTIFICATE = sys.argv[1:4]
LOGIN = ("admin", "secret")


def connection(url, **options):
    host, port = url.removeprefix("https://").split(":")
    # The job is polled more often than the client would by itself, which only costs time here.
    return HostConnection(host, *LOGIN, port=int(port), verify=CERTIFICATE, poll_interval=0.2, poll_timeout=20, **options)


@contextlib.contextmanager
def at(url):
    """The client talks to another cluster. (Its own `with connection` does not hold for jobs of collections.)"""
    before, config.CONNECTION = config.CONNECTION, connection(url)
    try:
        yield
    finally:
        config.CONNECTION = before


def ask(method, path, url=ONE, **options):
    """A request of no client in particular."""
    return requests.request(method, url + path, auth=LOGIN, verify=CERTIFICATE, timeout=30, **options)


def control(path, body=None):
    answer = ask("GET" if body is None else "POST", f"/simulator/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


@contextlib.contextmanager
def refused(status, code):
    """The block is refused with this status and ONTAP's code."""
    try:
        yield
    except NetAppRestError as error:
        said = error.response_body["error"] if error.response_body else {}
        assert (error.status_code, said.get("code")) == (status, str(code)), (error.status_code, said)
    else:
        raise AssertionError(f"not refused with {status} {code}")


def count(method, path, status=None):
    counts = control("requests")["counts"]
    return sum(one["count"] for one in counts
               if one["method"] == method and one["path"] == path and status in (None, one["status"]))


def case(function):
    """Marks a case. Each runs on fresh clusters."""
    CASES.append(function)
    return function


def svm(name="svm1"):
    made = Svm(name=name, aggregates=[{"name": "aggr1"}], language="c.utf_8", ipspace={"name": "Default"},
               snapshot_policy={"name": "default"}, subtype="default")
    made.post(hydrate=True)
    return made


def volume(name="shared", **more):
    body = {"name": name, "svm": {"name": "svm1"}, "aggregates": [{"name": "aggr1"}], "size": "1GB", "guarantee": {"type": "none"}, **more}
    made = Volume(**body)
    made.post(hydrate=True)
    return made
