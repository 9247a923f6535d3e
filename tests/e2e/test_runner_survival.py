"""kill -9 of the runner, alone and with the server: it comes back, what runs goes on, and nothing is
stuck. An attempt that ends while no runner is its parent may be lost with its exit code (decision
0003); its run then gets another attempt."""

import os
import signal

from docket_server import alive, eventually


def kill_runner(server):
    """kill -9 of the runner; its pid."""
    pid = eventually(server.runner_pid)  # the last one may have been killed a moment ago
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))
    return pid


def new_runner(server, old):
    return eventually(lambda: server.runner_pid() not in (None, old) and server.runner_pid())


def patient(folder):
    """A command that notes that it started, and its pid, and ends well when told to."""
    return f"echo $$ >> {folder}/started; until [ -e {folder}/go ]; do sleep 0.02; done"


def started(folder):
    path = folder / "started"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def ended_well_once_known(run, folder):
    """Done: at the first attempt, or after a lost one where the kernel does not tell how processes
    end that the new runner is not the parent of."""
    assert run["state"] == "done", run
    *lost, last = run["attempts"]
    assert last["state"] == "done" and len(lost) <= 1
    assert len(started(folder)) == len(run["attempts"])
    for attempt in lost:
        assert (
            attempt["state"] == "failed" and attempt["exitCode"] is None and attempt["message"]
        ), attempt


def test_the_server_starts_another_runner_and_work_goes_on(server, tmp_path):
    server.add("patient", patient(tmp_path))
    name = server.run("patient")
    [pid] = eventually(lambda: started(tmp_path))
    new_runner(server, kill_runner(server))
    assert alive(pid), "a job does not die with the runner"
    server.add("next", "exit 0")
    assert server.ended("next", server.run("next"))["state"] == "done"
    assert started(tmp_path) == [pid], "what still runs is not started again"
    (tmp_path / "go").touch()
    ended_well_once_known(server.ended("patient", name), tmp_path)


def test_an_attempt_that_ends_while_there_is_no_runner_is_launched_again(server, tmp_path):
    server.add(
        "unseen", patient(tmp_path)
    )  # restart policy NEVER: losing an attempt is not the job's failure
    name = server.run("unseen")
    [pid] = eventually(lambda: started(tmp_path))
    server.process.send_signal(signal.SIGSTOP)
    old = kill_runner(server)
    (tmp_path / "go").touch()
    eventually(lambda: not alive(pid))
    server.process.send_signal(signal.SIGCONT)
    new_runner(server, old)
    run = server.ended("unseen", name)
    assert run["state"] == "done" and [attempt["state"] for attempt in run["attempts"]] == [
        "failed",
        "done",
    ], run
    assert run["attempts"][0]["exitCode"] is None and run["attempts"][0]["message"]
    assert len(started(tmp_path)) == 2


def test_both_die(server, tmp_path):
    server.add("patient", patient(tmp_path))
    name = server.run("patient")
    [pid] = eventually(lambda: started(tmp_path))
    server.kill()
    old = kill_runner(server)
    assert alive(pid)
    server.start()
    new_runner(server, old)
    assert started(tmp_path) == [pid]
    (tmp_path / "go").touch()
    ended_well_once_known(server.ended("patient", name), tmp_path)


def test_both_die_and_the_job_too(server, tmp_path):
    server.add("unlucky", patient(tmp_path))
    name = server.run("unlucky")
    [pid] = eventually(lambda: started(tmp_path))
    server.kill()
    kill_runner(server)
    os.killpg(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid))
    (tmp_path / "go").touch()
    server.start()
    run = server.ended("unlucky", name)
    assert (
        run["state"] == "done" and len(run["attempts"]) == 2
    ), "an active run whose task is gone is launched again"


def test_what_a_dead_runner_started_can_be_stopped(server, tmp_path):
    server.add(
        "stoppable",
        f"setsid sh -c 'echo $(sh -c \"echo \\$PPID\") > {tmp_path}/child; exec sleep 1000' & "
        + patient(tmp_path),
        taskKillGracePeriodSeconds=1,
    )
    name = server.run("stoppable")
    [pid] = eventually(lambda: started(tmp_path))
    child = int(
        eventually(
            lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip()
        )
    )
    new_runner(server, kill_runner(server))
    assert server.call("POST", f"/v1/jobs/stoppable/runs/{name}/actions/stop")[0] == 200
    eventually(lambda: not alive(pid) and not alive(child))
    run = eventually(
        lambda: (run := server.run_of("stoppable", name))["state"] == "aborted"
        and not run["stopping"]
        and run
    )
    assert len(run["attempts"]) == 1, "a stopped run is not launched again"


def test_nothing_is_stuck_when_the_runner_dies_again_and_again(server, tmp_path):
    server.add("short", f"echo $DOCKET_RUN_ID >> {tmp_path}/executed")
    names = []
    for _ in range(5):
        names += [server.run("short") for _ in range(20)]
        kill_runner(server)
    names += [server.run("short") for _ in range(20)]
    eventually(
        lambda: server.native("GET", "/status")[1]["runs"] == {"queued": 0, "running": 0},
        timeout_s=60,
    )
    stored = list(server.pages("/runs?job=short&limit=500"))
    assert not [(run["name"], run["message"]) for run in stored if run["state"] != "done"]
    assert {run["name"] for run in stored} == set(names)
    assert set((tmp_path / "executed").read_text().split()) == set(names)
