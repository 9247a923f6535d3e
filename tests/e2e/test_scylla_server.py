"""The Scylla door on a real server: many waiters, crashes, long lists, hostile clients, tokens."""

import concurrent.futures
import http.client
import json
import socket
import subprocess
import time
import uuid

import pytest
import requests

from docket_server import PROGRAM, Server, eventually, job, request
from scylla_client import TaskManager, Waiter

CHILDREN = 3000


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path / "data", "--enable-test-api").start()
    yield running
    running.stop_everything()


@pytest.fixture
def manager(server):
    client = TaskManager(server.scylla)
    client.ask("POST", "/task_manager_test/test_module")
    return client


def test_two_hundred_waiters(manager):
    """No waiter is lost, and no other client waits with them."""
    manager.ask("POST", "/task_manager/ttl", ttl=1000)
    task = manager.new()
    waiters = [Waiter(manager, task) for _ in range(200)]
    began = time.monotonic()
    assert manager.status(task)["state"] == "running"
    assert time.monotonic() - began < 5
    assert not any(waiter.has_answer() for waiter in waiters)
    manager.finish(task)
    answers = [waiter.result() for waiter in waiters]
    assert [code for code, _ in answers] == [200] * 200
    assert {(status["id"], status["state"]) for _, status in answers} == {(task, "done")}


def waiting(server):
    """How many requests the engine counts as waiting for a task."""
    return server.native("GET", "/status")[1]["waiters"]


def test_waiters_that_give_up(server, manager):
    """They are dropped at once, not when their task ends; the others are answered."""
    task = manager.new()
    for _ in range(50):
        Waiter(manager, task).give_up()
    stay = [Waiter(manager, task) for _ in range(3)]
    eventually(lambda: waiting(server) == 3)
    manager.finish(task)
    assert [waiter.result()[0] for waiter in stay] == [200] * 3
    assert waiting(server) == 0
    assert manager.is_gone(task)


def test_waiters_that_are_killed(server, manager):
    task = manager.new()
    path = f"/task_manager/wait_task/{task}"
    native = f"{server.hub}/docket/v1/tasks/{task}?wait=3600s"
    clients = [
        subprocess.Popen(["curl", "-s", url], stdout=subprocess.DEVNULL)
        for url in [manager.base + path] * 10 + [native] * 2
    ]
    eventually(lambda: waiting(server) == 12)
    for client in clients:
        client.kill()
        client.wait()
    eventually(lambda: waiting(server) == 0)
    manager.finish(task)


def test_a_half_closed_waiter(server, manager):
    """A client may close its sending half and still listen."""
    task = manager.new()
    waiter = Waiter(manager, task)
    waiter.connection.sock.shutdown(socket.SHUT_WR)
    assert waiter.has_answer(within_s=10)  # 100 Continue, which probes the client
    assert waiting(server) == 1
    manager.finish(task)
    assert waiter.result()[0] == 200


# ---- crashes


def test_a_crash_loses_nothing(server, manager):
    manager.ask("POST", "/task_manager/ttl", ttl=1000)
    root = manager.new(keyspace="ks", table="cf", entity="e", shard="1")
    child = manager.new(parent_id=root)
    grandchild = manager.new(parent_id=child)
    folded = manager.new(parent_id=root)
    manager.finish(folded, "Test task failed")
    ended = manager.new()
    manager.finish(ended, "bad")
    before = manager.tree(root), manager.wait(ended), manager.tasks(internal="true")

    server.kill()
    server.start()
    manager = TaskManager(server.scylla)
    assert (manager.tree(root), manager.wait(ended), manager.tasks(internal="true")) == before
    # Waiters reconnect, and get their answer.
    manager.ask("POST", "/task_manager/ttl", ttl=1000)
    waiters = [Waiter(manager, root) for _ in range(8)]
    manager.finish(grandchild, "worse")
    manager.finish(child)
    assert not any(waiter.has_answer() for waiter in waiters)
    manager.finish(root)
    answers = [waiter.result() for waiter in waiters]
    assert [(code, status["state"]) for code, status in answers] == [(200, "done")] * 8
    assert [status["id"] for status in manager.tree(root)] == [root, folded, child, grandchild]


def test_a_waiter_notices_a_crash(server, manager):
    task = manager.new()
    waiter = Waiter(manager, task)
    server.kill()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        waiter.result()
    server.start()
    assert TaskManager(server.scylla).status(task)["state"] == "running"


def test_numbers_continue_after_a_crash(server, manager):
    for _ in range(3):
        manager.new(shard="1")
    server.kill()
    server.start()
    manager = TaskManager(server.scylla)
    assert manager.status(manager.new(shard="1"))["sequence_number"] == 4
    assert manager.status(manager.new(shard="0"))["sequence_number"] == 1


# ---- long lists


def grow(manager, root, count):
    """Creates children of a root, from several clients at once."""

    def some(part):
        client = TaskManager(manager.base)
        return [client.new(parent_id=root, keyspace=f"ks{part}") for _ in range(count // 8)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return [child for children in pool.map(some, range(8)) for child in children]


def test_a_root_with_thousands_of_children(server, manager):
    manager.ask("POST", "/task_manager/ttl", ttl=1000)
    root = manager.new()
    children = grow(manager, root, CHILDREN)
    ended = children[::3]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda child: TaskManager(manager.base).finish(child, "bad"), ended))
    size = server.resident_mib()
    answer = manager.send("GET", f"/task_manager/task_status_recursive/{root}")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    statuses = answer.json()
    assert statuses[0]["id"] == root
    shown = [status["id"] for status in statuses[1:]]
    assert shown == [child["task_id"] for child in statuses[0]["children_ids"]]
    assert sorted(shown) == sorted(children)
    states = [status["state"] for status in statuses[1:]]
    assert states == ["running"] * (len(children) - len(ended)) + ["failed"] * len(ended)
    assert (statuses[0]["progress_completed"], statuses[0]["progress_total"]) == (0, len(children))
    listed = manager.tasks(internal="true")
    assert len(listed) == 1 + len(children) - len(ended)
    assert len(manager.tasks(internal="true", keyspace="ks3")) == sum(
        status["keyspace"] == "ks3" and status["state"] == "running" for status in statuses
    )
    assert server.resident_mib() - size < 32


def test_a_reader_that_stops_reading(server, manager):
    root = manager.new()
    grow(manager, root, 800)
    for _ in range(10):
        url = f"{manager.base}/task_manager/task_status_recursive/{root}"
        with requests.get(url, stream=True, timeout=10) as answer:
            assert next(answer.iter_content(100)).startswith(b'[{"id"')
    assert len(manager.tree(root)) == 801


def test_a_very_deep_tree(server, manager):
    """Nothing in the server recurses with the tree."""
    depth = 3000
    task = root = manager.new()
    for _ in range(depth):
        task = manager.new(parent_id=task)
    statuses = manager.tree(root)
    assert len(statuses) == depth + 1
    assert statuses[0]["progress_total"] == 1
    assert manager.status(root)["progress_total"] == 1


# ---- runs of jobs


def test_a_run_is_a_task(server):
    manager = TaskManager(server.scylla)
    server.add("nightly", "exit 3")
    name = server.run("nightly")
    run = eventually(lambda: manager.tasks("process", table="nightly"))[0]
    assert (run["keyspace"], run["table"], run["entity"]) == ("process", "nightly", name)
    status = manager.wait(run["task_id"], timeout=20)
    assert (status["state"], status["error"]) == ("failed", "exit code 3")
    tree = manager.tree(run["task_id"])
    assert [task["type"] for task in tree] == ["run", "attempt"]
    assert tree[1]["parent_id"] == run["task_id"]
    # Once read it is gone here; the history still has it.
    assert manager.is_gone(run["task_id"])
    assert server.run_of("nightly", name)["state"] == "failed"


def test_a_run_is_aborted(server):
    manager = TaskManager(server.scylla)
    assert server.call("POST", "/v1/jobs", job("long", "sleep 600"))[0] == 201
    server.run("long")
    run = eventually(lambda: manager.tasks("process", table="long"))[0]["task_id"]
    assert manager.ask("POST", f"/task_manager/abort_task/{run}") is None
    assert manager.wait(run, timeout=20)["state"] == "failed"


# ---- hostile clients


@pytest.mark.parametrize(
    "path, status",
    [
        ("/task_manager/task_status/" + "f" * 7000, 500),
        ("/task_manager/task_status/" + "-" * 500, 500),
        ("/task_manager/task_status/%00", 400),
        ("/task_manager/task_status/%", 400),
        ("/task_manager/task_status/..%2f..%2fetc%2fpasswd", 500),
        ("/task_manager/task_status/{task}", 500),
        ("/task_manager/task_status/00000000-0000-0000-0000-000000000000", 400),
        ("/task_manager/task_status/ffffffff-ffff-ffff-ffff-ffffffffffff", 400),
        ("/task_manager/task_status/d0c4e700-0000-8000-ffff-ffffffffffff", 400),
        ("/task_manager/wait_task/00000000000000000000000000000000?timeout=99999999999", 500),
        ("/task_manager/list_module_tasks/" + "m" * 7000, 400),
        ("/task_manager/list_module_tasks/test?keyspace=" + "k" * 7000, 200),
        ("/task_manager/list_module_tasks/test?" + "internal=true&" * 500, 200),
        ("/task_manager/list_module_tasks/test?" + "a&" * 3000, 200),
        ("/task_manager/list_module_tasks/test?keyspace=%FF%FE", 200),
        ("/task_manager/../task_manager/ttl", 404),
        ("/task_manager/ttl/" + "x/" * 1000, 404),
        ("/storage_service/nothing", 404),
    ],
    ids=lambda value: str(value)[:60],
)
def test_malformed_requests(hostile, path, status):
    answer = request(hostile, "GET", path)
    assert answer.status == status, answer.body
    if status == 200:
        assert json.loads(answer.body) == []
    else:
        error = json.loads(answer.body)
        assert list(error) == ["message", "code"] and error["code"] == status
    assert request(hostile, "GET", "/task_manager/ttl").body == b"0"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("hostile") / "data", "--enable-test-api").start()
    TaskManager(server.scylla).ask("POST", "/task_manager_test/test_module")
    yield server.scylla
    server.stop_everything()


def test_too_long_a_query(hostile):
    answer = request(hostile, "GET", "/task_manager/list_modules?" + "x" * 200_000)
    assert answer.status in (400, 414, 431)
    assert list(json.loads(answer.body)) == ["message", "code"]


def test_unsupported_methods(hostile):
    for method in ("PUT", "PATCH", "OPTIONS", "BREW"):
        answer = request(hostile, method, "/task_manager/ttl")
        assert (answer.status, json.loads(answer.body)) == (
            404,
            {"message": "Not found", "code": 404},
        )


def test_huge_labels(hostile):
    manager = TaskManager(hostile)
    answer = manager.send("POST", "/task_manager_test/test_task", keyspace="k" * 2000)
    assert answer.status_code == 500
    assert manager.tasks() == []
    assert (
        manager.send("POST", "/task_manager_test/test_task", shard=2**32 - 1).status_code == 500
    )
    assert manager.tasks() == []


# ---- tokens


def add_user(file, name, permission):
    done = subprocess.run(
        [PROGRAM, "access", "add", "--file", str(file), "--permission", permission, name],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_tokens(tmp_path):
    access = tmp_path / "access.toml"
    reader = add_user(access, "reader", "docket:tasks read")
    writer = add_user(access, "writer", "docket:tasks full")
    outsider = add_user(access, "outsider", "docket:native full")
    server = Server(tmp_path / "data", "--access", str(access), "--enable-test-api").start()
    try:
        for base in (server.scylla, server.hub):
            for token, method, path, status in [
                (None, "GET", "/task_manager/list_modules", 401),
                ("nonsense", "GET", "/task_manager/list_modules", 401),
                (outsider, "GET", "/task_manager/list_modules", 403),
                (reader, "GET", "/task_manager/list_modules", 200),
                (reader, "POST", "/task_manager/ttl?ttl=0", 403),
                (reader, "POST", f"/task_manager/abort_task/{uuid.uuid4()}", 403),
                (reader, "POST", "/task_manager_test/test_module", 403),
                (writer, "POST", "/task_manager/ttl?ttl=0", 200),
                (writer, "POST", f"/task_manager/abort_task/{uuid.uuid4()}", 400),
            ]:
                headers = {"Authorization": f"token={token}"} if token else {}
                answer = request(base, method, path, headers=headers)
                assert answer.status == status, (token, method, path, answer.body)
                if status != 200:
                    error = json.loads(answer.body)
                    assert list(error) == ["message", "code"] and error["code"] == status
    finally:
        server.stop_everything()
