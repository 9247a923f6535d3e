"""The commands that wait and follow, run against a real server of one core: `docket task log --follow`, `docket
events`, and the names of runs that one command prints and the others accept."""

import os
import re
import signal

import pytest

from docket_server import Command, Server, eventually

RUN = r"\d{14}\w{5}"  # the name of a run


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server with room for one run of a whole core."""
    running = Server(tmp_path_factory.mktemp("small") / "data", "--node.cpus", "1").start()
    yield running
    running.stop_everything()


@pytest.fixture
def blocked(small, tmp_path):
    """A run holds the only core until the function is called."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job = f"blocker{os.path.basename(tmp_path)}".replace("_", "-")
    small.add(job, f"read line < {gate}", cpus=1)
    name = small.run(job)
    eventually(lambda: small.run_of(job, name)["state"] == "running")

    def release():
        if small.run_of(job, name)["state"] == "running":
            gate.write_text("go\n")
            small.ended(job, name)

    release.name = name
    release.job = job
    yield release
    release()


def test_a_followed_log_waits_for_the_start(small, blocked):
    small.add("waits", "echo one; echo two", cpus=1)
    name = small.run("waits")
    done = small.cli("task", "log", name)
    assert done.returncode == 1 and "has not started" in done.stderr
    with Command(small, "task", "log", "--follow", name) as follower:
        assert follower.process.stderr.readline() == f'waiting for run "{name}" to start\n'
        assert follower.process.stderr.readline() == "  capacity: needs 1 cpus, 0 of 1 free\n"
        assert blocked.name in follower.process.stderr.readline()
        blocked()
        assert follower.rest() == (0, "one\ntwo\n", "")


def test_a_followed_log_of_a_run_that_is_stopped_before_its_start(small, blocked):
    small.add("stopped", "true", cpus=1)
    name = small.run("stopped")
    with Command(small, "task", "log", "-f", "stopped") as follower:
        assert name in follower.process.stderr.readline()
        assert small.cli("job", "kill", "stopped", name).returncode == 0
        code, out, err = follower.rest()
    ended = "docket: aborted: Stopped\n"
    assert (code, out) == (0, "") and err.endswith(ended)
    for flags in ([], ["--follow"]):
        done = small.cli("task", "log", *flags, name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ended)


def test_an_interrupt_ends_the_wait(small, blocked):
    small.add("interrupted", "true", cpus=1)
    name = small.run("interrupted")
    with Command(small, "task", "log", "--follow", name) as follower:
        assert name in follower.process.stderr.readline()
        follower.process.send_signal(signal.SIGINT)
        assert follower.rest()[0] == -signal.SIGINT
    small.cli("job", "kill", "interrupted", "--all")


def test_a_followed_log_covers_all_attempts_of_a_run(small, tmp_path):
    tries = tmp_path / "tries"
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    command = f"echo began; read line < {gate}; echo >> {tries}; [ $(wc -l < {tries}) = 2 ]"
    small.add("restarted", command, restart={"policy": "ON_FAILURE"})
    with Command(small, "task", "log", "--follow", small.run("restarted")) as follower:
        for _ in range(2):
            assert follower.process.stdout.readline() == "began\n"
            gate.write_text("go on\n")
        assert follower.rest()[:2] == (0, "")


def test_events_are_the_newest(small):
    for number in range(25):
        small.add(f"newest{number}", "true")
    lines = small.cli("events").stdout.splitlines()
    assert [line.split()[-1] for line in lines] == [f"newest{n}" for n in range(5, 25)]
    lines = small.cli("events", "-n", 2).stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["newest23", "newest24"]
    lines = small.cli("events", "--lines", 3, "--job", "newest7").stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["newest7"]


def test_followed_events_begin_with_the_newest_and_miss_nothing(small):
    small.add("before", "true")
    with Command(small, "events", "--follow", "-n", 1) as follower:
        assert follower.process.stdout.readline().split()[3:] == ["job_created", "before"]
        for number in range(3):
            small.add(f"live{number}", "true")
        seen = [follower.process.stdout.readline().split()[-1] for _ in range(3)]
        assert seen == ["live0", "live1", "live2"]


def test_what_one_command_prints_the_others_accept(small, blocked):
    small.add("named", "echo hello", cpus=1)
    name = small.run("named")
    event = small.cli("events", "-n", 1, "--job", "named").stdout
    assert re.search(RUN, event).group() == name
    why = small.cli("explain", name).stdout
    assert re.findall(RUN, why) == [name, blocked.name]
    run = small.run_of("named", name)
    for known in (name, run["id"], run["uuid"]):
        assert small.cli("explain", known).stdout == why
        shown = small.cli("job", "show", "runs", "named", "--run-id", known, "-q")
        assert shown.stdout == name + "\n", shown.stderr
    number = small.run_of(blocked.job, blocked.name)["id"]
    assert small.cli("job", "kill", blocked.job, number).returncode == 0
    run = small.ended("named", name)
    for known in (name, run["id"], run["attempts"][0]["id"], run["attempts"][0]["uuid"]):
        assert small.cli("task", "log", known).stdout == "hello\n"
