"""Runs of the kind `test` on a real server: trees of several levels, as every door shows them, across kill -9."""

import pytest

from docket_server import Server, eventually
from scylla_client import TaskManager

TREE = {
    "id": "tree",
    "kind": "test",
    "spec": {
        "concurrency": 4,
        "onLost": "restart",
        "steps": [
            {
                "name": "dc",
                "steps": [
                    {"name": "rack", "steps": [{"name": "a", "seconds": 1.5}, {"name": "b", "seconds": 1, "work": "server", "parts": 4}]},
                    {"name": "c", "seconds": 0.1, "folds": True},
                ],
            },
            {"name": "d", "work": "server", "parts": 2, "result": {"rows": [1, 2]}},
        ],
    },
}


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path / "data", "--enable-test-api").start()
    yield running
    running.stop_everything()


def native(server, method, path, body=None):
    code, answer = server.native(method, path, body)
    assert code < 300, answer
    return answer


def begin(server):
    native(server, "POST", "/jobs", TREE)
    return native(server, "POST", "/jobs/tree/runs")["id"]


def shape(task):
    """What is below a task of the native tree: attempts by their kind, steps by their key."""
    return {
        (child.get("key") or child["kind"]): shape(child) for child in task["children"]
    }


def is_done(server, run):
    task = native(server, "GET", f"/tasks/{run}")
    assert task["state"] in ("running", "queued", "done"), task
    return task["state"] == "done"


def test_a_tree_is_shown_by_every_door(server):
    server.add("beside", "true")
    server.ended("beside", server.run("beside"))
    run = begin(server)
    eventually(lambda: is_done(server, run))
    tree = native(server, "GET", f"/tasks/{run}/tree")
    assert shape(tree) == {
        "dc": {"dc/rack": {"dc/rack/a": {"attempt": {}}, "dc/rack/b": {"attempt": {}}}, "dc/c": {"attempt": {}}},
        "d": {"attempt": {}},
    }
    steps = {item["key"]: item for item in native(server, "GET", "/tasks?kind=step")["items"]}
    assert {step["state"] for step in steps.values()} == {"done"}
    assert steps["dc/rack/b"]["facts"]["attempt"], "an executor says facts of its step"
    of_d = native(server, "GET", "/events?task=" + steps["d"]["id"])["items"]
    notes = [item["message"] for item in of_d if item.get("message")]
    assert [note for note in notes if note.startswith("part")] == ["part 1 of 2", "part 2 of 2"]

    [first, _] = [item for item in of_d if item.get("subtype") == "change/part"]
    assert "detail" not in first, "lists are short"
    detail = native(server, "GET", f"/events/{first['seq']}")["detail"]
    assert detail == {"resource": "part 1", "changes": True, "before": {"parts": 0}, "after": {"parts": 1}, "traceback": None}
    assert native(server, "GET", "/tasks/" + steps["d"]["id"] + "/result") == {"rows": [1, 2]}
    code, problem = server.native("GET", f"/tasks/{run}/result")
    assert code == 404 and "has no result" in problem["detail"]
    assert server.native("GET", "/events/999999999")[0] == 404
    assert server.native("GET", "/events/x")[0] == 404

    manager = TaskManager(server.scylla)
    [shown] = [task for task in manager.tasks("process") if task["table"] == "tree"]
    below = {each["entity"]: each for each in manager.tree(shown["task_id"])}
    assert {"dc", "dc/rack", "dc/rack/a", "d"} <= set(below), below
    assert below["dc/rack/a"]["parent_id"] == below["dc/rack"]["id"]
    assert below["dc/rack"]["parent_id"] == below["dc"]["id"]

    assert [each["id"] for each in server.call("GET", "/v1/jobs")[1]] == ["beside"]


def test_a_tree_goes_on_after_kill_9(server):
    run = begin(server)

    def works():
        steps = {item["key"]: item["state"] for item in native(server, "GET", "/tasks?kind=step&state=running")["items"]}
        return {"dc/rack/a", "dc/rack/b"} <= set(steps)

    eventually(works)
    server.kill()
    server.start()
    eventually(lambda: is_done(server, run))
    tree = native(server, "GET", f"/tasks/{run}/tree")
    rack = next(child for child in next(c for c in tree["children"] if c["key"] == "dc")["children"] if child["key"] == "dc/rack")
    attempts = {step["key"]: [each["state"] for each in step["children"]] for step in rack["children"]}
    assert attempts["dc/rack/a"] == ["done"], "its process went on without the server"
    assert sorted(attempts["dc/rack/b"]) == ["done", "failed"], "what was lost with the server was done again"
