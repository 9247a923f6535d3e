"""The data directory: who may write, read and traverse it, and what an empty one means."""

import os
import re
import stat
import subprocess

import pytest

from docket_server import PROGRAM, Server

ROOT = os.geteuid() == 0


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def no_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path / "data")
    yield running
    running.stop_everything()


def refused(data, *flags):
    """The exit code and last output of a server that does not start."""
    served = subprocess.run(
        [PROGRAM, "serve", f"--data={data}", "--listen=127.0.0.1:0", "--port=all=off", *flags],
        capture_output=True,
        text=True,
        timeout=20,
    )
    return served.returncode, served.stderr


def open_to_others(folder):
    """Files below the folder that others may read or write, and directories that they may list."""
    found = []
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(parent, name)
            if not os.path.islink(path) and mode(path) & 0o066:
                found.append(f"{path} {mode(path):04o}")
    return found


def test_under_a_umask_of_zero_nobody_else_reads_or_writes(no_umask, server):
    server.start()
    assert mode(server.data) == 0o711
    assert mode(f"{server.data}/runner") == 0o711
    assert server.native("PUT", "/secrets/s", {"value": "v"})[0] == 204
    server.add("a", "true")
    assert server.ended("a", server.run("a"))["state"] == "done"
    assert server.native("POST", "/maintenance/backup?wait=true", {"file": "b.db"})[0] in (200, 201)
    work = re.compile(r"/runner/attempts/\d+/")
    assert [file for file in open_to_others(server.data) if not work.search(file)] == []
    copied = subprocess.run([PROGRAM, "backup", f"--data={server.data}", f"{server.data}/copy.db"])
    assert copied.returncode == 0 and mode(f"{server.data}/copy.db") == 0o600


def test_files_that_others_can_read_are_closed_at_the_start(server):
    server.start()
    server.stop()
    key = f"{server.data}/secret.key"
    os.chmod(server.data, 0o755)
    os.chmod(f"{server.data}/docket.db", 0o644)
    os.chmod(key, 0o644)
    server.start()
    assert mode(server.data) == 0o711
    assert mode(f"{server.data}/docket.db") == 0o600
    assert mode(key) == 0o600


@pytest.mark.parametrize("below", ["", "runner"])
def test_a_directory_that_others_may_write_to_is_refused(tmp_path, below):
    data = tmp_path / "data"
    (data / "runner").mkdir(parents=True)
    os.chmod(data, 0o711)
    os.chmod(data / "runner", 0o711)
    os.chmod(data / below, 0o777)
    code, said = refused(data)
    assert code == 1
    assert "has mode 0777: others may write into it" in said
    assert not (data / "docket.db").exists()


@pytest.mark.skipif(not ROOT, reason="only root may give a directory away")
def test_a_directory_of_another_user_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, 65534, 65534)
    code, said = refused(data)
    assert code == 1 and "belongs to user 65534" in said


@pytest.mark.skipif(not ROOT, reason="only root may run jobs of other users")
def test_a_job_of_another_user_cannot_read_dockets_files(tmp_path, server):
    os.chmod(tmp_path.parent.parent, 0o755)  # pytest's own directories, which are closed
    os.chmod(tmp_path.parent, 0o755)
    os.chmod(tmp_path, 0o755)
    server.start()
    assert server.native("PUT", "/secrets/s", {"value": "v"})[0] == 204
    files = " ".join(f"{server.data}/{name}" for name in ("secret.key", "docket.db", "docket.db-wal"))
    server.add(
        "spy",
        f"for f in {files}; do cat $f > /dev/null && echo read $f; done; ls {server.data} && echo listed;"
        " echo done",
        user="nobody",
    )
    name = server.run("spy")
    assert server.ended("spy", name)["state"] == "done"
    assert server.output("spy", name) == "done\n"


# ---- a store that must exist


def test_an_empty_directory_is_an_error_if_a_store_must_exist(tmp_path):
    data = tmp_path / "data"
    code, said = refused(data, "--require-store=true")
    assert code == 1
    assert "is its disk not mounted?" in said
    assert not data.exists(), "nothing is made"


def test_an_empty_directory_is_an_error_from_the_second_start_on(tmp_path, server):
    mark = tmp_path / "seen"
    server.flags.append(f"--require-store={mark}")
    server.start()
    server.add("a", "true")
    server.stop()
    assert mark.exists()
    os.rename(server.data, f"{server.data}.away")
    os.mkdir(server.data)
    code, said = refused(server.data, f"--require-store={mark}")
    assert code == 1
    assert str(mark) in said
    os.rmdir(server.data)
    os.rename(f"{server.data}.away", server.data)
    server.start()
    assert server.call("GET", "/v1/jobs/a")[0] == 200
