"""The examples of the published guide to DC/OS Jobs, as typed there, with `docket` for `dcos`: the
command line, and the API behind the cluster's front router."""

import json
import re
import subprocess

import pytest

from docket_server import eventually

SLEEP_JOB = {
    "id": "mysleepjob",
    "description": "A job that sleeps regularly",
    "run": {"cmd": "sleep 20000", "cpus": 0.01, "mem": 32, "disk": 0},
    "schedules": [
        {
            "id": "sleep-schedule",
            "enabled": True,
            "cron": "20 0 * * *",
            "concurrencyPolicy": "ALLOW",
        }
    ],
}
NIGHTLY = {
    "concurrencyPolicy": "ALLOW",
    "cron": "20 0 * * *",
    "enabled": True,
    "id": "nightly",
    "nextRunAt": "2016-07-26T00:20:00.000+0000",
    "startingDeadlineSeconds": 900,
    "timezone": "UTC",
}
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000"
RUN_ID = r"\d{14}[A-Za-z0-9]{5}"


@pytest.fixture
def files(tmp_path):
    """Writes the JSON files of the guide."""

    def write(name, content):
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write


def unscheduled(job_id, cmd="sleep 20000"):
    return {"id": job_id, "run": {**SLEEP_JOB["run"], "cmd": cmd}}


def succeeds(done, stdout=""):
    assert (done.returncode, done.stderr) == (0, "")
    if stdout is not None:
        assert done.stdout == stdout
    return done.stdout


def rows(text):
    return [line.split() for line in text.splitlines()]


# ---- the command line


def test_add_and_list(server, files):
    succeeds(server.cli("job", "add", files("mysleepjob.json", SLEEP_JOB)))
    succeeds(server.cli("job", "add", files("mypingjob.json", unscheduled("mypingjob"))))
    assert re.fullmatch(RUN_ID + "\n", succeeds(server.cli("job", "run", "mypingjob"), None))
    listed = succeeds(server.cli("job", "list"), None)
    assert rows(listed) == [
        ["ID", "STATUS", "LAST", "RUN"],
        ["mypingjob", "Running", "N/A"],
        ["mysleepjob", "Scheduled", "N/A"],
    ]
    assert "    ID       STATUS    LAST RUN  \n" in listed
    assert "mysleepjob  Scheduled  N/A       \n" in listed


def test_schedule_in_a_separate_file(server, files):
    succeeds(server.cli("job", "add", files("job.json", unscheduled("mytestjob"))))
    definition = files("my-cron-def.json", NIGHTLY)
    succeeds(server.cli("job", "schedule", "add", "mytestjob", definition))

    again = server.cli("job", "schedule", "add", "mytestjob", definition)
    assert again.returncode == 1
    assert (
        again.stderr
        == "Error: 409 - requirement failed: A schedule with id nightly already exists\n"
    )

    header, row = succeeds(server.cli("job", "schedule", "show", "mytestjob"), None).splitlines()
    assert header.split() == ["ID", "CRON", "ENABLED", "NEXT", "RUN", "CONCURRENCY", "POLICY"]
    assert re.fullmatch(
        r"nightly  20 0 \* \* \*  True     (\d{4}-\d\d-\d\dT00:20:00\.000\+0000)  ALLOW *", row
    )


def test_update_of_a_schedule_file(server, files):
    succeeds(server.cli("job", "add", files("job.json", unscheduled("mytestjob"))))
    succeeds(server.cli("job", "schedule", "add", "mytestjob", files("s.json", NIGHTLY)))
    succeeds(
        server.cli(
            "job",
            "schedule",
            "update",
            "mytestjob",
            files("s.json", {**NIGHTLY, "cron": "5 4 * * *"}),
        )
    )
    assert "nightly  5 4 * * *" in succeeds(
        server.cli("job", "schedule", "show", "mytestjob"), None
    )
    succeeds(server.cli("job", "schedule", "remove", "mytestjob", "nightly"))
    assert len(rows(succeeds(server.cli("job", "schedule", "show", "mytestjob"), None))) == 1


def test_update_of_a_job_with_its_schedule(server, files):
    succeeds(server.cli("job", "add", files("mysleepjob.json", SLEEP_JOB)))
    changed = {
        **SLEEP_JOB,
        "description": "changed",
        "schedules": [{**SLEEP_JOB["schedules"][0], "cron": "7 3 * * *"}],
    }
    succeeds(server.cli("job", "update", files("mysleepjob.json", changed)))
    shown = json.loads(succeeds(server.cli("job", "show", "mysleepjob"), None))
    assert shown["description"] == "changed"
    assert [schedule["cron"] for schedule in shown["schedules"]] == ["7 3 * * *"]


def test_run_history_show_and_log(server, files):
    succeeds(
        server.cli(
            "job", "add", files("job.json", unscheduled("mytestjob", "echo hello from docket"))
        )
    )
    run = succeeds(server.cli("job", "run", "mytestjob"), None).strip()

    def history():
        text = succeeds(server.cli("job", "history", "mytestjob"), None)
        return text if "Successful runs: 1" in text else None

    summary, header, row = eventually(history).splitlines()
    assert re.fullmatch(r'"mytestjob"  Successful runs: 1 Last Success: ' + INSTANT, summary)
    assert header.split() == ["RUN", "ID", "STARTED", "FINISHED"]
    assert re.fullmatch(run + " +" + INSTANT + " +" + INSTANT + " *", row)

    shown = json.loads(succeeds(server.cli("job", "show", "mytestjob"), None))
    assert shown["id"] == "mytestjob" and shown["run"]["cmd"] == "echo hello from docket"
    assert "hello from docket" in succeeds(
        server.cli("task", "log", "--completed", "mytestjob"), None
    )
    assert "hello from docket" in succeeds(server.cli("task", "log", "--completed", run), None)


def test_every_manual_run_is_a_new_one(server, files):
    succeeds(
        server.cli(
            "job",
            "add",
            files(
                "job.json",
                {
                    **SLEEP_JOB,
                    "schedules": [{**SLEEP_JOB["schedules"][0], "concurrencyPolicy": "FORBID"}],
                },
            ),
        )
    )
    runs = {succeeds(server.cli("job", "run", "mysleepjob"), None).strip() for _ in range(2)}
    shown = rows(succeeds(server.cli("job", "show", "runs", "mysleepjob"), None))
    assert shown[0] == ["TASK", "ID", "JOB", "ID", "STARTED", "AT"]
    assert {row[0] for row in shown[1:]} == runs and len(runs) == 2


def test_remove_and_stop_running_runs(server, files):
    succeeds(server.cli("job", "add", files("job.json", unscheduled("mytestjob"))))
    succeeds(server.cli("job", "run", "mytestjob"), None)
    refused = server.cli("job", "remove", "mytestjob")
    assert refused.returncode == 1 and refused.stderr == 'Error: job "mytestjob" is running\n'
    succeeds(server.cli("job", "remove", "mytestjob", "--stop-current-job-runs"))
    assert len(rows(succeeds(server.cli("job", "list"), None))) == 1
    gone = server.cli("job", "show", "mytestjob")
    assert gone.returncode == 1 and gone.stderr == 'Error: job "mytestjob" does not exist\n'


# ---- the API, by curl, through the front router's path and with its token


def curl(*arguments):
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "10", "-w", "\n%{http_code}", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(body) if body else None


def test_api_examples(server, files):
    jobs = server.hub + "/service/metronome/v1/jobs"
    token = ["-H", "Authorization: token=eyJhbGciOiJIUzI1NiJ9.e30.x"]
    as_json = ["-H", "Content-Type: application/json"]

    status, added = curl(
        "-X", "POST", *as_json, *token, jobs, f"-d@{files('myjob.json', unscheduled('myjob'))}"
    )
    assert (status, added["id"], added["run"]["mem"]) == (201, "myjob", 32)

    status, listed = curl(*token, jobs)
    assert (status, [job["id"] for job in listed]) == (200, ["myjob"])

    status, run = curl("-X", "POST", *token, f"{jobs}/myjob/runs")
    assert status == 201 and re.fullmatch(RUN_ID, run["id"])
    status, runs = curl(*token, f"{jobs}/myjob/runs/")
    assert (status, [one["id"] for one in runs]) == (200, [run["id"]])

    status, schedule = curl(
        "-X",
        "POST",
        *as_json,
        *token,
        f"{jobs}/myjob/schedules",
        f"-d@{files('schedule-file.json', NIGHTLY)}",
    )
    assert (status, schedule["id"], schedule["cron"]) == (201, "nightly", "20 0 * * *")
    assert re.fullmatch(INSTANT, schedule["nextRunAt"]) and not schedule["nextRunAt"].startswith(
        "2016"
    )

    status, refused = curl("-X", "DELETE", *token, f"{jobs}/myjob?stopCurrentJobRuns=False")
    assert (status, refused) == (
        409,
        {"message": "There are active job runs. Override with stopCurrentJobRuns=true"},
    )

    status, stopped = curl("-X", "POST", *token, f"{jobs}/myjob/runs/{run['id']}/actions/stop")
    assert (status, stopped["id"], stopped["status"]) == (200, run["id"], "FAILED")
    assert curl(*token, f"{jobs}/myjob/runs/") == (200, [])

    curl("-X", "POST", *token, f"{jobs}/myjob/runs")
    status, removed = curl("-X", "DELETE", *token, f"{jobs}/myjob?stopCurrentJobRuns=true")
    assert (status, removed["id"]) == (200, "myjob")
    assert curl(*token, jobs) == (200, [])


def test_removing_an_idle_job_without_stopping(server, files):
    jobs = server.hub + "/service/metronome/v1/jobs"
    curl(
        "-X",
        "POST",
        "-H",
        "Content-Type: application/json",
        jobs,
        f"-d@{files('j.json', unscheduled('idle'))}",
    )
    status, removed = curl("-X", "DELETE", f"{jobs}/idle?stopCurrentJobRuns=False")
    assert (status, removed["id"]) == (200, "idle")


def test_restart_policy_and_grace_period_are_kept(server, files):
    definition = unscheduled("restarts")
    definition["run"].update(
        {
            "restart": {"policy": "ON_FAILURE", "activeDeadlineSeconds": 30},
            "taskKillGracePeriodSeconds": 30,
        }
    )
    succeeds(server.cli("job", "add", files("j.json", definition)))
    run = json.loads(succeeds(server.cli("job", "show", "restarts"), None))["run"]
    assert run["restart"] == {"policy": "ON_FAILURE", "activeDeadlineSeconds": 30}
    assert run["taskKillGracePeriodSeconds"] == 30
