"""Programs that own tasks of a real server: `docket task run`, and reporters that come and go."""

import os
import signal
import subprocess

from docket_server import PROGRAM, Command, alive, eventually

LOST = "Lost: its reporter was not heard from for 1 s"


def wrap(server, *flags, command):
    """A command under `docket task run` that runs until it is told to stop."""
    return Command(server, "task", "run", "--module", "backups", *flags, "--", *command, stdin=subprocess.PIPE)


def task(server, number=1):
    return server.native("GET", f"/tasks/{number}")[1]


def test_a_command_is_a_task(server):
    done = subprocess.run(
        [PROGRAM, "--url", server.hub, "task", "run", "--module", "backups", "--type", "dump"]
        + ["--entity", "db1", "--keyspace", "k", "--table", "t", "--units", "rows"]
        + ["--label", "team=data", "--label", "a=b=c", "--", "sh", "-c"]
        + ["cat; echo $DOCKET_TASK >&2; exit 3"],
        input="hello",
        capture_output=True,
        text=True,
        timeout=30,
    )
    ended = task(server)
    assert (done.returncode, done.stdout, done.stderr) == (3, "hello", ended["uuid"] + "\n")
    assert (ended["state"], ended["message"]) == ("failed", "exit code 3")
    what = ended["operation"]
    assert what["labels"] == {"team": "data", "a": "b=c"} and what["user"] and what["abortable"]
    assert [what[n] for n in ("type", "entity", "keyspace", "table")] == ["dump", "db1", "k", "t"]
    assert ended["progress"] == {"completed": 0, "total": 1, "units": "rows"}


def test_exit_codes(server):
    run = ("task", "run", "--module", "m")
    assert server.cli(*run, "--", "true").returncode == 0
    assert server.cli(*run, "--", "sh", "-c", "kill -TERM $$").returncode == 143
    assert task(server, 2)["message"] == "killed by signal 15 (SIGTERM)"
    missing = server.cli(*run, "--", "/no/such/program")
    assert missing.returncode == 127
    assert missing.stderr == "Error: cannot run /no/such/program: No such file or directory\n"
    assert task(server, 3)["state"] == "failed"
    assert server.cli(*run, "--", "/").returncode == 126
    assert server.cli(*run).returncode == 2
    assert server.cli("task", "run", "--", "true").returncode == 2
    assert server.cli(*run, "--progress", "(", "--", "true").returncode == 2
    refused = server.cli(*run, "--parent", "99", "--", "touch", os.path.join(server.data, "ran"))
    assert refused.returncode == 1 and "/parent: is not a live task" in refused.stderr
    assert not os.path.exists(os.path.join(server.data, "ran"))


def test_nested_commands_are_children(server):
    inner = f"{PROGRAM} --url {server.hub} task run -- true"
    done = server.cli("task", "run", "--module", "m", "--", "sh", "-c", inner)
    assert done.returncode == 0, done.stderr
    child = task(server, 2)
    assert (child["parent"], child["operation"]["module"], child["state"]) == ("1", "m", "done")
    orphan = subprocess.run(
        [PROGRAM, "--url", server.hub, "task", "run", "--module", "m", "--", "true"],
        env={**os.environ, "DOCKET_TASK": task(server)["uuid"]},  # it has ended
        timeout=30,
    )
    assert orphan.returncode == 0 and task(server, 3)["parent"] is None


def test_lines_of_output_are_progress(server):
    flags = ("--progress", r"(?<completed>\d+) of (?<total>\d+)")
    command = "echo 3 of 8; read go; printf '5 of 8\\r6 of 8\\r' >&2; read go"
    with wrap(server, *flags, command=["sh", "-c", command]) as wrapped:
        assert wrapped.process.stdout.readline() == "3 of 8\n"
        eventually(lambda: task(server)["progress"] == {"completed": 3, "total": 8, "units": None})
        wrapped.process.stdin.write("go\n")
        wrapped.process.stdin.flush()
        eventually(lambda: task(server)["progress"]["completed"] == 6)
        assert wrapped.rest("go\n") == (0, "", "5 of 8\n6 of 8\n")
    assert task(server)["state"] == "done"


def test_an_abort_ends_the_command_and_all_it_started(server):
    command = "sleep 600 & echo $!; wait"
    with wrap(server, "--lease", "1", command=["sh", "-c", command]) as wrapped:
        below = int(wrapped.process.stdout.readline())
        assert server.native("POST", "/tasks/1/abort") == (
            200,
            {"state": "running", "stopping": True},
        )
        code, _, err = wrapped.rest()
    assert (code, err) == (143, "")
    # It ended as asked: there is nothing else to report.
    assert (task(server)["state"], task(server)["message"]) == ("aborted", None)
    shown = server.call("GET", f"/task_manager/task_status/{task(server)['uuid']}", base=server.hub)
    assert shown[1]["error"] == "seastar::abort_requested_exception (abort requested)"
    eventually(lambda: not alive(below))


def test_a_reporters_cluster_task_in_the_task_manager(server):
    def ask(method, path):
        status, body = server.call(method, "/task_manager" + path, base=server.hub)
        assert status == 200, body
        return body

    task = {"module": "topology", "type": "move", "cluster": True, "abortable": True, "user": True}
    status, root = server.native("POST", "/tasks", task)
    assert status == 201, root
    uuid = root["uuid"]
    child = server.native("POST", "/tasks", {"parent": uuid, "lane": 3})[1]
    (row,) = ask("GET", "/list_module_tasks/topology")
    assert [row[n] for n in ("task_id", "kind", "sequence_number", "shard")] == [uuid, "cluster", 0, 0]
    tree = ask("GET", f"/task_status_recursive/{uuid}")
    assert [(t["id"], t["kind"]) for t in tree] == [(uuid, "cluster"), (child["uuid"], "node")]
    ask("POST", f"/abort_task/{uuid}")
    for each in (child, root):
        assert server.native("POST", f"/tasks/{each['id']}/finish")[0] == 200
    waited = ask("GET", f"/wait_task/{uuid}")
    assert waited["error"] == "seastar::abort_requested_exception (abort requested)"
    for _ in range(2):  # reading does not unregister it
        assert ask("GET", f"/task_status/{uuid}")["kind"] == "cluster"
    ask("POST", "/drain/topology")
    assert ask("GET", "/list_module_tasks/topology") == []


def test_a_failed_task_is_still_shown_by_the_task_manager(server):
    assert server.cli("task", "run", "--module", "m", "--", "false").returncode == 1
    rows = server.cli("tasks", "list", "m").stdout.splitlines()
    assert len(rows) == 2 and " failed " in rows[1], "whoever runs a command wants to see how it ended"
    quiet = ("task", "run", "--module", "m", "--no-user", "--", "false")
    assert server.cli(*quiet).returncode == 1
    assert len(server.cli("tasks", "list", "m").stdout.splitlines()) == 2


def test_a_command_that_ignores_signals_is_killed(server):
    command = "trap '' TERM; echo $$; while :; do read x; done"
    flags = ("--lease", "1", "--grace", "1")
    with wrap(server, *flags, command=["bash", "-c", command + " < <(sleep 600)"]) as wrapped:
        wrapped.process.stdout.readline()
        server.native("POST", "/tasks/1/abort")
        assert wrapped.rest()[0] == 137
    assert task(server)["state"] == "aborted"


def test_signals_go_to_the_command(server):
    command = "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done"
    with wrap(server, command=["sh", "-c", command]) as wrapped:
        assert wrapped.process.stdout.readline() == "ready\n"
        wrapped.process.send_signal(signal.SIGINT)
        assert wrapped.rest() == (5, "caught\n", "")
    assert task(server)["message"] == "exit code 5"


def test_a_command_continues_while_the_server_is_away(server):
    flags = ("--lease", "2", "--progress", r"at (\d+)%")
    with wrap(server, *flags, command=["sh", "-c", "while read l; do echo at $l%; done"]) as w:

        def say(number):
            w.process.stdin.write(f"{number}\n")
            w.process.stdin.flush()
            assert w.process.stdout.readline() == f"at {number}%\n"

        say(10)
        eventually(lambda: task(server)["progress"]["completed"] == 10)
        server.kill()
        for number in range(11, 30):
            say(number)  # nothing delays it
        server.start()
        eventually(lambda: task(server)["progress"]["completed"] == 29)
        renewed = set()  # longer than the lease: it is renewed

        def outlived():
            renewed.add(task(server)["state"])
            status, page = server.native("GET", "/status")
            return status == 200 and len(renewed) == 1 and w.process.poll() is None

        eventually(outlived)
        assert w.rest() == (0, "", "")
    ended = task(server)
    assert (ended["state"], ended["message"]) == ("done", None)


def test_an_end_without_a_server_is_reported_later_or_on_stderr(server):
    with wrap(server, command=["sh", "-c", "echo $DOCKET_TASK; read go; exit 4"]) as wrapped:
        wrapped.process.stdout.readline()
        server.kill()
        wrapped.process.stdin.write("go\n")
        wrapped.process.stdin.flush()
        server.start()
        assert wrapped.rest() == (4, "", "")
    assert (task(server)["state"], task(server)["message"]) == ("failed", "exit code 4")
    flags = ("--finish-timeout", "0")
    with wrap(server, *flags, command=["sh", "-c", "echo $DOCKET_TASK; read go"]) as wrapped:
        uuid = wrapped.process.stdout.readline().strip()
        server.kill()
        code, _, err = wrapped.rest("go\n")
    assert code == 0 and err.startswith(f"docket: task {uuid} could not be reported: cannot reach ")


def test_a_command_runs_without_a_server(server):
    server.kill()
    with wrap(server, command=["sh", "-c", "echo began; read go"]) as wrapped:
        assert wrapped.process.stdout.readline() == "began\n"
        server.start()
        eventually(lambda: server.native("GET", "/tasks/1")[0] == 200)
        assert wrapped.rest("go\n") == (0, "", "")
    assert task(server)["state"] == "done"


def test_a_reporter_that_disappears_is_lost_after_its_lease(server):
    with wrap(server, "--lease", "1", command=["sh", "-c", "echo began; read go"]) as wrapped:
        wrapped.process.stdout.readline()
        eventually(lambda: task(server)["state"] == "running")
        wrapped.process.kill()
        ended = eventually(lambda: task(server)["state"] == "failed" and task(server))
        assert ended["message"] == LOST
    status, answer = server.native("POST", "/tasks/1/progress", {"completed": 1})
    assert (status, answer["detail"]) == (409, f"task '1' has ended: it is failed ({LOST})")


def test_leases_restart_after_a_crash(server):
    status, made = server.native("POST", "/tasks", {"module": "m", "leaseSeconds": 3})
    assert status == 201
    server.kill()
    server.start()
    assert server.native("POST", "/tasks/1/lease")[1] == {"state": "running", "stopping": False}
    ended = server.native("GET", "/tasks/1?wait=9s")[1]  # it is not renewed from here on
    assert ended["state"] == "failed" and ended["message"].startswith("Lost: ")
