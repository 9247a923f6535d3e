"""`docket tasks` at a real server: the commands of `nodetool tasks`, and the live tree in a real terminal."""

import os
import re
import shutil
import subprocess
import threading

import pytest

from docket_server import PROGRAM, eventually

LIST = (
    "task_id type kind scope state sequence_number keyspace table entity shard start_time end_time"
)


def make(server, **members):
    status, task = server.native("POST", "/tasks", {"module": "backups", "user": True, **members})
    assert status == 201, task
    return task


def finish(server, task, **body):
    assert server.native("POST", f"/tasks/{task['id']}/finish", body)[0] == 200


def test_a_new_task_is_listed_shown_and_waited_for(server):
    task = make(server, type="dump", keyspace="k", table="t", entity="db1", units="bytes")
    assert "backups" in server.cli("tasks", "modules").stdout.split()
    header, row = server.cli("tasks", "list", "backups", "-ks", "k", "-t", "t").stdout.splitlines()
    assert header.split() == LIST.split()
    assert row.split()[:3] == [task["uuid"], "dump", "node"]
    assert server.cli("tasks", "list", "backups", "--keyspace", "x").stdout.count("\n") == 1
    host, port = server.scylla.removeprefix("http://").split(":")
    nowhere = "http://127.0.0.1:1"  # the command line names the node
    status = server.cli("-h", host, "-p", port, "tasks", "status", task["uuid"], url=nowhere)
    assert status.stdout.startswith(f"id: {task['uuid']}\ntype: dump\nkind: node\n")
    assert "\nprogress_units: bytes\n" in status.stdout and "children_ids" not in status.stdout
    late = server.cli("tasks", "wait", task["uuid"], "--timeout", "0")
    assert (late.returncode, late.stdout) == (0, "Operation timed out\n")
    assert server.cli("tasks", "wait", "-q", task["uuid"], "--timeout", "0").returncode == 124
    denied = server.cli("tasks", "abort", task["uuid"])
    assert denied.stdout == f"Task with id {task['uuid']} is not abortable\n"
    with subprocess.Popen(
        [PROGRAM, "--url", server.hub, "tasks", "wait", "--quiet", task["uuid"]]
    ) as waiter:
        timer = threading.Timer(20, waiter.kill)
        timer.start()
        finish(server, task, error="disk full")
        assert waiter.wait() == 123
        timer.cancel()
    ended = server.cli("tasks", "wait", task["uuid"]).stdout
    assert "\nstate: failed\n" in ended and "\nerror: disk full\n" in ended


@pytest.mark.parametrize("orderly", [True, False])
def test_a_wait_outlives_a_restart_of_the_server(server, orderly):
    task = make(server, type="dump")
    waiter = subprocess.Popen(
        [PROGRAM, "--url", server.hub, "tasks", "wait", task["uuid"]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(60, waiter.kill)
    timer.start()
    eventually(lambda: server.native("GET", "/status")[1]["waiters"] == 1)
    server.stop() if orderly else server.kill()
    assert waiter.stderr.readline().endswith("; trying again\n")
    server.start()
    finish(server, task)
    out, err = waiter.communicate()
    timer.cancel()
    assert (waiter.returncode, err) == (0, "") and "\nstate: done\n" in out


def test_a_tree_and_all_trees(server):
    root = make(server, type="root")
    child = make(server, type="leaf", parent=root["uuid"])
    lines = server.cli("tasks", "tree", root["uuid"]).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["id", root["uuid"], child["uuid"]]
    assert f"[{{task_id: {child['uuid']}, node: 127.0.0.1 }}]" in lines[1]
    assert lines[2].rstrip().endswith("[]")
    assert server.cli("tasks", "tree").stdout.splitlines()[1].split()[0] == root["uuid"]
    finish(server, child)
    finish(server, root)
    assert server.cli("tasks", "drain", "--module", "backups").returncode == 0
    assert len(server.cli("tasks", "tree").stdout.splitlines()) == 1


def test_times_to_live_and_mistakes(server):
    assert server.cli("tasks", "ttl").stdout == "Current ttl: 0\n"
    assert server.cli("tasks", "user-ttl", "--set", "7").stdout == ""
    assert server.cli("tasks", "user-ttl").stdout == "Current user ttl: 7\n"
    unknown = server.cli("tasks", "list", "nope")
    assert unknown.returncode == 4
    assert unknown.stderr == (
        f"error executing GET request to {server.hub}/task_manager/list_module_tasks/nope with "
        "parameters {}: remote replied with status code 400:\n"
        "std::runtime_error (module nope not found)\n"
    )
    assert server.cli("tasks", "status").returncode == 1
    assert server.cli("tasks").returncode == 1
    assert server.cli("tasks", "ttl", url="http://127.0.0.1:9").returncode == 2
    same = server.cli("tasks", "user-ttl", url=server.scylla)  # its own port works as well
    assert same.stdout == "Current user ttl: 7\n"


def test_watch_prints_changes_without_a_terminal(server):
    task = make(server, type="dump")
    watcher = subprocess.Popen(
        [PROGRAM, "--url", server.hub, "tasks", "watch", task["id"], "--interval", "0.05"],
        stdout=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(30, watcher.kill)
    timer.start()
    assert re.match(r"1 dump +running +\[-+\] +0% 0/1\n", watcher.stdout.readline())
    server.native("POST", "/tasks/1/progress", {"completed": 1, "total": 2})
    assert re.match(r"1 dump +running +\[#+-+\] +50% 1/2\n", watcher.stdout.readline())
    finish(server, task)
    out, _ = watcher.communicate()
    assert re.fullmatch(r"1 dump +done +\[#+-+\] +50% 1/2\n", out)
    assert watcher.returncode == 0
    timer.cancel()


class Terminal:
    """A terminal of 80 by 24 in tmux, on a socket of its own."""

    def __init__(self, directory, columns=80, rows=24):
        self.socket = str(directory / "tmux")
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "bash", "--norc")
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def tmux(self, *arguments):
        environment = {k: v for k, v in os.environ.items() if k != "TMUX"}
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-u", "-S", self.socket, *arguments],
            env={**environment, "PS1": "$ ", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type(self, text):
        self.tmux("send-keys", text, "Enter")

    def lines(self, *flags):
        return self.tmux("capture-pane", "-p", *flags).rstrip("\n").split("\n")

    def close(self):
        self.tmux("kill-server")


@pytest.fixture
def terminal(tmp_path):
    if not shutil.which("tmux"):
        pytest.skip("no tmux on this machine")
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def test_watch_in_a_terminal(server, terminal):
    root = make(server, type="backup", entity="a-name-that-is-too-long.example.com", units="bytes")
    for number in range(40):
        make(server, type="table", keyspace="ks", table=f"表{number}", parent=root["id"])
    terminal.type(f"clear; {PROGRAM} --url {server.hub} tasks watch 1 --interval 0.05; echo code $?")
    eventually(lambda: "live" in terminal.lines()[-1])
    screen = terminal.lines()
    assert len(screen) == 23 and screen[0].startswith("1 backup a-name-that-is")
    assert screen[-1] == "41 live, 0 ended, 0 failed; 19 more"
    assert all(re.search(r"(running) +\[[#-]{16}\] +\d+% ", line) for line in screen[:-1])
    assert len({line.index("running") + line.count("表") for line in screen[:-1]}) == 1
    assert any("\x1b[" in line for line in terminal.lines("-e"))  # colours
    for number in range(2, 40):
        status, _ = server.native("POST", f"/tasks/{number}/finish")
        assert status == 200
    shown = eventually(
        lambda: terminal.lines()[3:4] == ["3 live, 38 ended, 0 failed"] and terminal.lines()
    )
    assert len(shown) == 4, "lines of the last frame are left"
    terminal.tmux("resize-window", "-x", "50", "-y", "12")
    eventually(lambda: terminal.lines()[0].endswith("%"))
    assert all(len(line) < 50 for line in terminal.lines())
    for number in (40, 41, 1):
        server.native("POST", f"/tasks/{number}/finish")
    eventually(lambda: "code 0" in terminal.lines())
    assert " done " in terminal.lines()[0]


def test_an_interrupt_leaves_the_terminal_as_it_was(server, terminal):
    make(server, type="backup")
    terminal.type(f"clear; {PROGRAM} --url {server.hub} tasks watch --interval 0.05")
    eventually(lambda: "1 live, 0 ended, 0 failed" in terminal.lines())
    terminal.tmux("send-keys", "C-c")
    terminal.type("echo code $?")
    eventually(lambda: "code 130" in terminal.lines())
    assert not any("\x1b" in line for line in terminal.lines("-e")[-1:])
