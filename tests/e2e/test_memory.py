"""Many clients that hold as much as they can: memory stays within the budget plus 64 MiB, honest clients are served,
and the memory is released. How long honest clients wait is printed here and measured by benchmarks/abuse.py."""

import time

import pytest

import abusers
from docket_server import Server, eventually, job

BUDGET_MIB = 64
SLACK_MIB = 64


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A server with a small budget, a long list of jobs, and a run with a long log."""
    abusers.allow_many_sockets()
    server = Server(tmp_path_factory.mktemp("memory") / "data", f"--buffered-bytes={BUDGET_MIB << 20}").start()
    abusers.make_jobs(server)
    assert server.call("POST", "/v1/jobs", job("honest", cmd="true"))[0] == 201
    assert server.call("POST", "/v1/jobs", job("log", cmd="yes 0123456789abcdef | head -c 20000000"))[0] == 201
    assert server.call("POST", "/v1/jobs/log/runs")[0] == 201
    runs = eventually(lambda: server.native("GET", "/runs?job=log&state=done")[1]["items"])
    server.log_of = runs[0]["id"]
    yield server
    server.stop_everything()


ABUSES = {
    "lists": lambda server: abusers.unread_lists(server, 60),
    "bodies": lambda server: abusers.unfinished_bodies(server, 300),
    "logs": lambda server: abusers.unread_logs(server, 20, server.log_of),
    "events": lambda server: abusers.unread_events(server, 300),
}


@pytest.mark.parametrize("abuse", ABUSES)
def test_memory_stays_within_the_budget_and_is_released(many, abuse):
    with abusers.watched(many) as seen:
        clients = ABUSES[abuse](many)
        time.sleep(2)  # which clients must give way depends on what moves in this time
        assert many.call("GET", "/v1/jobs/honest")[0] == 200
        assert many.call("POST", "/v1/jobs/honest/runs")[0] == 201
        statuses = abusers.answers(clients)
        abusers.close(clients)
    print(f"{abuse}: {seen.before_mib:.0f} MiB before, {seen.peak_mib:.0f} at most, honest p99 {seen.p99_ms:.1f} ms, "
          f"worst {seen.worst_ms:.1f} ms of {seen.asked}")
    assert seen.peak_mib < seen.before_mib + BUDGET_MIB + SLACK_MIB
    assert seen.asked > 1
    if abuse == "bodies":
        assert statuses.count(503) > 100
    eventually(lambda: abusers.memory_mib(many) < seen.before_mib + SLACK_MIB / 2)


def test_the_long_list_is_whole(many):
    status, jobs = many.call("GET", "/v1/jobs?embed=activeRuns&embed=history", timeout_s=60)
    assert status == 200
    ids = [each["id"] for each in jobs]
    assert len(ids) > abusers.LIST_JOBS and ids == sorted(ids)
