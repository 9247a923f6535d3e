"""Tokens and permissions on a real server: metronome.md section 9. The door's transcripts have every case; these tests
cover the router in front of it, the native API, the command line, and the life of the list."""

import json
import os
import signal
import subprocess

import pytest

from docket_server import PROGRAM, Server, eventually, request

ROUTER = "dcos:adminrouter:service:metronome full"
JOBS = "dcos:service:metronome:metronome:jobs"


def add_user(file, name, *permissions):
    """The token of a new user."""
    flags = [flag for permission in permissions for flag in ("--permission", permission)]
    flags = flags or ["--superuser"]
    done = subprocess.run(
        [PROGRAM, "access", "add", "--file", str(file), *flags, name],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Guarded:
    """A server with an access list, and tokens of its users."""

    def __init__(self, directory, *flags):
        self.file = directory / "access.toml"
        self.tokens = {
            "root": add_user(self.file, "root"),
            "alice": add_user(self.file, "alice", ROUTER, f"{JOBS}:marketing full"),
            "watcher": add_user(self.file, "watcher", "docket:native read"),
            "outsider": add_user(self.file, "outsider", f"{JOBS} full"),
        }
        self.server = Server(directory / "data", "--access", str(self.file), *flags).start()

    def ask(self, who, method, path, body=None, base=None):
        headers = {"Authorization": f"token={self.tokens[who]}"} if who else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        return request(base or self.server.hub, method, path, body=body, headers=headers)

    def cli(self, token, *arguments):
        environment = {**os.environ, "DOCKET_URL": self.server.hub, "HOME": self.server.data}
        environment["DOCKET_TOKEN"] = token
        return subprocess.run(
            [PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=30
        )


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    running = Guarded(tmp_path_factory.mktemp("access"))
    yield running
    running.server.stop_everything()


def job(job_id):
    return {"id": job_id, "run": {"cpus": 0.01, "mem": 32, "disk": 0, "cmd": "true"}}


def test_the_router_speaks_html(guarded):
    answer = guarded.ask(None, "GET", "/service/metronome/v1/jobs")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "acsjwt"
    assert answer.headers["Content-Type"] == "text/html" and b"<html>" in answer.body
    answer = guarded.ask("outsider", "GET", "/service/metronome/v1/jobs")
    assert answer.status == 403 and b"<html>" in answer.body


def test_the_service_speaks_json(guarded):
    answer = guarded.ask(None, "GET", "/v1/jobs", base=guarded.server.metronome)
    assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "acsjwt"
    assert json.loads(answer.body) == {"message": "Invalid username or password."}
    answer = guarded.ask("outsider", "GET", "/v1/jobs", base=guarded.server.metronome)
    assert answer.status == 200
    assert guarded.ask(None, "GET", "/ping", base=guarded.server.metronome).status == 200


def test_groups_over_the_hub(guarded):
    hub = "/service/metronome/v1/jobs"
    assert guarded.ask("alice", "POST", hub, job("marketing.mail")).status == 201
    assert guarded.ask("alice", "POST", hub, job("sales.mail")).status == 403
    assert guarded.ask("root", "POST", hub, job("sales.mail")).status == 201
    shown = json.loads(guarded.ask("alice", "GET", hub).body)
    assert [entry["id"] for entry in shown] == ["marketing.mail"]
    assert guarded.ask("alice", "GET", hub + "/sales.mail").status == 404


def test_a_token_is_required_before_a_body_is_read(guarded):
    for body in (b"not JSON", b"{}", json.dumps(job("late")).encode()):
        answer = request(guarded.server.metronome, "POST", "/v1/jobs", body, {"Content-Type": "text/x"})
        assert answer.status == 401
        assert json.loads(answer.body) == {"message": "Invalid username or password."}
    assert guarded.ask("root", "POST", "/v1/jobs", {}, guarded.server.metronome).status == 422


def test_the_server_answers_only_to_its_own_names(tmp_path):
    server = Server(tmp_path / "data", "--host", "docket.example", "--host", "10.1.2.3").start()
    asked = [
        (server.metronome, "/v1/jobs", "message"),
        (server.metronome, "/ping", "message"),
        (server.hub, "/docket/v1/status", "detail"),
        (server.hub, "/service/metronome/v1/jobs", "message"),
        (server.scylla, "/task_manager/list_modules", "message"),
    ]
    try:
        for base, path, words in asked:
            for own in ("localhost", "LOCALHOST:1", "127.0.0.1", "0.0.0.0:1", "[::1]:9", "Docket.Example.", "10.1.2.3"):
                assert request(base, "GET", path, headers={"Host": own}).status == 200, own
            for other in ("evil.example", "example", "docket.example.evil", "10.1.2.4", "127.1"):
                answer = request(base, "GET", path, headers={"Host": other})
                assert answer.status == 421, other
                assert other in json.loads(answer.body)[words]
            assert request(base, "GET", path, headers={"Host": "not a host"}).status == 400
    finally:
        server.stop_everything()


def test_other_origins_are_refused_in_every_doors_shape(guarded):
    page = {"Origin": "http://evil.example", "Authorization": f"token={guarded.tokens['root']}"}
    server = guarded.server
    for base, path, words in [
        (server.metronome, "/v1/jobs", "message"),
        (server.hub, "/docket/v1/jobs", "detail"),
        (server.hub, "/service/metronome/v1/jobs", "message"),
        (server.scylla, "/task_manager/list_modules", "message"),
    ]:
        answer = request(base, "GET", path, headers=page)
        assert answer.status == 403 and "another origin" in json.loads(answer.body)[words]
        assert request(base, "GET", path, headers={**page, "Origin": base}).status == 200
    for base, path in [
        (server.metronome, "/ping"),
        (server.metronome, "/public/api/api.raml"),
        (server.hub, "/docket/v1/openapi.json"),
        (server.scylla, "/api-doc/openapi.json"),
    ]:
        assert request(base, "GET", path, headers=page).status == 200
        assert request(base, "POST", path, headers=page).status == 403


def test_the_native_api_has_readers_and_writers(guarded):
    answer = guarded.ask(None, "GET", "/docket/v1/status")
    assert answer.status == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "token" in json.loads(answer.body)["detail"]
    assert guarded.ask("watcher", "GET", "/docket/v1/status").status == 200
    refused = guarded.ask("watcher", "POST", "/docket/v1/jobs", {"id": "x"})
    assert refused.status == 403
    assert json.loads(refused.body)["detail"] == "This needs the permission docket:native full"
    assert refused.headers["X-Docket-Permission"] == "docket:native full"
    assert guarded.ask("alice", "GET", "/docket/v1/jobs").status == 403
    assert guarded.ask("root", "GET", "/docket/v1/jobs").status == 200


def test_a_large_body_of_a_stranger_is_not_kept(guarded):
    answer = request(
        guarded.server.hub, "POST", "/service/metronome/v1/jobs", body="x" * 90_000, headers={}
    )
    assert answer.status == 401


def test_the_command_line_says_what_to_do(guarded):
    done = guarded.cli("", "job", "list")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: authentication failed, please set DOCKET_TOKEN")
    done = guarded.cli(guarded.tokens["outsider"], "job", "list")
    missing = "; this needs the permission "
    refused = "Error: you are not authorized to perform this operation"
    assert done.stderr == f"{refused}{missing}{ROUTER}\n"
    done = guarded.cli(guarded.tokens["alice"], "job", "run", "sales.other")
    assert "does not exist" in done.stderr
    assert guarded.ask("root", "POST", "/service/metronome/v1/jobs", job("sales.other")).status == 201
    done = guarded.cli(guarded.tokens["alice"], "job", "run", "sales.other")
    assert f"Not Authorized to perform this action!{missing}{JOBS}:sales/other update" in done.stderr
    done = guarded.cli(guarded.tokens["watcher"], "secret", "remove", "x")
    assert done.stderr == "Error: 403 - This needs the permission docket:native full\n"
    done = guarded.cli(guarded.tokens["alice"], "job", "list")
    assert done.returncode == 0, done.stderr
    done = guarded.cli(guarded.tokens["watcher"], "status")
    assert done.returncode == 0, done.stderr
    done = guarded.cli("", "status")
    assert done.returncode == 1 and "Error: 401 - A valid token is needed" in done.stderr


def test_the_list_holds_no_token_and_neither_does_the_log(guarded):
    guarded.ask("root", "GET", "/docket/v1/status")
    kept = guarded.file.read_text() + "".join(guarded.server.log)
    for token in guarded.tokens.values():
        assert token not in kept
    assert guarded.file.stat().st_mode & 0o777 == 0o600


def test_sighup_reads_the_list_again_and_a_bad_one_changes_nothing(tmp_path):
    guarded = Guarded(tmp_path)
    server = guarded.server
    try:
        guarded.tokens["late"] = add_user(guarded.file, "late")
        assert guarded.ask("late", "GET", "/docket/v1/status").status == 401
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: guarded.ask("late", "GET", "/docket/v1/status").status == 200)
        guarded.file.write_text("[[user]]\nname = 'x'\n")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: any("the old access list stays in force" in line for line in server.log))
        assert guarded.ask("late", "GET", "/docket/v1/status").status == 200
        guarded.file.write_text("")  # no users
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: guarded.ask("root", "GET", "/docket/v1/status").status == 401)
    finally:
        server.stop_everything()


def test_addresses_other_than_loopback_with_a_list(tmp_path):
    file = tmp_path / "access.toml"
    token = add_user(file, "root")
    server = Server(tmp_path / "data", "--listen", "0.0.0.0:0", "--access", str(file)).start()
    try:
        base = server.hub.replace("0.0.0.0", "127.0.0.1")
        assert request(base, "GET", "/docket/v1/status").status == 401
        headers = {"Authorization": f"Bearer {token}"}
        assert request(base, "GET", "/docket/v1/status", headers=headers).status == 200
    finally:
        server.stop_everything()


def test_a_server_does_not_start_with_a_bad_list(tmp_path):
    file = tmp_path / "access.toml"
    file.write_text("[[user]]\nname = 'a'\ntoken = 'secret'\n")
    for path, complaint in [(file, "user a: unknown key token"), (tmp_path / "none", "none")]:
        done = subprocess.run(
            [PROGRAM, "serve", "--data", str(tmp_path / "data"), "--access", str(path)],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 1 and complaint in done.stderr


def test_a_user_is_added_once(tmp_path):
    file = tmp_path / "access.toml"
    add_user(file, "root")
    done = subprocess.run(
        [PROGRAM, "access", "add", "--file", str(file), "--superuser", "root"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1 and "already has a user root" in done.stderr


def access(file, *arguments):
    return subprocess.run(
        [PROGRAM, "access", *arguments, "--file", str(file)], capture_output=True, text=True, timeout=30
    )


def test_users_are_listed_and_removed(tmp_path):
    file = tmp_path / "access.toml"
    add_user(file, "root")
    add_user(file, "ci", "docket:native read", "docket:tasks full")
    listed = access(file, "list")
    assert [line.split("  ")[0].strip() for line in listed.stdout.splitlines()[1:]] == ["root", "ci"]
    assert "docket:native read; docket:tasks full" in listed.stdout
    assert json.loads(access(file, "list", "--json").stdout)[1] == {
        "name": "ci", "permissions": ["docket:native read", "docket:tasks full"]
    }
    assert access(file, "remove", "ci").returncode == 0
    assert "ci" not in access(file, "list").stdout.split()
    gone = access(file, "remove", "ci")
    assert gone.returncode == 1 and "has no user ci" in gone.stderr


def test_permissions_must_be_given_and_known(tmp_path):
    file = tmp_path / "access.toml"
    nothing = access(file, "add", "ci")
    assert nothing.returncode == 1 and "--superuser" in nothing.stderr
    mistyped = access(file, "add", "ci", "--permission", "docket:nativ read")
    assert mistyped.returncode == 1
    assert "no such resource: docket:nativ; did you mean docket:native?" in mistyped.stderr
    assert not file.exists()


def test_the_hub_has_a_page_that_names_the_doors(guarded):
    for method in ("GET", "HEAD"):
        page = request(guarded.server.hub, method, "/")
        assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    text = request(guarded.server.hub, "GET", "/").body.decode()
    for door in ("/docket/v1", "/service/metronome/v1", "/task_manager"):
        assert door in text
    lost = guarded.ask("root", "GET", "/no/such/path")
    assert (lost.status, json.loads(lost.body)["message"]) == (404, "Not found")
