"""The Scylla Task Manager driven through its test API, the way the suite of the original drives a server
(scylla-tasks.md section 7), in both modes of the switch "status read unregisters"."""

import uuid

import pytest

from docket_server import Server, eventually
from scylla_client import TaskManager, Waiter, heap_tree

LONG = 1_000_000_000


@pytest.fixture(scope="module", params=[True, False], ids=["seed", "newer"])
def servers(request, tmp_path_factory):
    flag = f"--status-read-unregisters={str(request.param).lower()}"
    server = Server(tmp_path_factory.mktemp("scylla") / "data", "--enable-test-api", flag).start()
    yield server, request.param
    server.stop_everything()


@pytest.fixture
def unregisters(servers):
    return servers[1]


@pytest.fixture
def manager(servers):
    client = TaskManager(servers[0].scylla)
    with client.lifetime(seconds=LONG), client.test_module():
        yield client


def ids_of(tasks):
    return sorted(task["task_id"] for task in tasks)


def check_sequence(manager, task, expected):
    assert manager.status(task)["sequence_number"] == expected


# ---- modules


def test_modules(servers):
    client = TaskManager(servers[0].scylla)
    assert "test" not in client.modules()
    with client.test_module():
        assert "test" in client.modules()
    assert "test" not in client.modules()
    for _ in range(2):
        with client.test_module(), client.test_task() as task:
            check_sequence(client, task, 1)


def test_unknown_module(manager):
    answer = manager.send("GET", "/task_manager/list_module_tasks/non-existing")
    assert answer.status_code == 400
    assert answer.json() == {
        "message": "std::runtime_error (module non-existing not found)",
        "code": 400,
    }
    assert manager.send("POST", "/task_manager/drain/non-existing").status_code == 400


# ---- lists


def test_tasks_of_a_module(manager):
    with manager.test_task(keyspace="ks") as one, manager.test_task(keyspace="ks") as two:
        assert ids_of(manager.tasks()) == sorted([one, two])
        assert all(task["state"] == "running" for task in manager.tasks())
        assert all(task["keyspace"] == "ks" for task in manager.tasks())


def test_the_members_of_a_list_element(manager):
    with manager.test_task(keyspace="ks", table="cf", entity="e"):
        assert list(manager.tasks()[0]) == [
            *("task_id", "state", "type", "kind", "scope", "keyspace", "table", "entity"),
            *("sequence_number", "shard", "start_time", "end_time"),
        ]


def test_filters(manager):
    one = manager.new(keyspace="ks1", table="t1")
    two = manager.new(keyspace="ks1", table="t2")
    three = manager.new(keyspace="ks2", table="t1")
    assert ids_of(manager.tasks(keyspace="ks1")) == sorted([one, two])
    assert ids_of(manager.tasks(table="t1")) == sorted([one, three])
    assert ids_of(manager.tasks(keyspace="ks1", table="t1")) == [one]
    assert manager.tasks(keyspace="ks3") == []


def test_an_empty_filter(manager, unregisters):
    manager.new(keyspace="ks")
    without = manager.new()
    found = ids_of(manager.tasks(keyspace=""))
    assert (found == [without]) if unregisters else (len(found) == 2)


def test_internal_tasks(manager):
    root = manager.new()
    child = manager.new(parent_id=root)
    assert ids_of(manager.tasks()) == [root]
    assert ids_of(manager.tasks(internal="False")) == [root]
    assert ids_of(manager.tasks(internal="True")) == sorted([root, child])
    manager.finish(child)
    assert ids_of(manager.tasks(internal="True")) == [root]


# ---- status


def test_the_status_of_a_running_task(manager):
    with manager.test_task(keyspace="ks", table="cf", entity="e", shard="1") as task:
        for _ in range(2):
            status = manager.status(task)
            assert status.pop("start_time") > "2020"
            assert status == {
                "id": task,
                "type": "test",
                "kind": "node",
                "scope": "test",
                "state": "running",
                "is_abortable": False,
                "end_time": "1970-01-01T00:00:00Z",
                "error": "",
                "parent_id": "none",
                "sequence_number": 1,
                "shard": 1,
                "keyspace": "ks",
                "table": "cf",
                "entity": "e",
                "progress_units": "",
                "progress_total": 1,
                "progress_completed": 0,
            }


def test_the_status_of_a_task_that_is_done(manager, unregisters):
    task = manager.new()
    manager.finish(task)
    status = manager.status(task)
    assert (status["state"], status["error"]) == ("done", "")
    assert status["end_time"] >= status["start_time"]
    assert manager.is_gone(task) == unregisters


def test_the_status_of_a_task_that_failed(manager, unregisters):
    task = manager.new()
    manager.finish(task, "Test task failed")
    status = manager.status(task)
    assert status["state"] == "failed"
    assert "Test task failed" in status["error"]
    assert manager.is_gone(task) == unregisters


def test_the_status_of_children(manager):
    root = manager.new(keyspace="ks")
    child = manager.new(parent_id=root)
    assert manager.status(child)["parent_id"] == root
    assert manager.status(root)["children_ids"] == [{"task_id": child, "node": "127.0.0.1"}]
    manager.finish(child, "bad")
    assert manager.is_gone(child)
    assert manager.status(root)["children_ids"] == [{"task_id": child, "node": "127.0.0.1"}]


def test_a_task_that_cannot_be_aborted(manager):
    with manager.test_task() as task:
        answer = manager.send("POST", f"/task_manager/abort_task/{task}")
        assert answer.status_code == 403
        assert answer.json()["message"] == f"task with id {task} cannot be aborted"
        assert manager.status(task)["state"] == "running"


# ---- waiting


def test_wait(manager):
    task = manager.new(keyspace="ks", table="cf")
    waiter = Waiter(manager, task)
    assert not waiter.has_answer(within_s=0.3)
    manager.finish(task)
    code, status = waiter.result()
    assert (code, status["id"], status["state"]) == (200, task, "done")
    assert (status["keyspace"], status["table"], status["sequence_number"]) == ("ks", "cf", 1)
    assert manager.status(task)["state"] == "done", "waiting unregisters nothing"


def test_wait_for_a_failure(manager):
    task = manager.new()
    waiter = Waiter(manager, task)
    manager.finish(task, "Test task failed")
    code, status = waiter.result()
    assert (code, status["state"]) == (200, "failed")


def test_wait_with_a_timeout(manager):
    with manager.test_task() as task:
        for timeout in (0, 1):
            answer = manager.send("GET", f"/task_manager/wait_task/{task}", timeout=timeout)
            assert answer.status_code == 408
            assert answer.json() == {"message": "timedout", "code": 408}
        assert manager.status(task)["state"] == "running"


def test_wait_for_a_child_that_is_folded(manager):
    root = manager.new()
    child = manager.new(parent_id=root)
    waiter = Waiter(manager, child)
    assert not waiter.has_answer(within_s=0.3)
    manager.finish(child)
    code, status = waiter.result()
    assert (code, status["id"]) == (200, child)
    assert manager.is_gone(child)


# ---- trees


def test_a_recursive_status(manager):
    t0 = manager.new()
    t1 = manager.new(parent_id=t0)
    t2 = manager.new(parent_id=t1)
    t3 = manager.new(parent_id=t0)
    manager.finish(t3)
    assert [status["id"] for status in manager.tree(t0)] == [t0, t1, t3, t2]


def test_a_recursive_status_unregisters_its_root(manager, unregisters):
    ids = heap_tree(manager, 3)
    for task in reversed(ids):
        manager.finish(task)
    assert len(manager.tree(ids[0])) == 3
    assert manager.is_gone(ids[0]) == unregisters


@pytest.mark.parametrize(
    "failed, shown",
    [
        ([], [0, 1, 2]),
        ([7], [0, 1, 2, 3, 7]),
        ([3], [0, 1, 2, 3]),
        ([3, 7], [0, 1, 2, 3, 7]),
        ([0, 1, 3, 7], [0, 1, 2, 3, 7]),
        ([1, 5, 12], [0, 1, 2, 5, 12]),
    ],
    ids=str,
)
def test_folding(manager, failed, shown):
    ids = heap_tree(manager, 15)
    for at in reversed(range(15)):
        manager.finish(ids[at], "Test task failed" if at in failed else None)
    statuses = manager.tree(ids[0])
    assert sorted(ids.index(status["id"]) for status in statuses) == shown
    for status in statuses:
        at = ids.index(status["id"])
        assert status["state"] == ("failed" if at in failed else "done")
        assert ("Test task failed" in status["error"]) == (at in failed)
        assert status["parent_id"] == (ids[(at - 1) // 2] if at else "none")


# ---- numbers


def test_sequence_numbers(manager):
    root = manager.new(shard="0")
    other = manager.new(shard="1")
    child = manager.new(shard="1", parent_id=root)
    second = manager.new(shard="0")
    assert [manager.status(task)["sequence_number"] for task in (root, other, child, second)] == [
        *(1, 1, 1, 2)
    ]


# ---- lifetimes


def test_ttl(manager):
    with manager.lifetime(seconds=2):
        assert manager.ask("GET", "/task_manager/ttl") == 2
        tasks = [manager.new(shard="0"), manager.new(shard="1")]
        for task in tasks:
            manager.finish(task)
        assert ids_of(manager.tasks()) == sorted(tasks)
        eventually(lambda: all(manager.is_gone(task) for task in tasks), timeout_s=3)


def test_ttl_of_user_tasks(manager):
    with manager.lifetime(seconds=10000), manager.lifetime("user_ttl", seconds=2):
        tasks = [manager.new(shard=shard, user_task="True") for shard in ("0", "1")]
        other = manager.new(user_task="False")
        for task in [*tasks, other]:
            manager.finish(task)
        eventually(lambda: all(manager.is_gone(task) for task in tasks), timeout_s=4)
        assert not manager.is_gone(other)


def test_ttl_of_nothing(manager):
    with manager.lifetime(seconds=0):
        task = manager.new()
        manager.finish(task)
        assert manager.is_gone(task)


def test_drain(manager):
    tasks = [manager.new(shard=shard) for shard in ("0", "1")]
    running = manager.new()
    for task in tasks:
        manager.finish(task)
    assert ids_of(manager.tasks()) == sorted([*tasks, running])
    assert manager.ask("POST", "/task_manager/drain/test") is None
    assert ids_of(manager.tasks()) == [running]


# ---- HTTP


def test_the_headers_of_the_original(manager):
    answer = manager.send("GET", "/task_manager/list_modules")
    assert answer.headers["Server"] == "Seastar httpd"
    assert "Date" in answer.headers
    assert answer.headers["Content-Length"] == str(len(answer.content))
    answer = manager.send("GET", "/task_manager/list_module_tasks/test")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    answer = manager.send("POST", "/task_manager/drain/test")
    assert answer.headers["Content-Length"] == "0"


def test_the_hub_has_it_too(manager, servers):
    hub = TaskManager(servers[0].hub)
    with manager.test_task() as task:
        assert hub.status(task) == manager.status(task)


def test_an_id_chosen_by_the_client(manager):
    task = str(uuid.uuid4())
    assert manager.new(task_id=task.upper()) == task
    assert manager.status(task.replace("-", ""))["id"] == task
