"""Runs of the kind `test` on a real server: trees of several levels, as every door shows them, across kill -9."""

import datetime

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
    """The children of a task in the native tree: attempts by their kind, steps by their key."""
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
    [shown] = [task for task in manager.tasks("test") if task["table"] == "tree"]
    below = {each["entity"]: each for each in manager.tree(shown["task_id"])}
    assert {"dc", "dc/rack", "dc/rack/a", "d"} <= set(below), below
    assert below["dc/rack/a"]["parent_id"] == below["dc/rack"]["id"]
    assert below["dc/rack"]["parent_id"] == below["dc"]["id"]

    assert [each["id"] for each in server.call("GET", "/v1/jobs")[1]] == ["beside"]


def test_a_tree_continues_after_kill_9(server):
    run = begin(server)

    def works():
        """Waits until both run: an attempt that was only ordered would simply start again."""
        steps = {item["id"]: item["key"] for item in native(server, "GET", "/tasks?kind=step&state=running")["items"]}
        attempts = native(server, "GET", "/tasks?kind=attempt&state=running")["items"]
        return {"dc/rack/a", "dc/rack/b"} <= {steps.get(attempt["parent"]) for attempt in attempts}

    eventually(works)
    server.kill()
    server.start()
    eventually(lambda: is_done(server, run))
    tree = native(server, "GET", f"/tasks/{run}/tree")
    rack = next(child for child in next(c for c in tree["children"] if c["key"] == "dc")["children"] if child["key"] == "dc/rack")
    attempts = {step["key"]: [each["state"] for each in step["children"]] for step in rack["children"]}
    assert attempts["dc/rack/a"] == ["done"], "its process went on without the server"
    assert sorted(attempts["dc/rack/b"]) == ["done", "failed"], "what was lost with the server was done again"


# ---- what steps wait for, and requests to runs


def states(server, run):
    tree = native(server, "GET", f"/tasks/{run}/tree")
    return {child["key"]: child["state"] for child in tree["children"]}


def test_steps_wait_for_a_lock_and_for_a_pause_across_a_kill(server):
    db = [{"name": "db"}]
    steps = [
        {"name": "a", "seconds": 30, "locks": db},
        {"name": "b", "seconds": 0.1, "locks": db},
        {"name": "c", "seconds": 0.1, "locks": db, "patienceSeconds": 1},
    ]
    native(server, "POST", "/jobs", {"id": "locked", "kind": "test", "spec": {"steps": steps, "onStop": "await"}})
    run = native(server, "POST", "/jobs/locked/runs")["id"]
    eventually(lambda: states(server, run) == {"a": "running", "b": "queued", "c": "failed"})
    server.kill()
    server.start()
    assert states(server, run)["b"] == "queued"
    why = native(server, "GET", f"/runs/{run}/explain")["reasons"]
    assert f"step 'b' waits: lock 'db' is held by step 'a' of run {run}" in [reason["message"] for reason in why]
    assert server.native("POST", f"/tasks/{run}/ask", {"word": "dance"})[0] == 422
    assert native(server, "POST", f"/tasks/{run}/ask", {"word": "pause"}) == {"state": "paused", "stopping": False}
    server.kill()
    server.start()
    assert native(server, "GET", f"/runs/{run}")["state"] == "paused"
    assert native(server, "POST", f"/tasks/{run}/ask", {"word": "resume"})["state"] == "running"
    asked = native(server, "POST", f"/tasks/{run}/abort")
    assert asked == {"state": "running", "stopping": True}, "what is stopped is awaited"
    eventually(lambda: native(server, "GET", f"/tasks/{run}")["state"] == "aborted")
    assert set(states(server, run).values()) <= {"failed", "aborted"}
    eventually(lambda: native(server, "GET", "/locks/db")["holder"] is None)


def test_a_run_for_later_waits_for_its_instant(server):
    native(server, "POST", "/jobs", {"id": "later", "kind": "test", "spec": {"steps": [{"name": "a"}]}})
    then = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    run = native(server, "POST", "/jobs/later/runs", {"env": {"NOT_BEFORE": then}})["id"]
    assert native(server, "GET", f"/runs/{run}")["state"] == "created"
    assert native(server, "GET", f"/runs/{run}/explain")["reasons"][0]["kind"] == "not_before"
    server.kill()
    server.start()
    eventually(lambda: native(server, "GET", f"/runs/{run}")["state"] == "done")
    assert native(server, "GET", f"/runs/{run}")["startedAt"] >= then
