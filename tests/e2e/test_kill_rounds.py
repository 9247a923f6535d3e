"""kill -9 of server and runner, singly and together, under 50 clients, on a disk that fills and empties: no
acknowledged run is lost, none has a wrong outcome, none is executed twice. ROUNDS sets how often something is killed,
ROUNDS_SEED repeats the moments."""

import collections
import contextlib
import os
import random
import signal
import threading
import time

import pytest

from docket_server import Server, job, wait_until_idle
from test_crash import Client

CLIENTS = 50
ROUNDS = int(os.environ.get("ROUNDS", "200" if os.environ.get("DOCKET_LONG") else "40"))
SEED = int(os.environ.get("ROUNDS_SEED", random.SystemRandom().randrange(1 << 32)))
CODES = {"good": 0, "bad": 3, "slow": 0}
OUTCOMES = {"good": "done", "bad": "failed", "slow": "done"}


class Disk:
    """A small file system that can be filled to the last block at once."""

    def __init__(self, folder):
        self.folder, self.ballast = folder, folder / "ballast"

    def fill(self):
        state = os.statvfs(self.folder)
        with contextlib.suppress(OSError), open(self.ballast, "ab") as file:
            os.posix_fallocate(file.fileno(), 0, file.tell() + state.f_bavail * state.f_frsize)

    def make_room(self):
        self.ballast.unlink(missing_ok=True)


@pytest.fixture
def disk(small_disk):
    return Disk(small_disk("1g"))


def kill_runner(server):
    pid = server.runner_pid()
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_something(server, dice):
    what = dice.choice(("server", "runner", "both", "runner"))
    if what != "server":
        kill_runner(server)
    if what != "runner":
        server.kill()
        server.start()
    return what


def is_refusal_of_a_full_disk(answer):
    status, body = answer
    return status in (503, 507) and b"disk is full" in body.lower()


def submit(server, stopping):
    address = server.metronome.removeprefix("http://")
    clients = [Client(address, list(CODES)[i % len(CODES)], stopping) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    return clients


def go_through(server, disk, dice):
    """Runs the rounds; returns how often each process was killed, and how often the disk was full."""
    killed = collections.Counter()
    for number in range(ROUNDS):
        if number % 5 == 2:
            disk.fill()
            killed["disk full"] += 1
        if number % 5 == 4:
            disk.make_room()
        time.sleep(dice.uniform(0.0, 0.3))  # the moment of the kill is the input of this test
        killed[kill_something(server, dice)] += 1
    disk.make_room()
    return killed


def test_nothing_is_lost_wrong_or_repeated(disk, tmp_path):
    print(f"seed {SEED}, {ROUNDS} rounds")
    dice = random.Random(SEED)
    executed = tmp_path / "executed"
    executed.touch()
    server = Server(disk.folder / "data").start()
    try:
        for name, code in CODES.items():
            pause = "sleep 0.3; " if name == "slow" else ""
            mark = f'echo "$DOCKET_JOB_ID $DOCKET_RUN_ID" >> {executed}; '
            status, body = server.call("POST", "/v1/jobs", job(name, f"{mark}{pause}exit {code}"))
            assert status == 201, body
        stopping = threading.Event()
        clients = submit(server, stopping)
        killed = go_through(server, disk, dice)
        stopping.set()
        for client in clients:
            client.join()
            odd = [answer for answer in client.odd if not is_refusal_of_a_full_disk(answer)]
            assert not odd, odd[:3]
        judge(server, clients, executed, killed)
    finally:
        server.stop_everything()


def judge(server, clients, executed, killed):
    wait_until_idle(server)
    acknowledged = {(client.job_id, run) for client in clients for run in client.acknowledged}
    stored = {
        (run["job"], run["name"]): run
        for name in CODES
        for run in server.pages(f"/runs?job={name}&limit=500")
    }
    missing = [run for run in acknowledged if run not in stored]
    assert not missing, f"{len(missing)} acknowledged runs are gone: {missing[:5]}"
    wrong = [
        (run, found["state"], found.get("message"))
        for run, found in stored.items()
        if found["state"] != OUTCOMES[run[0]]
    ]
    assert not wrong, f"{len(wrong)} wrong outcomes: {wrong[:5]}"
    times = collections.Counter(tuple(line.split()) for line in executed.read_text().splitlines())
    twice = [run for run, count in times.items() if count > 1]
    assert not twice, f"{len(twice)} executed twice: {twice[:5]}"
    assert set(times) == set(stored), "every run that exists was executed, and nothing else"
    print(f"{len(acknowledged)} acknowledged runs of {len(stored)}; {dict(killed)}")
