"""Memory and other clients' waiting time while many clients hold what they can (tests/e2e/abusers.py)."""

import time

import abusers
from docket_server import eventually, job

BUDGET_MIB = 256  # the default
SLACK_MIB = 64


def one(server, report, claim, abuse):
    with abusers.watched(server) as seen:
        clients = abuse()
        time.sleep(3)  # which clients must give way depends on what has moved meanwhile
        abusers.close(clients)
    time.sleep(2)  # what is measured is the memory two seconds later
    report(claim, f"+{seen.peak_mib - seen.before_mib:.0f} MiB", "", "", f"{BUDGET_MIB + SLACK_MIB} MiB")
    report("  other clients: GET of a job, p50 / p99", f"{seen.p50_ms:.2f} / {seen.p99_ms:.1f} ms", "", "", "p99 20 ms")
    report("  memory two seconds later", f"+{abusers.memory_mib(server) - seen.before_mib:.0f} MiB")


def measure(bench, report):
    abusers.allow_many_sockets()
    server = bench.server().start()
    abusers.make_jobs(server)
    server.call("POST", "/v1/jobs", job("honest", "true"))
    server.call("POST", "/v1/jobs", job("log", "yes 0123456789abcdef | head -c 20000000"))
    server.call("POST", "/v1/jobs/log/runs")
    run = eventually(lambda: server.native("GET", "/runs?job=log&state=done")[1]["items"])[0]["id"]
    one(server, report, "60 clients that do not read a list of 11 MB", lambda: abusers.unread_lists(server, 60))
    one(server, report, "600 bodies of a mebibyte, each short of a byte", lambda: abusers.unfinished_bodies(server, 600))
    one(server, report, "20 clients that do not read a log of 16 MiB", lambda: abusers.unread_logs(server, 20, run))
    one(server, report, "1,000 followers that do not read 3,000 events", lambda: abusers.unread_events(server, 1000))
    server.stop_everything()
