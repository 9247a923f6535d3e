"""Properties of the Metronome wire that only show in bytes: methods, statuses, header fields, limits,
slashes, streams."""

import json
import re
import socket
import threading
import time

import pytest

from docket_server import eventually, job, request

JSON = {"Content-Type": "application/json"}
LIMIT = 100 * 1024


@pytest.fixture(params=["own port", "hub"])
def base(request, shared):
    """The door where clients find it: its own port, and the hub under the front router's prefix."""
    return shared.metronome if request.param == "own port" else shared.hub + "/service/metronome"


def split(base):
    """The server and path prefix of a base URL."""
    found = re.fullmatch(r"(http://[^/]+)(.*)", base)
    return found.group(1), found.group(2)


# The door does not see the front router's prefix: "requestPath" does not include it.
def ask(base, method, path, body=None, headers=None):
    server, prefix = split(base)
    return request(server, method, prefix + path, body, headers)


def padded_job(size):
    """A job whose JSON has exactly that many bytes."""
    bare = json.dumps({**job("padded", "true"), "description": ""})
    return json.dumps({**job("padded", "true"), "description": "x" * (size - len(bare))}).encode()


def test_ping(base):
    answer = ask(base, "GET", "/ping")
    assert (answer.status, answer.body) == (200, b"pong")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_info_shows_settings_but_no_paths_to_everyone(base, shared):
    config = json.loads(ask(base, "GET", "/info").body)["config"]
    assert config["retention-days"] == "30" and config["running-max"] == "5000"
    assert not any(shared.data in value for value in config.values())


@pytest.mark.parametrize("path", ["/info", "/leader", "/v1/metrics", "/v1/queue", "/v1/jobs"])
def test_json_answers_name_no_charset(base, path):
    answer = ask(base, "GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    json.loads(answer.body)


@pytest.mark.parametrize(
    "path",
    ["/ping", "/info", "/v1/jobs", "/v1/jobs/head", "/v1/jobs/nope", "/nope", "/v1/jobs/head/runs"],
)
def test_head_is_get_without_body(base, shared, path):
    shared.call("POST", "/v1/jobs", job("head", "true"))
    get, head = ask(base, "GET", path), ask(base, "HEAD", path)
    assert head.status == get.status and head.body == b""
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"]
)
def test_other_content_types_are_415(base, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = ask(base, "POST", "/v1/jobs", json.dumps(job("typed", "true")).encode(), headers)
    assert answer.status == 415
    assert json.loads(answer.body) == {
        "message": "Expecting text/json or application/json body",
        "requestPath": "/v1/jobs",
    }
    assert ask(base, "GET", "/v1/jobs/typed").status == 404


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/json", "application/json; charset=utf-8", "Application/JSON"],
)
def test_json_content_types(base, content_type):
    answer = ask(
        base,
        "POST",
        "/v1/jobs",
        json.dumps(job("json-typed", "true")).encode(),
        {"Content-Type": content_type},
    )
    assert answer.status == 201
    assert ask(base, "DELETE", "/v1/jobs/json-typed").status == 200


def test_body_limit(base):
    refused = ask(base, "POST", "/v1/jobs", padded_job(LIMIT + 1), JSON)
    assert (refused.status, json.loads(refused.body)["message"]) == (
        413,
        "Request Entity Too Large",
    )
    assert ask(base, "GET", "/v1/jobs/padded").status == 404
    assert ask(base, "POST", "/v1/jobs", padded_job(LIMIT), JSON).status == 201
    assert ask(base, "DELETE", "/v1/jobs/padded").status == 200


@pytest.mark.parametrize(
    "path, body",
    [
        ("/v1/jobs/nope", {"id": "nope", "message": "Job not found"}),
        ("/v1/jobs/nope/runs", {"id": "nope", "message": "Job not found"}),
        (
            "/v1/jobs/nope/runs/20160725212507ghwfZ",
            {"jobSpec": "nope", "id": "20160725212507ghwfZ", "message": "Job Run not found"},
        ),
        ("/v1/jobs/nope/schedules/nightly", {"id": "nope", "message": "Job not found"}),
    ],
)
def test_not_found(base, path, body):
    answer = ask(base, "GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json")
    assert json.loads(answer.body) == body


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/v1/nope"),
        ("GET", "/v1/info"),
        ("POST", "/v1/jobs/some"),
        ("PATCH", "/v1/jobs"),
        ("DELETE", "/v1/jobs"),
        ("GET", "/v1/jobs/some/history"),
        ("PUT", "/v1/jobs/some/runs"),
    ],
)
def test_unknown_routes_are_404_never_405(base, method, path):
    answer = ask(base, method, path)
    assert answer.status == 404
    assert json.loads(answer.body) == {"message": "Unknown route.", "requestPath": path}


def test_slashes(base):
    server, prefix = split(base)
    assert (
        ask(base, "POST", "/v1/jobs", json.dumps(job("slashes", "true")).encode(), JSON).status
        == 201
    )
    schedule = {"id": "nightly", "cron": "20 0 * * *"}
    assert (
        ask(base, "POST", "/v1/jobs/slashes/schedules/", json.dumps(schedule).encode(), JSON).status
        == 201
    )
    for path in (
        "/v1/jobs/",
        "//v1///jobs",
        "/v1/jobs/slashes/",
        "/v1/jobs/slashes/runs/",
        "/v1/jobs/slashes/schedules//nightly",
    ):
        assert ask(base, "GET", path).status == 200, path
    assert request(server, "GET", "/" + prefix + "//v1/jobs").status == 200
    deleted = ask(base, "DELETE", "/v1/jobs/slashes/schedules//nightly")
    assert (deleted.status, deleted.body, deleted.headers["Content-Type"]) == (200, b"", None)
    assert ask(base, "DELETE", "/v1/jobs/slashes").status == 200


def test_unknown_parameters_are_ignored_wrong_ones_refused(base):
    assert (
        ask(base, "GET", "/v1/jobs?_timestamp=1&foo=bar&foo=baz&embed=activeRuns,history").status
        == 200
    )
    answer = ask(base, "GET", "/v1/jobs?embed=nope")
    assert answer.status == 400
    assert (
        json.loads(answer.body)["message"]
        == "Unknown embed options. Valid options are: activeRuns, schedules, history,"
        " historySummary"
    )
    assert ask(base, "DELETE", "/v1/jobs/any?stopCurrentJobRuns=perhaps").status == 400
    assert ask(base, "GET", "/v1/jobs/UPPER").status == 400


def test_numbers_and_instants(base):
    body = {"id": "numbers", "run": {"cmd": "true", "cpus": 1.0, "mem": 32.0, "disk": 0.5}}
    text = ask(base, "POST", "/v1/jobs", json.dumps(body).encode(), JSON).body.decode()
    assert '"cpus":1,"mem":32,"disk":0.5,"gpus":0' in text
    run = ask(base, "POST", "/v1/jobs/numbers/runs").body.decode()
    assert re.search(
        r'"createdAt":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000","completedAt":null', run
    )
    assert ask(base, "DELETE", "/v1/jobs/numbers?stopCurrentJobRuns=true").status == 200


def test_runs_take_any_body(base, shared):
    shared.add("any-body", "true")
    for body, headers in (
        (None, {}),
        (b"", JSON),
        (b"{}", JSON),
        (b"not json", {"Content-Type": "text/plain"}),
        (b"[1]", {}),
    ):
        assert ask(base, "POST", "/v1/jobs/any-body/runs", body, headers).status == 201, body
    assert ask(base, "DELETE", "/v1/jobs/any-body?stopCurrentJobRuns=1").status == 200


def test_expect_continue(base):
    server, prefix = split(base)
    host, port = server.removeprefix("http://").split(":")
    body = json.dumps(job("expected", "true")).encode()
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            f"POST {prefix}/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
            .encode()
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert b"HTTP/1.1 201 " in connection.recv(10000)
    assert ask(base, "DELETE", "/v1/jobs/expected").status == 200


# ---- what docket adds


class Events(threading.Thread):
    """Reads a stream of Server-Sent Events into a list of (name, id, data)."""

    def __init__(self, base, last_id=None):
        super().__init__(daemon=True)
        server, prefix = split(base)
        host, port = server.removeprefix("http://").split(":")
        self.connection = socket.create_connection((host, int(port)), timeout=20)
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.connection.sendall(
            f"GET {prefix}/v1/events HTTP/1.0\r\nHost: localhost\r\n{resume}\r\n".encode()
        )
        self.file = self.connection.makefile("rb")
        self.head = b"".join(iter(self.file.readline, b"\r\n")).decode()
        self.events = []
        self.start()

    def run(self):
        fields = {}
        try:
            for raw in self.file:
                line = raw.decode().rstrip("\r\n")
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.strip()
                elif "data" in fields:
                    self.events.append((fields["event"], fields["id"], json.loads(fields["data"])))
                    fields = {}
        except OSError:
            pass  # the test is over

    def names_of(self, job_id):
        return [
            name
            for name, _, data in list(self.events)
            if data.get("jobId", data.get("id")) == job_id
        ]

    def close(self):
        self.connection.shutdown(socket.SHUT_RDWR)
        self.join()
        self.connection.close()


def test_events_arrive_live(base, shared):
    events = Events(base)
    assert events.head.startswith("HTTP/1.") and " 200 " in events.head.splitlines()[0]
    assert "content-type: text/event-stream" in events.head.lower()
    shared.add("live", "true")
    run = shared.run("live")
    eventually(lambda: "job_run_finished" in events.names_of("live"))
    shared.call("DELETE", "/v1/jobs/live?stopCurrentJobRuns=true")
    eventually(lambda: "job_deleted" in events.names_of("live"))
    names = events.names_of("live")
    assert names[:2] == ["job_created", "job_run_started"]
    assert names[-2:] == ["job_run_finished", "job_deleted"]
    assert set(names[2:-2]) <= {"job_run_updated"}
    [finished] = [data for name, _, data in events.events if name == "job_run_finished"]
    assert (finished["id"], finished["jobId"], finished["status"]) == (run, "live", "SUCCESS")
    first = events.events[0][1]
    events.close()

    again = Events(base, last_id=first)
    eventually(lambda: "job_deleted" in again.names_of("live"))
    assert again.names_of("live") == names[1:], "resumes behind the event the client saw last"
    again.close()


def test_events_report_failure(base, shared):
    events = Events(base)
    shared.add("live-failure", "exit 3")
    shared.run("live-failure")
    eventually(lambda: "job_run_failed" in events.names_of("live-failure"))
    events.close()
    shared.call("DELETE", "/v1/jobs/live-failure")


def test_all_runs_by_pages(base, shared):
    shared.add("paged", "true")
    runs = []
    for _ in range(5):
        runs.append(shared.run("paged"))
        shared.ended("paged", runs[-1])
    assert json.loads(ask(base, "GET", "/v1/jobs/paged/runs").body) == []

    def page(query):
        answer = ask(base, "GET", "/v1/jobs/paged/runs" + query)
        assert answer.status == 200, answer
        link = answer.headers["Link"]
        return [run["id"] for run in json.loads(answer.body)], link and re.fullmatch(
            r'<(\?.*)>; rel="next"', link
        ).group(1)

    seen, query = [], "?all=true&limit=2"
    while query:
        ids, query = page(query)
        assert len(ids) <= 2
        seen += ids
    assert seen == runs[::-1]
    whole = json.loads(ask(base, "GET", "/v1/jobs/paged/runs?all=TRUE").body)
    assert {run["status"] for run in whole} == {"SUCCESS"} and all(
        run["completedAt"] for run in whole
    )
    shared.call("DELETE", "/v1/jobs/paged")


def test_a_run_is_in_the_history_before_it_is_gone(base, shared):
    """Clients poll a run until it is 404 and then read the history, once."""
    shared.add("poll", "true")
    for count in range(1, 6):
        run = shared.run("poll")
        deadline = time.monotonic() + 20
        while ask(base, "GET", f"/v1/jobs/poll/runs/{run}").status == 200:
            assert time.monotonic() < deadline
        history = json.loads(ask(base, "GET", "/v1/jobs/poll?embed=history").body)["history"]
        assert history["successCount"] == count, (history, shared.ended("poll", run))
        assert history["successfulFinishedRuns"][0]["id"] == run
    shared.call("DELETE", "/v1/jobs/poll")
