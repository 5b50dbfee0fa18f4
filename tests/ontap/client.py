"""NetApp's own Python client, and plain requests, against `runner simulate ontap`.

Run by client.sh: `client.py URL-of-cluster1 URL-of-cluster2 CERTIFICATE RUNNER`. Each case runs on fresh clusters; what it asserts is
what the client makes of the answers, and what the API says beside it.
"""

import sys
import traceback

from netapp_ontap import config

# The order in which the cases run.
import peers  # noqa: F401
import storage  # noqa: F401
import mirrors  # noqa: F401
import jobs  # noqa: F401
import wire  # noqa: F401
import pack  # noqa: F401
from kit import CASES, ONE, connection, control


def main():
    failed = 0
    config.CONNECTION = connection(ONE)
    for case in CASES:
        control("reset", {})
        # Jobs pass quickly; that they take their time is tried by the simulator's own tests.
        control("rules", {"job_ms": 400})
        try:
            case()
            print(f"ok      {case.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {case.__name__}", flush=True)
            traceback.print_exc()
    print(f"{len(CASES) - failed} of {len(CASES)} cases passed")
    return 1 if failed or not CASES else 0


sys.exit(main())
