"""docket backup, then docket restore: the restored state, and everything that must not happen on the way."""

import os
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from docket_server import PROGRAM, Server

NOTHING_LEFT = ("docket.db-wal", "docket.db-shm", "restore.partial")


def docket(*words, timeout_s=30):
    return subprocess.run(
        [PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=timeout_s
    )


def restore(file, data, *flags):
    return docket("restore", file, "--data", data, *flags)


def finish(server, job_id, count):
    server.add(job_id, "echo said")
    names = [server.run(job_id) for _ in range(count)]
    for name in names:
        assert server.ended(job_id, name)["state"] == "done"
    return names


def restores(server):
    tasks = server.pages("/tasks?kind=operation&module=maintenance&limit=500")
    return [task for task in tasks if task["operation"]["type"] == "restore"]


def aside(data):
    return sorted(
        name for name in os.listdir(data) if name.startswith("docket.db.2") and not name.endswith("-wal")
    )


@pytest.fixture
def servers():
    made = []

    def make(data, *flags):
        made.append(Server(data, *flags))
        return made[-1]

    yield make
    for server in made:
        server.stop_everything()


@pytest.fixture(scope="module")
def backup(tmp_path_factory):
    """A backup with a job, a schedule and five runs, taken while the server served, and its names."""
    directory = tmp_path_factory.mktemp("backup")
    server = Server(directory / "data").start()
    try:
        names = finish(server, "steady", 5)
        schedule = {"id": "nightly", "cron": "0 3 * * *", "timezone": "Europe/Berlin"}
        assert server.call("POST", "/v1/jobs/steady/schedules", schedule)[0] == 201
        status, task = server.native("POST", "/maintenance/backup?wait=true", {"file": "one.db"})
        assert status == 200 and task["state"] == "done"
        assert docket("backup", "--data", server.data, directory / "two.db").returncode == 0
    finally:
        server.stop_everything()
    shutil.copy2(f"{server.data}/backups/one.db", directory / "one.db")
    return directory / "two.db", names


def test_everything_is_restored(servers, tmp_path, backup):
    file, names = backup
    done = restore(file, tmp_path / "new")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{tmp_path}/new/docket.db is now {file}, {os.path.getsize(file)} bytes")
    left = os.listdir(tmp_path / "new")
    assert not set(left) & set(NOTHING_LEFT) and not aside(tmp_path / "new")
    assert os.stat(tmp_path / "new/docket.db").st_mode & 0o777 == 0o600
    server = servers(tmp_path / "new").start()
    assert {server.run_of("steady", name)["state"] for name in names} == {"done"}
    assert server.call("GET", "/v1/jobs/steady/schedules")[1][0]["id"] == "nightly"
    (task,) = restores(server)
    assert (task["state"], task["operation"]["entity"]) == ("done", "two.db")
    assert task["startedAt"] <= task["finishedAt"]
    size = os.path.getsize(file)
    assert task["progress"] == {**task["progress"], "completed": size, "total": size, "units": "bytes"}
    types = {
        each["operation"]["type"]: each["state"]
        for each in server.pages("/tasks?kind=operation&limit=500")
    }
    assert types == {"backup": "done", "restore": "done"}
    listed = server.call("GET", "/task_manager/list_module_tasks/maintenance", base=server.scylla)[1]
    assert "restore" in [each["type"] for each in listed]
    finish(server, "later", 1)  # numbers go on
    assert server.native("POST", "/maintenance/verify?wait=true")[1]["state"] == "done"


def test_a_backup_in_progress_in_its_own_file(servers, tmp_path, backup):
    """It is shown as done, since the file exists; under another name that is unknown, and it has failed."""
    made = backup[0].parent / "one.db"
    renamed = shutil.copy(made, tmp_path / "renamed.db")
    for file, state in ((made, "done"), (renamed, "failed")):
        data = tmp_path / state
        assert restore(file, data).returncode == 0
        server = servers(data).start()
        tasks = {
            task["operation"]["type"]: task
            for task in server.pages("/tasks?kind=operation&limit=500")
        }
        assert (tasks["backup"]["state"], tasks["restore"]["state"]) == (state, "done")
    assert tasks["restore"]["progress"]["total"] == os.path.getsize(made)


def test_an_existing_store(servers, tmp_path, backup):
    file, names = backup
    data = tmp_path / "data"
    server = servers(data).start()
    finish(server, "mine", 1)

    used = restore(file, data, "--force")
    assert used.returncode == 1
    assert "another docket server has this store open" in used.stderr
    server.kill()  # what it committed last is in the log

    refused = restore(file, data)
    assert refused.returncode == 1
    assert refused.stderr == f"Error: {data}/docket.db exists: --force sets it aside under another name\n"

    forced = restore(file, data, "--force")
    assert forced.returncode == 0, forced.stderr
    (old,) = aside(data)
    assert forced.stdout.splitlines()[2] == f"the previous store is {data}/{old}"
    assert not set(os.listdir(data)) & set(NOTHING_LEFT)
    server.start()
    assert server.run_of("steady", names[0])["state"] == "done"
    assert server.native("GET", "/jobs/mine")[0] == 404
    server.stop_everything()

    back = restore(data / old, tmp_path / "back")  # the old one is complete too
    assert back.returncode == 0, back.stderr
    assert servers(tmp_path / "back").start().native("GET", "/jobs/mine")[0] == 200


def damage(file, at):
    with open(file, "r+b") as store:
        store.seek(at)
        byte = store.read(1)[0]
        store.seek(at)
        store.write(bytes([byte ^ 1]))


def newer(file):
    with open(file, "r+b") as store:
        store.seek(60)  # user_version
        store.write((10_000).to_bytes(4, "big"))


FILES = {
    "a flipped bit": (lambda f: damage(f, os.path.getsize(f) // 2), "do not match their checksums"),
    "cut": (lambda f: os.truncate(f, os.path.getsize(f) - 4096), "malformed|damaged"),
    "cut in a page": (lambda f: os.truncate(f, 5000), "malformed|damaged"),
    "empty": (lambda f: os.truncate(f, 0), "is not a docket store"),
    "text": (lambda f: open(f, "w").write("x" * 9000), "is not a docket store"),
    "newer": (newer, "newer"),
    "in use": (lambda f: open(f"{f}-wal", "w").write("x"), "a store in use"),
    "missing": (os.unlink, "there is no"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_refused(tmp_path, backup, name):
    spoil, complaint = FILES[name]
    data = tmp_path / "data"
    assert restore(backup[0], data).returncode == 0
    before = (data / "docket.db").read_bytes()
    file = shutil.copy(backup[0], tmp_path / "file.db")
    spoil(file)
    refused = restore(file, data, "--force")
    assert refused.returncode == 1
    assert any(word in refused.stderr for word in complaint.split("|")), refused.stderr
    assert refused.stderr.startswith("Error: ") and str(file) in refused.stderr
    assert (data / "docket.db").read_bytes() == before
    assert not aside(data) and "restore.partial" not in os.listdir(data)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files to others")
def test_files_restored_by_root_belong_to_the_owner_of_the_directory(backup):
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as directory:  # pytest's own directories are for root only
        os.chmod(directory, 0o711)
        file, data = f"{directory}/copy.db", f"{directory}/data"
        shutil.copy(backup[0], file)
        os.chmod(file, 0o644)
        os.mkdir(data, 0o711)
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
        done = restore(file, data)
        assert done.returncode == 0, done.stderr
        assert "docket serve --paused" in done.stdout
        owners = {name: os.stat(f"{data}/{name}").st_uid for name in os.listdir(data)}
        assert owners["docket.db"] == nobody.pw_uid and set(owners.values()) == {nobody.pw_uid}


def test_command_lines(tmp_path, backup):
    assert docket("restore").returncode == 2
    assert docket("restore", "a", "b").returncode == 2
    assert "--force" in docket("restore", "--help").stdout
    assert "restore" in docket("--help").stdout
    assert restore(backup[0], tmp_path / "data").returncode == 0
    itself = restore(tmp_path / "data/docket.db", tmp_path / "data", "--force")
    assert itself.returncode == 1 and "is the store itself" in itself.stderr
    assert restore(tmp_path, tmp_path / "data", "--force").returncode == 1


def test_a_damaged_store_is_replaced(servers, tmp_path, backup):
    data = tmp_path / "data"
    server = servers(data).start()
    finish(server, "mine", 1)
    server.kill()
    with open(data / "docket.db", "r+b") as store:
        store.write(b"\0" * 4096)
    assert os.path.getsize(data / "docket.db-wal") > 0
    assert restore(backup[0], data, "--force").returncode == 0
    (old,) = aside(data)
    assert os.path.exists(data / f"{old}-wal")
    assert server.start().run_of("steady", backup[1][0])["state"] == "done"


def test_secrets_need_their_key(servers, tmp_path):
    server = servers(tmp_path / "data").start()
    assert server.native("PUT", "/secrets/db/pw", {"value": "hunter2"})[0] == 204
    assert docket("backup", "--data", server.data, tmp_path / "copy.db").returncode == 0
    done = restore(tmp_path / "copy.db", tmp_path / "new")
    assert done.returncode == 0
    missing = f"{tmp_path}/new/secret.key is missing, and the store has secrets sealed with it: put it back"
    assert done.stderr == f"Warning: {missing}\n"
    with pytest.raises(RuntimeError, match="secret.key is missing"):
        servers(tmp_path / "new").start()
    shutil.copy(f"{server.data}/secret.key", tmp_path / "new/secret.key")
    servers(tmp_path / "new").start()


def test_a_kill_leaves_the_old_store_or_the_new_one(servers, tmp_path, backup):
    """Killed at any instant of a restore, the directory opens as what it was or as what was restored."""
    file, names = backup
    origin = tmp_path / "origin"
    server = servers(origin).start()
    finish(server, "mine", 2)
    server.kill()
    shutil.rmtree(origin / "runner", ignore_errors=True)
    began = time.monotonic()
    shutil.copytree(origin, tmp_path / "timed")
    assert restore(file, tmp_path / "timed", "--force").returncode == 0
    whole_s = time.monotonic() - began
    draw = random.Random(3)
    seen = set()
    for number in range(30):
        data = tmp_path / f"killed{number}"
        shutil.copytree(origin, data)
        process = subprocess.Popen(
            [PROGRAM, "restore", str(file), "--data", str(data), "--force"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(draw.uniform(0, 1.2 * whole_s))  # killed at a random moment
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        check = tmp_path / f"check{number}.db"
        assert docket("backup", "--data", data, check).returncode == 0
        mine = b"mine" in check.read_bytes()
        seen.add("old" if mine else "new")
        if number % 6 == 0:
            opened = servers(data).start()
            status, jobs = opened.native("GET", "/jobs")
            assert [job["id"] for job in jobs["items"]] == (["mine"] if mine else ["steady"])
            assert opened.native("POST", "/maintenance/verify?wait=true")[1]["state"] == "done"
            opened.stop_everything()
        else:
            again = restore(file, data, "--force")  # leftovers of the killed restore do not matter
            assert again.returncode == 0, again.stderr
            assert "restore.partial" not in os.listdir(data)
    assert seen == {"old", "new"}
