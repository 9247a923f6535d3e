"""A full disk (decision 0006): new work is refused, everything else continues, and the server recovers by
itself."""

import contextlib
import itertools
import os
import socket
import subprocess

import pytest

from docket_server import PROGRAM, Server, alive, eventually, job

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may mount the small file system that gets full"
)


@pytest.fixture
def disk(tmp_path):
    """A file system of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "docket-test", str(folder)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip("cannot mount a file system here: " + mounted.stderr.strip())
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def server(disk):
    running = Server(disk / "data").start()
    yield running
    running.stop_everything()


def fill(disk):
    """Takes the last byte of the disk."""
    with open(disk / "ballast", "ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    if file.write(bytes(size)) < size:
                        break


def make_full(server, disk):
    """Fills the disk until new work is refused; the refusal."""
    count = 0

    def refused():
        nonlocal count
        count += 1
        fill(disk)  # also what the server may have released
        status, body = server.call(
            "POST", "/v1/jobs", job(f"more-{count}", "true", env={"PAD": "x" * 5000})
        )
        return (status, body) if status != 201 else None

    return eventually(refused)


def is_refused(answer):
    status, body = answer
    return (
        status in (503, 507)
        and "disk is full" in body.get("message", body.get("detail", "")).lower()
    )


def waits(folder, name, code=0):
    """A command that ends when told to; its output goes outside the full disk."""
    return (
        f"echo $$ > {folder}/{name}.pid; until [ -e {folder}/{name}.go ]; do sleep 0.02; done; exit"
        f" {code}"
    )


def pid_of(folder, name):
    path = folder / f"{name}.pid"
    return int(eventually(lambda: path.exists() and path.read_text().strip()))


def test_a_full_disk_from_end_to_end(server, disk, tmp_path):
    for name, code in (("ends-well", 0), ("ends-badly", 4), ("is-stopped", 0), ("outlives", 0)):
        server.add(name, waits(tmp_path, name, code))
    runs = {
        name: server.run(name) for name in ("ends-well", "ends-badly", "is-stopped", "outlives")
    }
    pids = {name: pid_of(tmp_path, name) for name in runs}

    # Full: every door refuses new work and says why.
    refusal = make_full(server, disk)
    assert is_refused(refusal), refusal
    assert is_refused(server.call("POST", "/v1/jobs/ends-well/runs")), "no new run"
    assert is_refused(server.native("POST", "/jobs/ends-well/runs"))
    store = server.native("GET", "/status")[1]["store"]
    assert store["full"] and not store["failed"]
    assert store["trouble"].startswith("The disk is full"), store
    assert any("disk is full" in line for line in server.log)

    # Existing data can be read.
    assert server.call("GET", "/v1/jobs/ends-well")[0] == 200
    assert [run["id"] for run in server.call("GET", "/v1/jobs/outlives/runs")[1]] == [
        runs["outlives"]
    ]
    assert server.call("GET", "/v1/jobs/ends-well?embed=history")[0] == 200
    assert server.native("GET", "/runs")[0] == 200

    # Running work can be stopped, and its end is recorded.
    status, body = server.call(
        "POST", f"/v1/jobs/is-stopped/runs/{runs['is-stopped']}/actions/stop"
    )
    assert (status, body["status"]) == (200, "FAILED")
    eventually(lambda: not alive(pids["is-stopped"]))
    for name in ("ends-well", "ends-badly"):
        (tmp_path / f"{name}.go").touch()
    assert server.ended("ends-well", runs["ends-well"])["state"] == "done"
    assert server.ended("ends-badly", runs["ends-badly"])["attempts"][0]["exitCode"] == 4
    assert server.ended("is-stopped", runs["is-stopped"])["state"] == "aborted"

    # A restart while it is still full, orderly or by kill.
    for end in (server.stop, server.kill):
        fill(disk)
        end()
        server.start()
        assert is_refused(
            eventually(
                lambda: (answer := server.call("POST", "/v1/jobs/ends-well/runs"))[0] != 201
                and answer
            )
        )
        assert server.run_of("outlives", runs["outlives"])["state"] == "running" and alive(
            pids["outlives"]
        )
        assert (
            server.run_of("ends-well", runs["ends-well"])["state"] == "done"
        ), "what was recorded is on disk"
        history = server.call("GET", "/v1/jobs/ends-badly?embed=history")[1]["history"]
        assert [run["id"] for run in history["failedFinishedRuns"]] == [runs["ends-badly"]]

    # Room again: the server notices by itself.
    os.unlink(disk / "ballast")
    eventually(lambda: server.native("GET", "/status")[1]["store"]["full"] is False)
    name = server.run("ends-well")
    assert server.ended("ends-well", name)["state"] == "done"
    (tmp_path / "outlives.go").touch()
    assert server.ended("outlives", runs["outlives"])["state"] == "done"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_start_without_a_byte_of_room(disk, tmp_path, end):
    """No reserve, and others at once take what the server releases when it stops."""
    server = Server(disk / "data", "--reserve-bytes=0").start()
    try:
        server.add("outlives", waits(tmp_path, "outlives"))
        name = server.run("outlives")
        pid_of(tmp_path, "outlives")
        fill(disk)
        getattr(server, end)()
        fill(disk)
        server.start()
        store = server.native("GET", "/status")[1]["store"]
        assert store["full"] and store["trouble"].startswith("The disk is full"), store
        assert is_refused(server.call("POST", "/v1/jobs", job("more", "true")))
        assert server.run_of("outlives", name)["state"] == "running"
        os.unlink(disk / "ballast")
        eventually(lambda: server.native("GET", "/status")[1]["store"]["full"] is False)
        (tmp_path / "outlives.go").touch()
        assert server.ended("outlives", name)["state"] == "done"
    finally:
        server.stop_everything()


def test_a_log_without_room_ends_no_process(disk):
    """The server's own log is on the disk that is full, and so is what its commands write."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    server = Server(disk / "data")
    server.hub = url
    with open(disk / "log", "ab", buffering=0) as log:
        server.process = subprocess.Popen(
            [PROGRAM, "serve", f"--data={server.data}", f"--listen={url[7:]}", "--port=all=off"],
            stderr=log,
        )
        try:
            eventually(lambda: is_up(server))
            names = (f"more-{count}" for count in itertools.count())

            def refused():
                fill(disk)  # also what the server may have released
                answer = server.native("POST", "/jobs", job(next(names), "true", env={"PAD": "x" * 5000}))
                return answer if answer[0] != 201 else None

            assert is_refused(eventually(refused))
            client = subprocess.run(
                [PROGRAM, "--url", url, "status"], stdout=log, stderr=log, timeout=30
            )
            assert client.returncode >= 0, "ended by a signal"
            os.unlink(disk / "ballast")
            eventually(lambda: not server.native("GET", "/status")[1]["store"]["full"])
            assert server.native("POST", "/jobs", job("a", "true"))[0] == 201
            assert server.process.poll() is None
        finally:
            server.stop_everything()


def is_up(server):
    try:
        return server.native("GET", "/status")[0] == 200
    except OSError:
        return False


def test_a_job_that_fills_the_disk_harms_no_other(server, disk, tmp_path):
    """Its output fills the disk; once it is stopped and its output removed, work continues."""
    server.add("fills", f"echo $$ > {tmp_path}/fills.pid; cat /dev/zero > zeroes; sleep 1000")
    name = server.run("fills")
    pid = pid_of(tmp_path, "fills")
    is_full = eventually(lambda: not is_writable(disk))
    assert is_full and server.call("GET", "/v1/jobs/fills")[0] == 200
    assert server.call("POST", f"/v1/jobs/fills/runs/{name}/actions/stop")[0] == 200
    eventually(lambda: not alive(pid))
    assert server.ended("fills", name)["state"] == "aborted"


def is_writable(disk):
    probe = disk / "probe"
    try:
        probe.write_bytes(bytes(4096))
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return True
