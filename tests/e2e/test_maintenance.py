"""docket's own housekeeping as tasks, on a real server: ordered through the native API and the Scylla door, and
either waited for or followed as a task."""

import json
import os
import re
import shutil
import sqlite3
import threading

import pytest

from docket_server import Server, eventually

PAGE = 4096
NIL = "00000000-0000-0000-0000-000000000000"


def order(server, operation, body=None):
    status, task = server.native("POST", f"/maintenance/{operation}?wait=true", body)
    assert status == 200, task
    assert (task["state"], task["kind"]) == ("done", "operation")
    return task


def scylla(server, method, path):
    return server.call(method, path, base=server.scylla)


def finish_runs(server, job_id, count):
    server.add(job_id, "true")
    names = [server.run(job_id) for _ in range(count)]
    for name in names:
        server.ended(job_id, name)
    return names


def backups(server):
    return f"{server.data}/backups"


# ---- backup


def test_a_backup_taken_while_runs_go_on_is_a_complete_store(tmp_path):
    server = Server(tmp_path / "data").start()
    restored = Server(tmp_path / "restored")
    try:
        before = finish_runs(server, "steady", 5)
        going_on = threading.Event()

        def load():
            while not going_on.is_set():
                server.run("steady")

        busy = threading.Thread(target=load)
        busy.start()
        try:
            task = order(server, "backup", {"file": "now.db"})
        finally:
            going_on.set()
            busy.join()
        copy = f"{backups(server)}/now.db"
        assert os.stat(copy).st_mode & 0o777 == 0o600
        assert os.listdir(backups(server)) == ["now.db"]
        assert os.path.getsize(copy) % PAGE == 0
        status, shown = server.native("GET", f"/tasks/{task['id']}")
        assert status == 200 and shown["state"] == "done"

        os.makedirs(restored.data)
        shutil.copy(copy, f"{restored.data}/docket.db")
        restored.start()
        for name in before:
            assert restored.run_of("steady", name)["state"] == "done"
        order(restored, "verify")
    finally:
        server.stop_everything()
        restored.stop_everything()


def test_files_stay_in_their_directory_and_are_never_replaced(shared):
    order(shared, "backup", {"file": "taken"})
    size = os.path.getsize(f"{backups(shared)}/taken")
    for operation in ("backup", "export"):
        status, problem = shared.native("POST", f"/maintenance/{operation}", {"file": "taken"})
        assert (status, problem["detail"]) == (409, "taken exists already")
        for name in ("../out", "/tmp/out", "a/b", ".hidden", "x.partial", "a\0b"):
            status, problem = shared.native("POST", f"/maintenance/{operation}", {"file": name})
            assert status == 422, name
    status, error = scylla(shared, "POST", "/maintenance/backup?file=..%2Fdocket.db")
    assert status == 400 and error["message"].startswith("file must be a name")
    assert os.path.getsize(f"{backups(shared)}/taken") == size


def test_a_backup_gets_a_unique_name(shared):
    shared.native("POST", "/maintenance/backup?wait=true")
    assert any(
        re.fullmatch(r"docket-\d{8}T\d{6}\.\d{6}Z\.db", name) for name in os.listdir(backups(shared))
    )


# ---- export


def test_an_export_is_complete(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        names = finish_runs(server, "told", 4)
        schedule = {"id": "nightly", "cron": "0 3 * * *", "timezone": "Europe/Berlin"}
        assert server.call("POST", "/v1/jobs/told/schedules", schedule)[0] == 201
        events = len(list(server.pages("/events?limit=500")))
        order(server, "export", {"file": "all.jsonl"})
        with open(f"{backups(server)}/all.jsonl") as file:
            records = [json.loads(line) for line in file]
        by_kind = {}
        for record in records:
            by_kind.setdefault(record["record"], []).append(record)
        assert [job["id"] for job in by_kind["job"] if not job["deleted"]] == ["told"]
        assert by_kind["jobVersion"][0]["definition"]["run"]["cmd"] == "true"
        assert by_kind["schedule"][0]["timezone"] == "Europe/Berlin"
        runs = [task for task in by_kind["task"] if task["kind"] == "run"]
        assert sorted(run["name"] for run in runs) == sorted(names)
        assert {run["state"] for run in runs} == {"done"}
        attempts = {task["parent"] for task in by_kind["task"] if task["kind"] == "attempt"}
        assert attempts >= {run["id"] for run in runs}
        assert len(by_kind["event"]) >= events
        exporting = by_kind["operation"][-1]
        assert (exporting["type"], exporting["units"]) == ("export", "records")
    finally:
        server.stop_everything()


# ---- verify


def damage_a_page(server, table):
    """Flips a bit in the newest leaf of a table, in the file of a running server."""
    file = f"{server.data}/docket.db"
    shutil.copy(file, f"{server.data}/copy.db")
    database = sqlite3.connect(f"{server.data}/copy.db")
    (page,) = database.execute(
        "SELECT max(pageno) FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)
    ).fetchone()
    database.close()
    with open(file, "r+b") as store:
        store.seek(page * PAGE - 100)
        byte = store.read(1)[0]
        store.seek(page * PAGE - 100)
        store.write(bytes([byte ^ 1]))
    return page


def test_verify_finds_a_flipped_bit(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        finish_runs(server, "victim", 3)
        order(server, "verify")
        order(server, "checkpoint")
        page = damage_a_page(server, "event_by_root")
        status, problem = server.native("POST", "/maintenance/verify?wait=true")
        assert status == 500
        assert "The store is damaged: 1 of" in problem["detail"]
        assert f"do not match their checksums ({page})" in problem["detail"]
        assert scylla(server, "GET", "/storage_service/keyspace_scrub/docket") == (200, 3)
        status, id = scylla(server, "GET", "/tasks/compaction/keyspace_scrub/docket")
        status, task = scylla(server, "GET", f"/task_manager/wait_task/{id}")
        assert task["state"] == "failed" and "checksums" in task["error"]
        assert task["progress_units"] == "bytes"
    finally:
        server.stop_everything()


def test_a_verification_is_aborted(shared):
    for number in range(40):  # work for the verification
        status, _ = shared.native("PUT", f"/secrets/big{number}", {"value": "x" * 300_000})
        assert status == 204
    ids = [scylla(shared, "POST", "/tasks/maintenance/verify")[1] for _ in range(60)]
    assert scylla(shared, "POST", f"/task_manager/abort_task/{ids[-1]}")[0] == 200
    status, task = scylla(shared, "GET", f"/task_manager/wait_task/{ids[-1]}?timeout=20")
    assert status == 200 and task["state"] == "failed"
    assert task["error"] == "seastar::abort_requested_exception (abort requested)"
    for id in (ids[0], ids[-2]):
        assert scylla(shared, "GET", f"/task_manager/wait_task/{id}?timeout=20")[1]["state"] == "done"
    for number in range(40):
        shared.native("DELETE", f"/secrets/big{number}")


# ---- the Scylla door: section 6 of its reference


def test_the_twins(shared):
    twins = [
        ("POST", "keyspace_compaction", "major compaction", ""),
        ("POST", "keyspace_cleanup", "cleanup compaction", 0),
        ("POST", "keyspace_offstrategy_compaction", "offstrategy compaction", True),
        ("GET", "keyspace_scrub", "scrub sstables compaction", 0),
        ("GET", "keyspace_upgrade_sstables", "upgrade sstables compaction", 0),
    ]
    for method, name, type, result in twins:
        status, answer = scylla(shared, method, f"/storage_service/{name}/process?cf=task")
        assert (status, answer) == (200, result), name
        status, id = scylla(shared, method, f"/tasks/compaction/{name}/process?cf=task")
        assert status == 200 and re.fullmatch(r"[0-9a-f-]{36}", id), name
        status, task = scylla(shared, "GET", f"/task_manager/wait_task/{id}?timeout=20")
        assert status == 200 and task["state"] == "done", task
        assert (task["type"], task["keyspace"], task["table"]) == (type, "process", "task")
        assert task["is_abortable"] and task["parent_id"] == "none"
        assert task["progress_completed"] == task["progress_total"]
    status, listed = scylla(shared, "GET", "/task_manager/list_module_tasks/maintenance?keyspace=process")
    assert {task["type"] for task in listed} == {type for _, _, type, _ in twins}
    assert "maintenance" in scylla(shared, "GET", "/task_manager/list_modules")[1]


@pytest.mark.parametrize("prefix", ["/tasks/compaction", "/storage_service"])
def test_validation_comes_before_the_task(shared, prefix):
    cases = [
        ("POST", "keyspace_compaction/ks", 400, "Can't find a keyspace ks"),
        ("POST", "keyspace_cleanup/process?cf=x", 400, "Can't find a column family x in keyspace process"),
        ("GET", "keyspace_scrub/process?scrub_mode=FIX", 400, "Unknown argument for 'scrub_mode' parameter: FIX"),
        (
            "POST",
            "keyspace_compaction/process?flush_memtables=2",
            500,
            "std::runtime_error (Invalid boolean parameter value)",
        ),
        ("GET", "keyspace_compaction/process", 404, "Not found"),
    ]
    for method, path, code, message in cases:
        status, error = scylla(shared, method, f"{prefix}/{path}")
        assert (status, error) == (code, {"message": message, "code": code}), path


def test_a_store_that_keeps_everything_needs_no_cleanup(tmp_path):
    server = Server(tmp_path / "data", "--retention-days=0").start()
    try:
        assert scylla(server, "POST", "/tasks/compaction/keyspace_cleanup/process") == (200, NIL)
        assert scylla(server, "POST", "/storage_service/keyspace_cleanup/process") == (200, 0)
    finally:
        server.stop_everything()


# ---- vacuum and ends


def test_a_vacuum_while_others_write(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        for number in range(20):
            status, _ = server.native("PUT", f"/secrets/big{number}", {"value": "x" * 300_000})
            assert status == 204
        order(server, "checkpoint")
        full = os.path.getsize(f"{server.data}/docket.db")
        assert full > 5_000_000
        for number in range(20):
            assert server.native("DELETE", f"/secrets/big{number}")[0] == 204
        going_on = threading.Event()

        def load():
            while not going_on.is_set():
                server.native("PUT", "/secrets/k", {"value": "v"})

        busy = threading.Thread(target=load)
        busy.start()
        try:
            vacuum = order(server, "vacuum")
            order(server, "retention")
        finally:
            going_on.set()
            busy.join()
        assert vacuum["progress"]["total"] > 1000
        order(server, "checkpoint")
        assert os.path.getsize(f"{server.data}/docket.db") < full / 2
        order(server, "verify")
        store = server.native("GET", "/status")[1]["store"]
        assert store["full"] is False and store["failed"] is False
    finally:
        server.stop_everything()


def task_of(server, id):
    return server.native("GET", f"/tasks/{id}")[1]


def test_a_crash_fails_work_in_progress_and_the_rest_continues(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        for number in range(60):  # work that takes a while
            status, _ = server.native("PUT", f"/secrets/big{number}", {"value": "x" * 300_000})
            assert status == 204
        ids = [server.native("POST", "/maintenance/verify")[1]["id"] for _ in range(20)]
        last = server.native("POST", "/maintenance/backup", {"file": "last"})[1]["id"]
        eventually(lambda: any(task_of(server, id)["progress"]["completed"] for id in ids))
        server.kill()
        os.makedirs(backups(server), exist_ok=True)
        with open(f"{backups(server)}/half.db.partial", "w") as file:
            file.write("half")
        server.start()
        eventually(lambda: task_of(server, last)["state"] == "done")
        tasks = [task_of(server, id) for id in ids]
        assert {task["state"] for task in tasks} <= {"done", "failed"}
        failed = [task for task in tasks if task["state"] == "failed"]
        assert len(failed) <= 1
        assert {task["message"] for task in failed} <= {"The server ended before this did"}
        assert os.listdir(backups(server)) == ["last"]
        order(server, "backup", {"file": "again"})
    finally:
        server.stop_everything()


def test_a_server_that_stops_does_not_wait_for_housekeeping(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        ids = [server.native("POST", "/maintenance/verify")[1]["id"] for _ in range(60)]
        assert server.stop() == 0
        server.start()
        eventually(lambda: task_of(server, ids[-1])["state"] == "done")
        failed = [task for task in (task_of(server, id) for id in ids) if task["state"] == "failed"]
        assert len(failed) <= 1, "what waits goes on"
        assert {task["message"] for task in failed} <= {"The server was stopped before this had ended"}
    finally:
        server.stop_everything()


# ---- the command line


def test_docket_maintenance(shared):
    made = shared.cli("maintenance", "backup", "cli.db")
    assert (made.returncode, made.stderr) == (0, "")
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert re.fullmatch(f"done\nstart: {stamp}\nend: {stamp}\nfile: cli.db\n", made.stdout)
    assert os.path.exists(f"{backups(shared)}/cli.db")
    named = shared.cli("maintenance", "export")
    assert re.search(r"\nfile: docket-\S+\.jsonl\n$", named.stdout)
    for words in (["verify"], ["verify", "--family", "job"], ["vacuum"], ["checkpoint"], ["retention"], ["upgrade"]):
        assert shared.cli("maintenance", *words).stdout.startswith("done\nstart: "), words

    id = shared.cli("maintenance", "verify", "--nowait").stdout
    assert re.fullmatch(r"[0-9a-f-]{36}\n", id)
    assert shared.cli("tasks", "wait", "-q", id.strip()).returncode == 0

    taken = shared.cli("maintenance", "backup", "cli.db")
    assert (taken.returncode, taken.stdout) == (1, "")
    assert "cli.db exists already" in taken.stderr
    family = shared.cli("maintenance", "verify", "--family", "cats")
    assert family.returncode == 1 and "has no 'cats'" in family.stderr
    assert shared.cli("maintenance", "vacuum", "x").returncode == 2


def test_docket_maintenance_of_a_damaged_store(tmp_path):
    server = Server(tmp_path / "data").start()
    try:
        finish_runs(server, "victim", 3)
        order(server, "checkpoint")
        damage_a_page(server, "event_by_root")
        found = server.cli("maintenance", "verify")
        assert found.returncode == 1
        assert found.stdout.startswith("failed: The store is damaged: 1 of")
        assert found.stderr == "Error: the verify was not done\n"
    finally:
        server.stop_everything()
