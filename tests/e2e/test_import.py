"""`docket import crontab` against a real server."""

import json

import pytest

CRONTAB = """\
# comments and blanks mean nothing

SHELL=/bin/sh
GREETING=hello
MAILTO=ops@example.com
*/15 * * * * echo "$GREETING" >> /dev/null
30 2 * * MON-FRI /usr/local/bin/report --daily
@weekly /usr/local/bin/rotate
CRON_TZ=Europe/Rome
0 9 1 * 1 /usr/local/bin/either
"""


@pytest.fixture
def crontab(tmp_path):
    path = tmp_path / "crontab"
    path.write_text(CRONTAB)
    return path


def jobs(server):
    return {one["id"]: one for one in server.pages("/jobs?limit=500")}


def imported(server, *arguments, stdin=""):
    done = server.cli("import", "crontab", "--timezone", "UTC", *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done


def test_a_dry_run_shows_and_changes_nothing(server, crontab):
    done = imported(server, "--dry-run", crontab)
    assert (
        "*/15 * * * *" in done.stdout
        and "30 2 * * 1-5" in done.stdout
        and "Europe/Rome" in done.stdout
    )
    assert jobs(server) == {}


def test_a_dry_run_needs_no_server(server, crontab):
    done = server.cli(
        "import", "crontab", "--timezone", "UTC", "--dry-run", crontab, url="http://127.0.0.1:1"
    )
    assert done.returncode == 0 and "*/15 * * * *" in done.stdout


def test_import_and_again(server, crontab):
    imported(server, "--prefix", "cron", crontab)
    first = jobs(server)
    assert len(first) == 4, list(first)
    assert all(name.startswith("cron.") for name in first)
    schedules = {
        (schedule["cron"], schedule["timezone"])
        for job in first.values()
        for schedule in job["schedules"]
    }
    assert schedules == {
        ("*/15 * * * *", "UTC"),
        ("30 2 * * 1-5", "UTC"),
        ("0 0 * * 0", "UTC"),
        ("0 9 1 * *", "Europe/Rome"),
        ("0 9 2-31 * 1", "Europe/Rome"),  # the last line has two: no day is in both
    }
    assert {job["run"]["env"].get("GREETING") for job in first.values()} == {"hello"}
    assert all(
        job["schedules"][0]["enabled"] and job["schedules"][0]["concurrencyPolicy"] == "ALLOW"
        for job in first.values()
    )

    imported(server, "--prefix", "cron", crontab)
    assert json.dumps(jobs(server), sort_keys=True) == json.dumps(
        first, sort_keys=True
    ), "the second time changes nothing"


def test_changes_made_by_people_stay(server, crontab):
    imported(server, crontab)
    assert server.cli("job", "disable", "report").returncode == 0
    assert "kept: changed here" in imported(server, crontab).stdout
    assert not jobs(server)["report"]["schedules"][0]["enabled"]
    crontab.write_text(CRONTAB.replace("30 2 * * MON-FRI", "45 3 * * MON-FRI"))
    done = server.cli("import", "crontab", "--timezone", "UTC", crontab)
    assert done.returncode == 1 and "--force" in done.stderr
    assert jobs(server)["report"]["schedules"][0]["cron"] == "30 2 * * 1-5"
    imported(server, "--force", crontab)
    report = jobs(server)["report"]["schedules"][0]
    assert report["cron"] == "45 3 * * 1-5" and report["enabled"]


def test_another_prefix_does_not_run_every_line_twice(server, crontab):
    imported(server, crontab)
    done = server.cli("import", "crontab", "--timezone", "UTC", "--prefix", "cron", crontab)
    assert done.returncode == 1 and "would run twice" in done.stderr
    assert not any(name.startswith("cron.") for name in jobs(server))


def test_imported_lines_have_no_limits(server, crontab):
    imported(server, crontab)
    assert {job["run"]["limits"] for job in jobs(server).values()} == {"none"}
    imported(server, "--mem", "64", "-", stdin="* * * * * true\n")
    assert jobs(server)["true"]["run"]["limits"] == "mem"


def test_changes_and_lines_that_are_gone(server, crontab):
    imported(server, crontab)
    before = jobs(server)
    crontab.write_text(
        CRONTAB.replace("30 2 * * MON-FRI", "45 3 * * MON-FRI").replace(
            "@weekly /usr/local/bin/rotate\n", ""
        )
    )
    done = imported(server, crontab)
    after = jobs(server)
    assert set(after) == set(before), "nothing is removed by itself"
    assert "45 3 * * 1-5" in {job["schedules"][0]["cron"] for job in after.values()}
    assert "30 2 * * 1-5" not in {job["schedules"][0]["cron"] for job in after.values()}
    [gone] = [name for name in before if "rotate" in name]
    assert gone in done.stdout + done.stderr, "the one whose line is gone is named"


def test_jobs_from_elsewhere_are_not_overwritten(server, crontab):
    imported(server, crontab)
    name = next(name for name in jobs(server) if "report" in name)
    mine = {"id": name, "run": {"cmd": "echo mine", "cpus": 0.01, "mem": 32, "disk": 0}}
    assert server.call("PUT", f"/v1/jobs/{name}", mine)[0] == 200
    done = server.cli("import", "crontab", "--timezone", "UTC", crontab)
    assert done.returncode == 1 and name in done.stderr
    assert jobs(server)[name]["run"]["cmd"] == "echo mine"


def test_refused_lines_stop_the_import(server):
    text = "* * * * * echo fine\n0 0 31 2 * echo never\n"
    done = server.cli("import", "crontab", "--timezone", "UTC", "-", stdin=text)
    assert done.returncode == 1 and "2" in done.stderr and "no such date" in done.stderr
    assert jobs(server) == {}
    imported(server, "--skip-refused", "-", stdin=text)
    assert len(jobs(server)) == 1


def test_an_imported_job_runs(server):
    imported(server, "-", stdin='0 0 1 1 * read line; echo "got $line"; pwd%from the crontab\n')
    [name] = jobs(server)
    run = server.ended(name, server.run(name))
    assert run["state"] == "done", run
    assert server.output(name, run["name"]).startswith("got from the crontab\n")
