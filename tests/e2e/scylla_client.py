"""The Scylla Task Manager as its users call it, through `requests`."""

import contextlib
import http.client
import json
import select
import uuid

import requests


class TaskManager:
    def __init__(self, base):
        self.base = base
        self.session = requests.Session()

    def send(self, method, path, timeout_s=30, **params):
        return self.session.request(method, self.base + path, params=params, timeout=timeout_s)

    def ask(self, method, path, **params):
        """The JSON of an answer that must be 200; None for an empty body."""
        answer = self.send(method, path, **params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        return answer.json() if answer.content else None

    def modules(self):
        return self.ask("GET", "/task_manager/list_modules")

    def tasks(self, module="test", **filters):
        return self.ask("GET", f"/task_manager/list_module_tasks/{module}", **filters)

    def status(self, task):
        return self.ask("GET", f"/task_manager/task_status/{task}")

    def tree(self, task):
        return self.ask("GET", f"/task_manager/task_status_recursive/{task}")

    def wait(self, task, **params):
        return self.ask("GET", f"/task_manager/wait_task/{task}", **params)

    def is_gone(self, task):
        answer = self.send("GET", f"/task_manager/wait_task/{task}", timeout=0)
        if answer.status_code in (200, 408):
            return False
        assert (answer.status_code, answer.json()) == (
            400,
            {"message": f"task with id {task} not found", "code": 400},
        )
        return True

    # ---- the test API

    def new(self, **params):
        return self.ask("POST", "/task_manager_test/test_task", **params)

    def finish(self, task, error=None):
        params = {} if error is None else {"error": error}
        assert self.ask("POST", f"/task_manager_test/finish_test_task/{task}", **params) is None

    def unregister(self, task):
        """Its result does not matter: a failed task answers with its error, and stays."""
        self.send("DELETE", "/task_manager_test/test_task", task_id=task)

    @contextlib.contextmanager
    def test_module(self):
        assert self.ask("POST", "/task_manager_test/test_module") is None
        try:
            yield self
        finally:
            assert self.ask("DELETE", "/task_manager_test/test_module") is None

    @contextlib.contextmanager
    def test_task(self, **params):
        task = self.new(**params)
        try:
            yield task
        finally:
            self.unregister(task)

    @contextlib.contextmanager
    def lifetime(self, name="ttl", **seconds):
        """Sets a ttl, and restores the previous one."""
        path = f"/task_manager/{name}"
        before = self.ask("POST", path, **{name: seconds["seconds"]})
        try:
            yield
        finally:
            assert self.ask("POST", path, **{name: before}) == seconds["seconds"]


class Waiter:
    """Waits for a task on a connection of its own: the request is sent on construction, result() returns the answer."""

    def __init__(self, manager, task, query=""):
        self.connection = http.client.HTTPConnection(
            manager.base.removeprefix("http://"), timeout=60
        )
        self.connection.request("GET", f"/task_manager/wait_task/{task}{query}")

    def has_answer(self, within_s=0.0):
        return bool(select.select([self.connection.sock], [], [], within_s)[0])

    def result(self):
        """The HTTP status and the parsed body."""
        answer = self.connection.getresponse()
        body = json.loads(answer.read())
        self.connection.close()
        return answer.status, body

    def give_up(self):
        self.connection.close()


def heap_tree(manager, nodes):
    """A complete binary tree of running tasks, in heap order."""
    ids = [str(uuid.uuid4()) for _ in range(nodes)]
    for at, task in enumerate(ids):
        parent = {"parent_id": ids[(at - 1) // 2]} if at else {}
        assert manager.new(task_id=task, **parent) == task
    return ids
