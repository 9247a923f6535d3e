"""A machine whose clock is set wrong and then right again: nothing is removed and nothing ends because of it.
The clock is that of the server's process: a preloaded library adds an offset read from a file."""

import struct
import subprocess

import pytest

from docket_server import Server, eventually

CENTURY = 95 * 365 * 86400

LIBRARY = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static const volatile int64_t* ahead;
__attribute__((constructor)) static void find(void) {
  const int file = open(getenv("CLOCK_AHEAD"), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void* at = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (at != MAP_FAILED) ahead = at;
}
int clock_gettime(clockid_t which, struct timespec* now) {
  const long result = syscall(SYS_clock_gettime, which, now);
  if (which == CLOCK_REALTIME && ahead) now->tv_sec += *ahead;
  return (int)result;
}
"""


class Machine:
    """A clock that can be set, and one server."""

    def __init__(self, folder, monkeypatch):
        source, library = folder / "clock.c", folder / "clock.so"
        source.write_text(LIBRARY)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        self.file = folder / "ahead"
        self.file.write_bytes(bytes(8))
        monkeypatch.setenv("CLOCK_AHEAD", str(self.file))
        monkeypatch.setenv("LD_PRELOAD", str(library))
        self.server = Server(folder / "data", "--retention-days=1").start()

    def set_ahead(self, seconds):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("q", seconds))

    def clock(self):
        return self.server.native("GET", "/status")[1]["clock"]

    def is_held(self):
        return self.clock()["held"]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    made = Machine(tmp_path, monkeypatch)
    yield made
    made.server.stop_everything()


def runs(server):
    """Names of the existing runs; tasks that are not runs have none."""
    return {run["name"] for run in server.pages("/runs?limit=500")} - {None}


def retain(server):
    status, task = server.native("POST", "/maintenance/retention?wait=true", {})
    assert (status, task["state"]) == (200, "done"), task


def test_a_century_ahead_for_a_while_changes_nothing(machine):
    server = machine.server
    server.add("quick", "exit 0")
    names = {server.run("quick") for _ in range(10)}
    for name in names:
        assert server.ended("quick", name)["state"] == "done"
    status, lease = server.native(
        "POST", "/tasks", {"module": "backups", "type": "dump", "leaseSeconds": 60}
    )
    assert status == 201, lease

    machine.set_ahead(CENTURY)
    eventually(machine.is_held)
    retain(server)  # not only when it is due
    server.kill()
    server.start()  # and with the clock still wrong
    assert machine.is_held()
    retain(server)
    assert server.native("GET", f"/tasks/{lease['id']}")[1]["state"] == "running"
    late = server.run("quick")
    assert server.ended("quick", late)["state"] == "done", "work goes on"

    machine.set_ahead(0)
    eventually(lambda: not machine.is_held())
    retain(server)
    assert runs(server) == names | {late}
    assert server.native("GET", f"/tasks/{lease['id']}")[1]["state"] == "running"
    warnings = [line for line in server.log if "docket clock accept" in line]
    assert len(warnings) == 2, "once by each server"


def test_an_operator_accepts_the_clock(machine):
    server = machine.server
    server.add("quick", "exit 0")
    server.ended("quick", server.run("quick"))
    machine.set_ahead(3 * 86400)
    eventually(machine.is_held)
    assert server.cli("clock", "show").stdout.startswith("held: true\n")
    accepted = server.cli("clock", "accept")
    assert accepted.returncode == 0 and accepted.stdout.startswith("held: false\n"), accepted
    retain(server)
    assert not runs(server), "it ended three days ago"
    server.kill()
    server.start()
    assert not machine.is_held(), "a restart remembers it"
