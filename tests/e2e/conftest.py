import os
import signal
import subprocess

import pytest

from docket_server import Server

# A test run in the background may have it ignored, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def small_disk(tmp_path):
    """small_disk(size) mounts a file system of that size, and gives its folder."""
    mounted = []

    def mount(size):
        if os.geteuid() != 0:
            pytest.skip("only root may mount the small file system that gets full")
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={size}", "docket-test"]
        subprocess.run(["mount", *options, str(folder)], check=True)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path / "data").start()
    yield running
    running.stop_everything()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for the tests of a file that do not stop it; each uses job ids of its own."""
    running = Server(tmp_path_factory.mktemp("shared") / "data", "--enable-test-api").start()
    yield running
    running.stop_everything()
