"""Jobs as real processes: exit codes, environment, users, secrets, artifacts, limits, signals, and
leftovers."""

import functools
import glob
import http.server
import os
import pwd
import subprocess
import tarfile
import threading
import time

import pytest

from docket_server import PROGRAM, alive, eventually, job

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may run jobs as somebody else")


def once(server, job_id, cmd, **run):
    """Adds a job and runs it to its end; returns the run."""
    server.add(job_id, cmd, **run)
    return server.ended(job_id, server.run(job_id))


def started(server, job_id, pid_file):
    """Starts a run that writes a pid into a file; returns its name and the pid."""
    name = server.run(job_id)
    eventually(lambda: pid_file.exists() and pid_file.read_text().strip())
    return name, int(pid_file.read_text())


# ---- the command and its outcome


@pytest.mark.parametrize(
    "cmd, state, code, signal",
    [
        ("true", "done", 0, None),
        ("exit 7", "failed", 7, None),
        ("kill -SEGV $$", "failed", None, 11),
        ("no-such-command-anywhere", "failed", 127, None),
    ],
)
def test_exit_codes(shared, cmd, state, code, signal):
    job_id = f"exits-{state}-{code or signal or 0}"
    run = once(shared, job_id, cmd)
    [attempt] = run["attempts"]
    assert (run["state"], attempt["exitCode"], attempt["signal"]) == (state, code, signal)
    history = shared.call("GET", f"/v1/jobs/{job_id}?embed=history")[1]["history"]
    ended = history["successfulFinishedRuns" if state == "done" else "failedFinishedRuns"]
    assert [one["id"] for one in ended] == [run["name"]]


def test_args_run_without_a_shell(shared):
    status, body = shared.native(
        "POST",
        "/jobs",
        {
            "id": "direct",
            "run": {
                "args": ["/bin/echo", "$HOME", "a  b", "*"],
                "cpus": 0.01,
                "mem": 32,
                "disk": 0,
            },
        },
    )
    assert status == 201, body
    run = shared.ended("direct", shared.run("direct"))
    assert run["state"] == "done", run
    assert shared.output("direct", run["name"]) == "$HOME a  b *\n"


def test_both_streams_are_kept_apart(shared):
    run = once(shared, "streams", "echo out; echo err >&2; printf 'no newline'")
    assert shared.output("streams", run["name"]) == "out\nno newline"
    assert shared.output("streams", run["name"], "stderr") == "err\n"


def test_environment(shared):
    shared.add("environment", "env", env={"GREETING": "hello 'world'", "DAY": "sunday"})
    name = shared.run("environment", {"env": {"DAY": "monday"}})
    shared.ended("environment", name)
    seen = dict(line.split("=", 1) for line in shared.output("environment", name).splitlines())
    assert seen["GREETING"] == "hello 'world'"
    assert seen["DAY"] == "monday", "the run's own parameters win"
    assert (seen["DOCKET_JOB_ID"], seen["DOCKET_RUN_ID"]) == ("environment", name)
    assert name in seen["MESOS_TASK_ID"]
    leaked = set(seen) & (
        set(os.environ)
        - {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "SHLVL", "OLDPWD", "_"}
    )
    assert not leaked, "nothing of the server's own environment reaches a job"


def test_a_private_working_directory(shared):
    shared.add("workdir", "ls -A; echo mine > file")
    for _ in range(2):
        name = shared.run("workdir")
        assert shared.ended("workdir", name)["state"] == "done"
        assert shared.output("workdir", name) == ""


@as_root
def test_user(shared):
    run = once(
        shared,
        "as-nobody",
        "id -un; id -Gn; touch file && cat file; cat /proc/self/status | grep ^CapEff",
        user="nobody",
    )
    assert run["state"] == "done", run
    user, groups, capabilities = shared.output("as-nobody", run["name"]).splitlines()
    assert (user, capabilities.split()) == ("nobody", ["CapEff:", "0" * 16])
    assert "root" not in groups.split()


def test_an_unknown_user_fails_with_a_message(shared):
    assert "no-such-user" not in {entry.pw_name for entry in pwd.getpwall()}
    run = once(shared, "as-stranger", "true", user="no-such-user")
    assert run["state"] == "failed" and "no-such-user" in run["attempts"][0]["message"]


@pytest.mark.parametrize(
    "container",
    [{"docker": {"image": "alpine"}}, {"ucr": {"image": {"id": "alpine"}}}],
    ids=["docker", "ucr"],
)
def test_containers_fail_with_a_clear_message(shared, container):
    [kind] = container
    run = once(shared, f"in-{kind}", "true", **container)
    assert run["state"] == "failed" and "not supported by this server yet" in run["message"], run
    assert kind.lower() in run["message"].lower()
    history = shared.call("GET", f"/v1/jobs/in-{kind}?embed=history")[1]["history"]
    assert (history["failureCount"], history["failedFinishedRuns"][0]["id"]) == (1, run["name"])


# ---- secrets


def secret_in_files(folder, value):
    """Files below a directory that contain the value."""
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                with open(os.path.join(parent, name), "rb") as file:
                    if value.encode() in file.read():
                        found.append(os.path.join(parent, name))
            except OSError:
                pass  # a socket, or gone by now
    return found


def secret_in_command_lines(value):
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as file:
                if value.encode() in file.read():
                    found.append(path)
        except OSError:
            pass
    return found


def test_secrets_reach_only_the_job(server, tmp_path):
    value = "s3cr3t-" + os.urandom(8).hex()
    put = server.cli("secret", "put", "db-password", stdin=value + "\n")
    assert (put.returncode, put.stdout, put.stderr) == (0, "", "")
    seen, release = tmp_path / "seen", tmp_path / "release"
    os.mkfifo(release)
    server.add(
        "confidential",
        f'printf %s "$PASSWORD" | sha256sum > {seen}; read line < {release}',
        env={"PASSWORD": {"secret": "pw"}},
        secrets={"pw": {"source": "db-password"}},
    )
    name = server.run("confidential")
    eventually(lambda: seen.exists() and seen.read_text())
    expected = subprocess.run(
        ["sha256sum"], input=value, capture_output=True, text=True
    ).stdout.split()[0]
    assert seen.read_text().split()[0] == expected

    def nowhere():
        assert secret_in_files(server.data, value) == []
        assert secret_in_command_lines(value) == []
        run = server.run_of("confidential", name)["id"]
        for path in (
            "/docket/v1/secrets",
            "/docket/v1/jobs",
            "/docket/v1/jobs/confidential",
            f"/docket/v1/runs/{run}",
            f"/docket/v1/tasks/{run}/tree",
            "/docket/v1/events",
            "/docket/v1/jobs/confidential/explain",
        ):
            status, body = server.call("GET", path, base=server.hub)
            assert status == 200 and value not in str(body), path
        for path in (
            "/v1/jobs/confidential?embed=activeRuns&embed=history",
            "/v1/jobs/confidential/runs?all=true",
            "/info",
            "/v1/metrics",
        ):
            status, body = server.call("GET", path)
            assert status == 200 and value not in str(body), path
        assert value not in "".join(server.log)

    nowhere()
    assert server.native("GET", "/secrets")[1]["items"][0]["path"] == "db-password"
    release.write_text("go\n")
    assert server.ended("confidential", name)["state"] == "done"
    nowhere()
    server.stop()
    assert secret_in_files(server.data, value) == []


def test_secrets_as_files(server, tmp_path):
    value = "f1l3-" + os.urandom(8).hex()
    assert server.native("PUT", "/secrets/secret-file/password", {"value": value})[0] in (200, 204)
    status, body = server.native(
        "POST",
        "/jobs",
        {
            "id": "secret-file",
            "run": {
                "cmd": "stat -c %a keys/password; sha256sum < keys/password; find . -type f",
                "cpus": 0.01,
                "mem": 32,
                "disk": 0,
                "volumes": [{"containerPath": "keys/password", "secret": "pw"}],
                "secrets": {"pw": {"source": "secret-file/password"}},
            },
        },
    )
    assert status == 201, body
    name = server.run("secret-file")
    run = server.ended("secret-file", name)
    assert run["state"] == "done", run
    mode, digest, *files = server.output("secret-file", name).splitlines()
    expected = subprocess.run(["sha256sum"], input=value, capture_output=True, text=True).stdout
    assert (mode, digest) == ("400", expected.strip())
    assert files == ["./keys/password"]
    assert secret_in_files(server.data, value) == [], "the file goes with the run"


def test_a_file_of_a_secret_through_the_metronome_door(server):
    """For a command without a container, paths are relative to its working directory."""
    assert server.native("PUT", "/secrets/key", {"value": "hunter2"})[0] in (200, 201, 204)
    command = "cat etc/key; stat -c ' %a %u' etc/key; id -u"
    body = job("secret-file", command, secrets={"k": {"source": "key"}})
    body["run"]["volumes"] = [{"containerPath": "/etc/key", "secret": "k"}]
    status, made = server.call("POST", "/v1/jobs", body)
    assert status == 201 and made["run"]["volumes"] == body["run"]["volumes"], made
    name = server.run("secret-file")
    assert server.ended("secret-file", name)["state"] == "done"
    content, user = server.output("secret-file", name).splitlines()
    assert content == f"hunter2 400 {user}"
    left = secret_in_files(server.data, "hunter2")
    assert [os.path.basename(path) for path in left] == ["2.stdout"], "the file goes with the run"


def test_a_missing_secret_fails_the_run_with_a_message(shared):
    run = once(
        shared,
        "no-secret",
        "true",
        env={"A": {"secret": "pw"}},
        secrets={"pw": {"source": "not-there"}},
    )
    assert run["state"] == "failed" and "not-there" in run["message"], run


def test_a_secret_of_another_group_is_out_of_reach(shared):
    assert shared.native("PUT", "/secrets/finance/db", {"value": "v"})[0] in (200, 204)
    body = job("marketing.mailer", "true")
    body["run"] |= {"env": {"P": {"secret": "s"}}, "secrets": {"s": {"source": "finance/db"}}}
    refusal = "belongs to group finance; a job may use secrets of its own path and above it"
    place = "/run/secrets/s/source"
    status, answer = shared.call("POST", "/v1/jobs", body)
    assert (status, answer["details"]) == (422, [{"path": place, "errors": [refusal]}])
    status, answer = shared.native("POST", "/jobs", body)
    assert (status, answer["errors"]) == (422, [{"path": place, "message": refusal}])
    assert shared.call("GET", "/v1/jobs/marketing.mailer")[0] == 404


def test_a_secret_with_nul_is_a_file_but_not_a_variable(shared):
    assert shared.native("PUT", "/secrets/binary", {"value": "a\0b"})[0] in (200, 204)
    run = once(
        shared,
        "nul-in-secret",
        "true",
        env={"A": {"secret": "s"}},
        secrets={"s": {"source": "binary"}},
    )
    assert run["state"] == "failed"
    assert run["message"] == 'secret "s" cannot be the variable A: it must not contain NUL characters'


# ---- artifacts


@pytest.fixture
def website(tmp_path):
    """A web server for artifacts; its URL and folder."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    web = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=web.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{web.server_port}", folder
    web.shutdown()
    thread.join()
    web.server_close()


def make_archive(path):
    inside = path.parent / "inside.txt"
    inside.write_text("from the archive\n")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(inside, arcname="folder/inside.txt")
    inside.unlink()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_artifacts(shared, website, scheme):
    url, folder = website
    base = url if scheme == "http" else f"file://{folder}"
    make_archive(folder / "bundle.tar.gz")
    make_archive(folder / "whole.tar.gz")
    (folder / "tool").write_text("#!/bin/sh\necho a tool\n")
    run = once(
        shared,
        f"fetches-{scheme}",
        "./tool && cat folder/inside.txt && ls",
        artifacts=[
            {"uri": f"{base}/bundle.tar.gz"},
            {"uri": f"{base}/tool", "executable": True, "cache": True},
            {"uri": f"{base}/whole.tar.gz", "extract": False},
        ],
    )
    assert run["state"] == "done", run
    assert shared.output(run["job"], run["name"]).split("\n") == [
        "a tool",
        "from the archive",
        "bundle.tar.gz",
        "folder",
        "tool",
        "whole.tar.gz",
        "",
    ]


def test_a_missing_artifact_fails_the_run_with_a_message(shared, website):
    run = once(shared, "fetches-nothing", "true", artifacts=[{"uri": f"{website[0]}/nope.tar.gz"}])
    assert run["state"] == "failed"
    assert (
        "nope.tar.gz" in run["attempts"][0]["message"] and "404" in run["attempts"][0]["message"]
    ), run


# ---- limits


def test_out_of_memory_is_reported(shared):
    if not any("cgroup v" in line and "memory" in line for line in shared.log):
        pytest.skip("this machine gives docket no memory cgroup")
    run = once(shared, "hungry", "exec tail /dev/zero", mem=32)
    [attempt] = run["attempts"]
    assert (run["state"], attempt["signal"]) == ("failed", 9)
    assert "Memory limit of 32 MiB exceeded" in attempt["message"]


def test_the_disk_limit(shared):
    run = once(shared, "greedy", "head -c 8000000 /dev/zero > big; sleep 100", disk=1)
    assert (
        run["state"] == "failed" and "Disk limit of 1 MiB exceeded" in run["attempts"][0]["message"]
    ), run


# ---- signals and leftovers


def test_stop_asks_first(shared, tmp_path):
    pid_file, asked = tmp_path / "pid", tmp_path / "asked"
    shared.add(
        "polite",
        (
            f"trap 'echo asked > {asked}; exit 0' TERM; echo $$ > {pid_file}; while :; do sleep"
            " 0.05; done"
        ),
    )
    name, pid = started(shared, "polite", pid_file)
    status, body = shared.call("POST", f"/v1/jobs/polite/runs/{name}/actions/stop")
    assert (status, body["status"]) == (200, "FAILED")
    assert shared.call("GET", f"/v1/jobs/polite/runs/{name}")[0] == 404
    eventually(lambda: not alive(pid))
    assert asked.exists()
    assert (
        shared.call("GET", "/v1/jobs/polite?embed=historySummary")[1]["historySummary"][
            "failureCount"
        ]
        == 1
    )


def test_stop_kills_after_the_grace_period(shared, tmp_path):
    pid_file = tmp_path / "pid"
    shared.add(
        "stubborn",
        f"trap '' TERM; echo $$ > {pid_file}; while :; do sleep 0.05; done",
        taskKillGracePeriodSeconds=1,
    )
    name, pid = started(shared, "stubborn", pid_file)
    asked_at = time.monotonic()
    assert shared.call("POST", f"/v1/jobs/stubborn/runs/{name}/actions/stop")[0] == 200
    eventually(lambda: not alive(pid))
    assert 0.9 < time.monotonic() - asked_at < 5


# A process in a session of its own, whose parents are gone, and that ignores what signals it can.
# ($$ would be its parent's pid.)
RUNAWAY = (
    """setsid sh -c '(trap "" TERM HUP; echo $(sh -c "echo \\$PPID") > {0}; """
    """exec sleep 1000) &' & """
)


def test_nothing_is_left_behind_by_a_job_that_ends(shared, tmp_path):
    pid_file = tmp_path / "pid"
    shared.add(
        "forks", RUNAWAY.format(pid_file) + f"until [ -s {pid_file} ]; do sleep 0.02; done; exit 0"
    )
    name = shared.run("forks")
    assert shared.ended("forks", name)["state"] == "done"
    assert not alive(int(pid_file.read_text()))


def test_nothing_is_left_behind_by_a_job_that_is_stopped(shared, tmp_path):
    pid_file = tmp_path / "pid"
    shared.add(
        "forks-and-stays", RUNAWAY.format(pid_file) + "sleep 1000", taskKillGracePeriodSeconds=1
    )
    name, pid = started(shared, "forks-and-stays", pid_file)
    assert alive(pid)
    shared.call("POST", f"/v1/jobs/forks-and-stays/runs/{name}/actions/stop")
    eventually(lambda: not alive(pid))
    eventually(lambda: not shared.run_of("forks-and-stays", name)["stopping"])


# ---- restarts


def test_on_failure_tries_again_in_the_same_run(shared, tmp_path):
    tries = tmp_path / "tries"
    run = once(
        shared,
        "third-time-lucky",
        f"echo x >> {tries}; [ $(wc -l < {tries}) -ge 3 ]",
        restart={"policy": "ON_FAILURE"},
    )
    assert run["state"] == "done"
    assert [attempt["state"] for attempt in run["attempts"]] == ["failed", "failed", "done"]


def test_on_failure_restarts_until_the_active_deadline(shared):
    run = once(
        shared,
        "never-lucky",
        "sleep 0.1; exit 1",
        restart={"policy": "ON_FAILURE", "activeDeadlineSeconds": 1},
    )
    assert run["state"] == "failed"
    assert len(run["attempts"]) >= 2 and {attempt["state"] for attempt in run["attempts"]} == {
        "failed"
    }


def test_a_stop_ends_restarts(shared, tmp_path):
    tries = tmp_path / "tries"
    shared.add(
        "again-and-again",
        f"echo x >> {tries}; sleep 0.05; exit 1",
        restart={"policy": "ON_FAILURE"},
    )
    name = shared.run("again-and-again")
    eventually(lambda: tries.exists() and len(tries.read_text()) >= 4)
    assert shared.call("POST", f"/v1/jobs/again-and-again/runs/{name}/actions/stop")[0] == 200
    eventually(lambda: not shared.run_of("again-and-again", name)["stopping"])
    count = len(shared.run_of("again-and-again", name)["attempts"])
    other = once(shared, "meanwhile", "true")
    assert other["state"] == "done"
    assert len(shared.run_of("again-and-again", name)["attempts"]) == count


# ---- logs


def test_a_followed_log_ends_with_the_run(shared, tmp_path):
    release = tmp_path / "release"
    os.mkfifo(release)
    shared.add("talks", f"echo one; read line < {release}; echo $line; echo three")
    name = shared.run("talks")
    follower = subprocess.Popen(
        [PROGRAM, "--url", shared.hub, "task", "log", "--follow", name],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert follower.stdout.readline() == "one\n"
        release.write_text("two\n")
        assert follower.stdout.read() == "two\nthree\n"
        assert follower.wait(10) == 0
    finally:
        follower.kill()
        follower.wait()


def test_a_megabyte_of_output_in_pieces(shared):
    run = once(shared, "verbose", "yes 0123456789abcde | head -n 65536")
    text, offset = [], 0
    while True:
        status, piece = shared.call(
            "GET",
            f"/docket/v1/tasks/{run['id']}/logs/stdout?offset={offset}&limit=100000",
            base=shared.hub,
        )
        assert status == 200
        if not piece:
            break
        text.append(piece)
        offset += len(piece)
    assert "".join(text) == "0123456789abcde\n" * 65536


# ---- dependencies


def test_a_child_follows_its_parents(shared):
    for parent in ("parent-a", "parent-b"):
        shared.add(parent, "true")
    status, body = shared.call(
        "POST",
        "/v1/jobs",
        {**job("child", "true"), "dependencies": [{"id": "parent-a"}, {"id": "parent-b"}]},
    )
    assert status == 201, body
    shared.ended("parent-a", shared.run("parent-a"))
    assert list(shared.pages("/runs?job=child&limit=10")) == []
    shared.ended("parent-b", shared.run("parent-b"))
    [run] = eventually(lambda: list(shared.pages("/runs?job=child&limit=10")))
    assert run["trigger"] == "dependency"
    assert shared.ended("child", run["name"])["state"] == "done"
