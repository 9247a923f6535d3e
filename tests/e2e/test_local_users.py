"""Without an access list: the server's own user and root are served, other users are told how to get access. Needs
root, which can act as any user."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile

import pytest

from docket_server import PROGRAM, Answer, Server, eventually, job, request

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")

NOBODY, DAEMON = 65534, 1
HELP = ("--trust-group", "--allow-local-users", "--access")


def become(user):
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


def ask_as(user, base, path, method="GET", body=None):
    """One request of another user's process."""
    data = [] if body is None else ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    done = subprocess.run(
        [*become(user), "curl", "-sS", "-g", "-w", "\n%{http_code} %{content_type}", "-X", method]
        + [*data, base + path],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    text, _, words = done.stdout.rpartition("\n")
    status, _, content_type = words.partition(" ")
    return Answer(int(status), {"Content-Type": content_type}, text)


def port_of(base):
    return int(base.rsplit(":", 1)[1])


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server run by root."""
    server = Server(tmp_path_factory.mktemp("own") / "data", "--enable-test-api").start()
    server.add("a", "true")
    yield server
    server.stop_everything()


def test_another_user_is_refused_in_every_doors_shape(own):
    for base, path in [
        (own.hub, "/docket/v1/status"),
        (own.hub, "/docket/v1/openapi.json"),
        (own.hub, "/service/metronome/v1/jobs"),
        (own.hub, "/task_manager/list_modules"),
        (own.hub, "/no/such/path"),
        (own.metronome, "/v1/jobs"),
        (own.metronome, "/v1/jobs/a"),
        (own.metronome, "/service/metronome/v1/jobs"),
        (own.metronome, "/no/such/path"),
        (own.scylla, "/task_manager/list_modules"),
        (own.scylla, "/task_manager/ttl"),
    ]:
        answer = ask_as(NOBODY, base, path)
        assert answer.status == 403, (path, answer)
        said = json.loads(answer.body)
        if path.startswith("/docket/"):
            assert answer.headers["Content-Type"] == "application/problem+json"
            words = said["detail"]
        else:
            assert answer.headers["Content-Type"] == "application/json"
            words = said["message"]
        if base == own.scylla:
            assert list(said) == ["message", "code"] and said["code"] == 403
        assert all(way in words for way in HELP) and "user 65534" in words, words
        assert request(base, "GET", path).status != 403


def test_a_refused_user_changes_nothing(own):
    for base, method, path, body in [
        (own.metronome, "POST", "/v1/jobs", job("b", "true")),
        (own.metronome, "PUT", "/v1/jobs/a", job("a", "false")),
        (own.metronome, "POST", "/v1/jobs/a/runs", {}),
        (own.metronome, "POST", "/v1/jobs/a/runs", None),
        (own.metronome, "DELETE", "/v1/jobs/a", None),
        (own.hub, "POST", "/docket/v1/jobs", {"id": "b"}),
        (own.hub, "POST", "/docket/v1/maintenance/verify", None),
        (own.scylla, "GET", "/tasks/compaction/keyspace_scrub/docket", None),
        (own.scylla, "POST", "/task_manager/ttl?ttl=7", None),
        (own.scylla, "POST", "/task_manager_test/test_module", None),
    ]:
        assert ask_as(NOBODY, base, path, method, body).status == 403, path
    assert [entry["id"] for entry in own.call("GET", "/v1/jobs")[1]] == ["a"]
    assert own.call("GET", "/v1/jobs/a")[1]["run"]["cmd"] == "true"
    assert list(own.pages("/runs?limit=500")) == []
    assert list(own.pages("/tasks?module=maintenance")) == []
    assert own.call("GET", "/task_manager/ttl", base=own.scylla) == (200, 0)


def test_public_documents_are_for_everyone(own):
    assert ask_as(NOBODY, own.metronome, "/ping").body == "pong"
    for path in ["/info", "/leader", "/v1/metrics", "/public/api/api.raml"]:
        assert ask_as(NOBODY, own.metronome, path).status == 200, path


def test_a_user_is_refused_before_sending_a_body(own):
    asking = (
        "import socket, sys\n"
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "s.sendall(b'POST /v1/jobs HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 90000\\r\\n\\r\\n{')\n"
        "s.settimeout(10)\n"
        "print(s.recv(12).decode())\n"
    )
    done = subprocess.run(
        [*become(NOBODY), "/usr/bin/python3", "-c", asking, str(port_of(own.metronome))],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout.strip() == "HTTP/1.1 403", done.stderr


def test_the_command_line_explains_the_refusal(own):
    for command in (["status"], ["job", "list"], ["tasks", "modules"]):
        done = subprocess.run(
            [*become(NOBODY), PROGRAM, *command],
            env={"DOCKET_URL": own.hub, "HOME": "/", "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode != 0
        assert "--trust-group" in done.stderr, (command, done)


def test_a_job_of_another_user_cannot_make_jobs(own):
    """Otherwise anyone who may run a job as `nobody` could run it as root."""
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' -X POST {own.metronome}/v1/jobs/a/runs"
    own.add("climber", ask, user="nobody")
    run = own.ended("climber", own.run("climber"))
    assert own.output("climber", run["name"]) == 403
    own.add("own", ask)
    run = own.ended("own", own.run("own"))
    assert own.output("own", run["name"]) == 201


def exchange(base, raw, close=socket.SHUT_WR):
    with socket.create_connection(("127.0.0.1", port_of(base)), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(close)
        return connection.makefile("rb").read()


def test_a_half_closed_client_is_still_recognized(own):
    said = exchange(own.hub, b"GET /docket/v1/status HTTP/1.0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 "), said


def test_the_user_of_a_connection_is_looked_up_once(own):
    """Many requests on one connection, and many connections."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(own.hub), timeout=10)
    for _ in range(50):
        connection.request("GET", "/docket/v1/status")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
    connection.close()
    for _ in range(50):
        assert request(own.hub, "GET", "/docket/v1/status").status == 200


def test_members_of_a_group(tmp_path):
    server = Server(tmp_path / "data", "--trust-group", "nogroup").start()
    try:
        assert ask_as(NOBODY, server.metronome, "/v1/jobs").status == 200
        refused = ask_as(DAEMON, server.metronome, "/v1/jobs")
        assert refused.status == 403 and "members of the group nogroup" in refused.body
        assert request(server.metronome, "GET", "/v1/jobs").status == 200
    finally:
        server.stop_everything()


def test_every_local_user(tmp_path):
    server = Server(tmp_path / "data", "--allow-local-users").start()
    try:
        for user in (NOBODY, DAEMON, 4711):
            assert ask_as(user, server.metronome, "/v1/jobs").status == 200
            assert ask_as(user, server.hub, "/docket/v1/status").status == 200
    finally:
        server.stop_everything()


def test_a_server_run_by_an_ordinary_user(tmp_path_factory):
    directory = tempfile.mkdtemp(prefix="docket-nobody-")
    os.chown(directory, NOBODY, NOBODY)
    server = Server(directory + "/data", before=become(NOBODY)).start()
    try:
        assert ask_as(NOBODY, server.metronome, "/v1/jobs").status == 200
        assert request(server.metronome, "GET", "/v1/jobs").status == 200
        refused = ask_as(DAEMON, server.metronome, "/v1/jobs")
        assert refused.status == 403 and "root and its own user" in refused.body
        server.add("a", "id -un")
        run = server.ended("a", server.run("a"))
        assert server.output("a", run["name"]) == "nobody\n"
    finally:
        server.stop_everything()
        shutil.rmtree(directory)


@pytest.mark.parametrize("listen", ["[::1]:0", "[::]:0", "0.0.0.0:0"])
def test_over_every_kind_of_address(tmp_path, listen):
    server = Server(tmp_path / "data", "--listen", listen, "--port", "all=off", "--allow-open")
    server.flags.append("--port=all=off")
    server.start()
    try:
        port = port_of(server.hub)
        ways = {"[::1]:0": ["[::1]"], "[::]:0": ["[::1]", "127.0.0.1"], "0.0.0.0:0": ["127.0.0.1"]}
        for host in ways[listen]:
            base = f"http://{host}:{port}"
            assert ask_as(0, base, "/docket/v1/status").status == 200, base
            assert ask_as(NOBODY, base, "/docket/v1/status").status == 403, base
    finally:
        server.stop_everything()


def test_an_unknown_group(tmp_path):
    done = subprocess.run(
        [PROGRAM, "serve", "--data", str(tmp_path / "data"), "--trust-group", "no-such-group"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1 and "there is no group no-such-group" in done.stderr
