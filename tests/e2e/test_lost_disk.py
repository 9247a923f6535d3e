"""A disk that disappears or becomes read-only while the server runs (decision 0006): new work is
refused with the reason, and all continues once it is back; deletion of the store ends the server."""

import contextlib
import os
import shutil
import subprocess

import pytest

from docket_server import Server, eventually, job

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount file systems")


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


@pytest.fixture
def disk(tmp_path):
    """A file system mounted at a hidden place, and again where the data is."""
    hidden, folder = tmp_path / "hidden", tmp_path / "disk"
    hidden.mkdir()
    folder.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=64m", "docket-test", hidden)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"cannot mount a file system here: {error}")
    mount("--bind", hidden, folder)
    yield hidden, folder
    for path in (folder, hidden):
        with contextlib.suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)


@pytest.fixture
def server(disk):
    running = Server(disk[1] / "data").start()
    yield running
    running.stop_everything()


def store(server):
    return server.native("GET", "/status")[1]["store"]


def is_refused(answer, why):
    status, body = answer
    return status in (503, 507) and why in body.get("message", body.get("detail", ""))


def expect_refusal(server, why):
    trouble = eventually(lambda: store(server)["trouble"])
    assert why in trouble
    assert is_refused(server.call("POST", "/v1/jobs", job("b", "true")), why)
    assert is_refused(server.call("POST", "/v1/jobs/a/runs"), why)
    assert is_refused(server.native("POST", "/jobs/a/runs"), why)
    assert server.call("GET", "/v1/jobs/a")[0] == 200
    assert server.native("GET", "/runs")[0] == 200


def expect_recovery(server):
    eventually(lambda: store(server) == {"full": False, "failed": False, "trouble": None})
    assert server.ended("a", server.run("a"))["state"] == "done"
    server.kill()
    server.start()
    runs = list(server.pages("/runs?job=a"))
    assert [run["state"] for run in runs] == ["done", "done"], "what was acknowledged is on the disk"


def test_a_disk_that_is_unmounted_and_comes_back(server, disk):
    hidden, folder = disk
    server.add("a", "true")
    assert server.ended("a", server.run("a"))["state"] == "done"
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    expect_refusal(server, "was moved, or its disk unmounted")
    assert os.listdir(folder) == [], "nothing is written into the place where it was mounted"
    mount("--bind", hidden, folder)
    expect_recovery(server)


def test_a_directory_that_is_moved_and_comes_back(server, disk):
    folder = disk[1]
    server.add("a", "true")
    assert server.ended("a", server.run("a"))["state"] == "done"
    (folder / "data").rename(folder / "elsewhere")
    expect_refusal(server, "was moved, or its disk unmounted")
    (folder / "elsewhere").rename(folder / "data")
    expect_recovery(server)


def test_a_read_only_disk(server, disk):
    hidden, folder = disk
    server.add("a", "true")
    assert server.ended("a", server.run("a"))["state"] == "done"
    # A file system cannot be made read-only while files are open for writing; a bind mount of it
    # can.
    mount("--bind", "-o", "ro", hidden, folder)
    expect_refusal(server, "is read-only")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    expect_recovery(server)


def test_a_commit_that_finds_the_disk_gone_is_not_lost(server, disk):
    """Its client waits, and is answered when the disk is back."""
    hidden, folder = disk
    server.add("a", "true")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    request = subprocess.Popen(
        ["curl", "-s", "-m", "60", "-X", "POST", "-o", "/dev/null", "-w", "%{http_code}"]
        + [f"{server.metronome}/v1/jobs/a/runs"],
        stdout=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: store(server)["trouble"])
    mount("--bind", hidden, folder)
    assert request.communicate(timeout=60)[0] in ("201", "507"), "made, or refused at the look before"
    eventually(lambda: store(server)["trouble"] is None)


def test_deletion_of_the_store_ends_the_server(server):
    server.add("a", "true")
    shutil.rmtree(server.data, ignore_errors=True)  # its runner may add to it meanwhile
    assert server.process.wait(20) == 70
    assert any("was deleted while the server had it open" in line for line in server.log)
