"""kill -9 of the runner, alone and with the server: it comes back, running work continues, nothing is stuck,
and outcomes are known, since each command has its own reaper (decision 0014). If the reaper dies too,
the attempt is lost: it has failed then, and only its job's restart policy starts it again."""

import os
import pathlib
import shutil
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
    """A command that records its start and its pid, and ends successfully when told to."""
    return f"echo $$ >> {folder}/started; until [ -e {folder}/go ]; do sleep 0.02; done"


def started(folder):
    path = folder / "started"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def is_lost(task):
    return task["state"] == "failed" and task["message"].startswith("The outcome is not known")


def reaper_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        parent = int(file.read().rsplit(")", 1)[1].split()[1])
    with open(f"/proc/{parent}/comm") as file:
        assert file.read() == "job-reaper\n"
    return parent


def ended_once(run, folder):
    assert [attempt["state"] for attempt in run["attempts"]] == ["done"], run
    assert run["state"] == "done" and len(started(folder)) == 1, run


def test_the_server_starts_another_runner_and_work_continues(server, tmp_path):
    server.add("patient", patient(tmp_path))
    name = server.run("patient")
    [pid] = eventually(lambda: started(tmp_path))
    new_runner(server, kill_runner(server))
    assert alive(pid), "a job does not die with the runner"
    server.add("next", "exit 0")
    assert server.ended("next", server.run("next"))["state"] == "done"
    assert started(tmp_path) == [pid], "what still runs is not started again"
    (tmp_path / "go").touch()
    ended_once(server.ended("patient", name), tmp_path)


def ends_while_there_is_no_runner(server, folder, with_its_reaper, **run):
    server.add("unseen", patient(folder), **run)
    name = server.run("unseen")
    [pid] = eventually(lambda: started(folder))
    reaper = reaper_of(pid)
    server.process.send_signal(signal.SIGSTOP)
    old = kill_runner(server)
    if with_its_reaper:
        os.kill(reaper, signal.SIGKILL)
    (folder / "go").touch()
    eventually(lambda: not alive(pid) and not alive(reaper))
    server.process.send_signal(signal.SIGCONT)
    new_runner(server, old)
    return server.ended("unseen", name)


def test_a_store_from_a_backup_is_served_by_the_runner_of_later_servers(server, tmp_path):
    """Each start is an epoch, and the runner obeys no earlier one; but a restored store is not an earlier server."""
    server.stop()
    shutil.copy(f"{server.data}/docket.db", tmp_path / "backup.db")
    server.start()
    server.add("patient", patient(tmp_path))
    server.run("patient")
    eventually(lambda: started(tmp_path))
    for _ in range(3):
        server.stop()
        server.start()
    server.stop()
    for file in pathlib.Path(server.data).glob("docket.db*"):
        file.unlink()
    shutil.copy(tmp_path / "backup.db", f"{server.data}/docket.db")
    server.start()
    server.add("next", "exit 0")
    assert server.ended("next", server.run("next"))["state"] == "done"
    (tmp_path / "go").touch()


def test_an_end_while_there_is_no_runner_is_known(server, tmp_path):
    run = ends_while_there_is_no_runner(server, tmp_path, with_its_reaper=False)
    ended_once(run, tmp_path)
    assert run["attempts"][0]["exitCode"] == 0


def test_an_attempt_with_unknown_outcome_is_lost_and_not_restarted(server, tmp_path):
    run = ends_while_there_is_no_runner(server, tmp_path, with_its_reaper=True)
    assert is_lost(run) and [is_lost(attempt) for attempt in run["attempts"]] == [True], run
    assert run["attempts"][0]["exitCode"] is None
    assert len(started(tmp_path)) == 1


def test_a_restart_policy_restarts_a_lost_attempt(server, tmp_path):
    run = ends_while_there_is_no_runner(
        server, tmp_path, with_its_reaper=True, restart={"policy": "ON_FAILURE"}
    )
    assert [attempt["state"] for attempt in run["attempts"]] == ["failed", "done"], run
    assert is_lost(run["attempts"][0]) and len(started(tmp_path)) == 2


def test_a_job_that_kills_its_parent_does_no_harm(server, tmp_path):
    server.add("bystander", patient(tmp_path))
    bystander = server.run("bystander")
    [pid] = eventually(lambda: started(tmp_path))
    runner = server.runner_pid()
    server.add("killer", "kill -9 $PPID; exit 3")
    run = server.ended("killer", server.run("killer"))
    assert [attempt["exitCode"] for attempt in run["attempts"]] == [3], run
    assert server.runner_pid() == runner and started(tmp_path) == [pid]
    (tmp_path / "go").touch()
    ended_once(server.ended("bystander", bystander), tmp_path)


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
    ended_once(server.ended("patient", name), tmp_path)


def test_both_die_and_the_job_too(server, tmp_path):
    server.add("unlucky", patient(tmp_path))
    name = server.run("unlucky")
    [pid] = eventually(lambda: started(tmp_path))
    reaper = reaper_of(pid)
    server.kill()
    kill_runner(server)
    os.killpg(pid, signal.SIGKILL)
    eventually(lambda: not alive(pid) and not alive(reaper))
    (tmp_path / "go").touch()
    server.start()
    run = server.ended("unlucky", name)
    assert run["state"] == "failed" and len(run["attempts"]) == 1, run
    assert run["attempts"][0]["signal"] == signal.SIGKILL, run


def test_commands_started_by_a_dead_runner_can_be_stopped(server, tmp_path):
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


def test_nothing_is_stuck_when_the_runner_dies_repeatedly(server, tmp_path):
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
    unhappy = [run for run in stored if run["state"] != "done"]
    assert all(is_lost(run) for run in unhappy), unhappy
    assert {run["name"] for run in stored} == set(names)
    executed = (tmp_path / "executed").read_text().split()
    assert len(executed) == len(set(executed)), "none of them is executed twice"
    assert {run["name"] for run in stored if run["state"] == "done"} <= set(executed)
