"""The OpenAPI document, compared with the answers of the server that serves it."""

import datetime
import json
import re
from urllib.parse import quote

import pytest

from docket_server import eventually, job, request

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
DESCRIBES = {"description", "default", "properties", "examples", "title"}
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


class Schemas:
    """The part of JSON Schema that the document uses; an unknown keyword is a failure."""

    def __init__(self, document):
        self.document = document

    def resolve(self, node):
        while "$ref" in node:
            place = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                place = place[part.replace("~1", "/").replace("~0", "~")]
            node = place
        return node

    def check(self, value, schema, at=""):
        """Complaints."""
        schema = self.resolve(schema)
        complaints = []
        for keyword, rule in schema.items():
            if keyword in DESCRIBES:
                continue
            complaints += getattr(self, "check_" + keyword)(value, rule, schema, at)
        return complaints

    def check_type(self, value, rule, _, at):
        names = rule if isinstance(rule, list) else [rule]
        fits = any(
            isinstance(value, TYPES[name])
            and not (isinstance(value, bool) and name in ("integer", "number"))
            for name in names
        )
        return [] if fits else [f"{at}: {value!r} is no {names}"]

    def check_enum(self, value, rule, _, at):
        return [] if value in rule else [f"{at}: {value!r} is none of {rule}"]

    def check_required(self, value, rule, _, at):
        return [
            f"{at}: no {name}" for name in rule if isinstance(value, dict) and name not in value
        ]

    def check_additionalProperties(self, value, rule, schema, at):
        if not isinstance(value, dict):
            return []
        complaints, known = [], schema.get("properties", {})
        for name, member in value.items():
            if name in known:
                complaints += self.check(member, known[name], f"{at}/{name}")
            elif rule is False:
                complaints.append(f"{at}: {name} is not in the document")
            elif isinstance(rule, dict):
                complaints += self.check(member, rule, f"{at}/{name}")
        return complaints

    def check_items(self, value, rule, _, at):
        if not isinstance(value, list):
            return []
        return [
            complaint
            for n, item in enumerate(value)
            for complaint in self.check(item, rule, f"{at}/{n}")
        ]

    def check_oneOf(self, value, rule, _, at):
        fitting = [option for option in rule if not self.check(value, option)]
        return [] if len(fitting) == 1 else [f"{at}: fits {len(fitting)} of {len(rule)}"]

    def check_pattern(self, value, rule, _, at):
        return (
            []
            if not isinstance(value, str) or re.search(rule, value)
            else [f"{at}: {value!r} is not {rule}"]
        )

    def check_format(self, value, rule, _, at):
        if not isinstance(value, str):
            return []
        if rule == "date-time":
            datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
            return [] if value.endswith("Z") else [f"{at}: {value} is not UTC"]
        assert rule in ("int64", "int32", "double", "uuid"), rule
        return []

    def check_minimum(self, value, rule, _, at):
        return (
            []
            if not isinstance(value, (int, float)) or value >= rule
            else [f"{at}: {value} < {rule}"]
        )

    def check_maximum(self, value, rule, _, at):
        return (
            []
            if not isinstance(value, (int, float)) or value <= rule
            else [f"{at}: {value} > {rule}"]
        )

    def check_minLength(self, value, rule, _, at):
        return [] if not isinstance(value, str) or len(value) >= rule else [f"{at}: too short"]

    def check_maxLength(self, value, rule, _, at):
        return [] if not isinstance(value, str) or len(value) <= rule else [f"{at}: too long"]


@pytest.fixture(scope="module")
def document(shared):
    status, document = shared.native("GET", "/openapi.json")
    assert status == 200
    return document


def with_result(server):
    """A task that has a result."""
    steps = [{"name": "step", "work": "server", "result": {"is": 1}}]
    tree = {"id": "api.tree", "kind": "test", "spec": {"steps": steps}}
    assert server.native("POST", "/jobs", tree)[0] == 201
    server.native("POST", "/jobs/api.tree/runs")
    [step] = eventually(lambda: server.native("GET", "/tasks?kind=step&state=done")[1]["items"])
    return step["id"]


@pytest.fixture(scope="module")
def filled(shared):
    """Creates one of everything; returns values for the parameters in paths."""
    parent = {
        "id": "api.parent",
        "description": "d",
        "labels": {"team": "data"},
        "run": {
            "cmd": "echo out; echo err >&2",
            "cpus": 0.01,
            "mem": 32,
            "disk": 0,
            "env": {"A": "b", "S": {"secret": "s"}},
            "secrets": {"s": {"source": "api/secret"}},
            "locks": [{"name": "api-lock"}],
            "restart": {"policy": "ON_FAILURE", "activeDeadlineSeconds": 1},
        },
        "schedules": [
            {"id": "hourly", "cron": "0 * * * *", "concurrencyPolicy": "FORBID", "missed": "last"}
        ],
    }
    assert shared.native("PUT", "/secrets/api/secret", {"value": "v"})[0] in (200, 201, 204)
    status, body = shared.native("POST", "/jobs", parent)
    assert status == 201, body
    assert (
        shared.call(
            "POST",
            "/v1/jobs",
            {**job("api.child", "exit 1"), "dependencies": [{"id": "api.parent"}]},
        )[0]
        == 201
    )
    name = shared.run("api.parent", {"env": {"A": "c"}, "description": "again"})
    run = shared.ended("api.parent", name)
    assert run["state"] == "done", run
    eventually(lambda: any(shared.pages("/runs?job=api.child&limit=10")))
    event = shared.native("GET", "/events?limit=1")[1]["items"][0]["seq"]
    shared.add("api.waits", "sleep 1000")
    shared.run("api.waits")
    return {
        "job": "api.parent",
        "schedule": "hourly",
        "event": event,
        "with_result": with_result(shared),
        "run": run["id"],
        "task": run["attempts"][0]["id"],
        "stream": "stdout",
        "lock": "api-lock",
        "path": "api/secret",
    }


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield path, method, item[method], item.get("parameters", [])


def test_the_document_is_valid(document):
    schemas = Schemas(document)
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(document["info"])
    ids = [operation.get("operationId") for _, _, operation, _ in operations(document)]
    assert len(ids) == len({i for i in ids if i}) or not any(ids), "operation ids are unique"
    for path, method, operation, shared_parameters in operations(document):
        assert operation["responses"], f"{method} {path}"
        named = {
            schemas.resolve(parameter)["name"]
            for parameter in [*shared_parameters, *operation.get("parameters", [])]
            if schemas.resolve(parameter)["in"] == "path"
        }
        assert named == set(re.findall(r"{(\w+)}", path)), f"{method} {path}"


def test_every_reference_resolves(document):
    schemas, seen = Schemas(document), set()

    def visit(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                seen.add(node["$ref"])
                schemas.resolve(node)
            for child in node.values():
                visit(child)
        elif isinstance(node, list):
            for child in node:
                visit(child)

    visit(document)
    unused = {
        f"#/components/{kind}/{name}"
        for kind, named in document["components"].items()
        for name in named
    } - seen
    assert not unused


def schema_of(schemas, operation, status):
    response = schemas.resolve(
        operation["responses"].get(str(status)) or operation["responses"]["default"]
    )
    return {kind: media.get("schema", {}) for kind, media in response.get("content", {}).items()}


def test_every_get_answers_as_the_document_says(document, filled, shared):
    schemas, base, checked = (
        Schemas(document),
        document["servers"][0]["url"].rstrip("/") if document.get("servers") else "/docket/v1",
        0,
    )
    prefix = re.sub(r"^https?://[^/]+", "", base)
    for path, method, operation, _ in operations(document):
        if method != "get" or path == "/openapi.json":
            continue
        values = {**filled, "task": filled["with_result"]} if path.endswith("/result") else filled
        concrete = re.sub(r"{(\w+)}", lambda found: quote(values[found.group(1)]), path)
        answer = request(shared.hub, "GET", prefix + concrete)
        assert answer.status == 200, f"{concrete}: {answer}"
        kind = answer.headers["Content-Type"].split(";")[0]
        described = schema_of(schemas, operation, 200)
        assert kind in described, f"{concrete}: {kind} is none of {list(described)}"
        if kind == "application/json":
            value = json.loads(answer.body)
            assert not schemas.check(value, described[kind]), concrete
            if "items" in value and path not in ("/jobs/{job}/schedules/{schedule}/ledger",):
                assert value["items"], f"{concrete}: an empty list shows nothing"
        checked += 1
    assert checked > 15


def test_errors_answer_as_the_document_says(document, filled, shared):
    schemas, checked = Schemas(document), 0
    for path, method, operation, _ in operations(document):
        if method != "get" or "{" not in path or "404" not in operation["responses"]:
            continue
        concrete = re.sub(r"{\w+}", "999999", path)
        answer = request(shared.hub, "GET", "/docket/v1" + concrete)
        assert answer.status in (400, 404), concrete
        described = schema_of(schemas, operation, answer.status)
        kind = answer.headers["Content-Type"].split(";")[0]
        assert kind in described, f"{concrete}: {kind} is none of {list(described)}"
        problem = json.loads(answer.body)
        assert not schemas.check(problem, described[kind]), concrete
        assert problem["status"] == answer.status
        checked += 1
    assert checked > 5


def test_every_route_of_the_document_exists(document, shared):
    """A route names what it does not find; the door itself only says that the path is unknown."""
    assert shared.native("GET", "/nope")[1]["detail"] == "Not Found"
    for path, method, _, _ in operations(document):
        concrete = re.sub(r"{\w+}", "999999", path)
        answer = request(
            shared.hub,
            method.upper(),
            "/docket/v1" + concrete,
            b"{",
            {"Content-Type": "application/json"},
        )
        assert answer.status != 405, f"{method} {path}"
        assert (
            answer.status < 400 or json.loads(answer.body)["detail"] != "Not Found"
        ), f"{method} {path}: {answer.body}"
