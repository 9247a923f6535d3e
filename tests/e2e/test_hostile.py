"""Hostile clients: each gets the right status, the server's memory stays bounded, and it answers
other clients quickly, during and after."""

import json
import os
import resource
import socket
import time

import pytest

from docket_server import Server, eventually, job, request

# How much the server may grow, in MiB, over its size before a hostile client connected.
MOST_MIB = 48
QUICK_S = 2.0  # an answer to another client; generous, because test machines are busy


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("hostile") / "data").start()
    server.add("bystander", "true")
    yield server
    server.stop_everything()


@pytest.fixture(autouse=True)
def unharmed(target):
    """After every test here the server must not have grown, must live, and must answer quickly."""
    before = target.resident_mib()
    yield
    began = time.monotonic()
    assert target.call("GET", "/v1/jobs/bystander")[0] == 200
    assert target.native("GET", "/status")[0] == 200
    assert time.monotonic() - began < QUICK_S
    assert target.resident_mib() - before < MOST_MIB
    assert target.process.poll() is None
    assert [one["id"] for one in target.call("GET", "/v1/jobs")[1]] == [
        "bystander"
    ], "nothing was changed"


def connect(target, timeout_s=20):
    host, port = target.metronome.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=timeout_s)


def drain(connection):
    """All that the server sends until it closes, even while we are still sending."""
    said = b""
    try:
        while piece := connection.recv(1 << 16):
            said += piece
    except ConnectionError:
        pass
    return said


def statuses(said):
    return [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]


def send_all(connection, data):
    """Sends as much as the server accepts."""
    try:
        connection.sendall(data)
    except ConnectionError:
        pass


def exchange(target, data):
    with connect(target) as connection:
        send_all(connection, data)
        try:
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return drain(connection)


def post(path, body, headers=""):
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


# ---- bodies


def test_ten_megabytes_of_body(target):
    answer = request(
        target.metronome,
        "POST",
        "/v1/jobs",
        json.dumps({**job("big", "true"), "description": "x" * (10 << 20)}).encode(),
        {"Content-Type": "application/json"},
    )
    assert answer.status == 413
    assert json.loads(answer.body) == {
        "message": "Request Entity Too Large",
        "requestPath": "/v1/jobs",
    }


def test_ten_megabytes_where_bodies_are_ignored(target):
    said = exchange(target, post("/v1/jobs/nope/runs", b"x" * (10 << 20)))
    assert statuses(said)[:1] in ([413], [404])


def test_a_length_beyond_any_memory(target):
    said = exchange(
        target,
        (
            b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
            b" application/json\r\nContent-Length: 99999999999999\r\n\r\n{"
        ),
    )
    assert statuses(said) == [413]


@pytest.mark.parametrize("length", ["-1", "1e3", "18446744073709551617", "5, 6", "x"])
def test_invalid_lengths(target, length):
    said = exchange(
        target,
        f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{{}}".encode(),
    )
    assert statuses(said)[:1] in ([400], [413]) and len(statuses(said)) == 1


def test_two_lengths_smuggle_nothing(target):
    smuggled = b"DELETE /v1/jobs/bystander HTTP/1.1\r\nHost: localhost\r\n\r\n"
    said = exchange(
        target,
        b"POST /v1/jobs/bystander/schedules HTTP/1.1\r\nHost: localhost\r\nContent-Length:"
        b" %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (len(smuggled) + 5)
        + smuggled,
    )
    assert statuses(said) == [400]


def test_a_chunked_body_without_end(target):
    with connect(target) as connection:
        send_all(
            connection,
            (
                b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
                b" application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            ),
        )
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        sent = 0
        connection.settimeout(5)
        try:
            while sent < 64 << 20:
                connection.sendall(piece)
                sent += len(piece)
        except (ConnectionError, TimeoutError):
            pass
        assert statuses(drain(connection)) == [413]
    assert sent < 64 << 20, "the server hangs up on it"


@pytest.mark.parametrize("size", [b"ffffffffffffffffff", b"-1", b"zz"])
def test_invalid_chunk_sizes(target, size):
    said = exchange(
        target,
        b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding:"
        b" chunked\r\n\r\n"
        + size
        + b"\r\nabc",
    )
    assert len(statuses(said)) == 1 and statuses(said)[0] in (400, 413)


@pytest.mark.parametrize(
    "opening, closing", [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"]
)
@pytest.mark.parametrize("closed", [True, False], ids=["closed", "open"])
def test_json_ten_thousand_deep(target, opening, closing, closed):
    body = opening * 10_000 + (b"1" + closing * 10_000 if closed else b"")
    answer = request(
        target.metronome, "POST", "/v1/jobs", body, {"Content-Type": "application/json"}
    )
    assert answer.status == 400 and json.loads(answer.body)["message"].startswith("Invalid Json: ")
    answer = request(
        target.hub, "POST", "/docket/v1/jobs", body, {"Content-Type": "application/json"}
    )
    assert answer.status in (400, 422)


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"\xff\xfe"}',
        b'{"id":"a","run":{"cmd":"\xc0\xaf","cpus":1,"mem":32,"disk":0}}',
        b'{"id":"\xed\xa0\x80"}',
        b"\x00",
        b'{"id":"\\ud800"}',
        b"",
    ],
    ids=repr,
)
def test_bodies_that_are_not_utf_8_or_not_json(target, body):
    answer = request(
        target.metronome, "POST", "/v1/jobs", body, {"Content-Type": "application/json"}
    )
    assert answer.status in (400, 422)
    json.loads(answer.body.decode())  # the error body itself is valid


# ---- request lines and header fields


def test_a_hundred_thousand_header_fields(target):
    fields = b"".join(b"X-Field-%d: value\r\n" % n for n in range(100_000))
    assert statuses(exchange(target, b"GET /ping HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n")) == [
        431
    ]


def test_one_endless_header_field(target):
    assert statuses(
        exchange(target, b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * (8 << 20))
    ) == [431]


def test_an_endless_request_line(target):
    assert statuses(exchange(target, b"GET /" + b"y" * (8 << 20))) in ([414], [431])


@pytest.mark.parametrize(
    "path",
    [
        b"/v1/jobs/\xff\xfe",
        b"/v1/jobs/%ff%fe",
        b"/v1/jobs/a%00b",
        b"/v1/jobs/%zz",
        b"/v1/jobs/..%2f..%2fetc",
        b"/v1/jobs?embed=%ff",
        b"/v1/jobs?embed=\xff",
        b"/v1/jobs/bystander/runs/%c0%ae",
        b"/docket/v1/jobs/%ff",
        b"/v1/jobs/" + b"a." * 5000,
    ],
    ids=lambda path: repr(path[:30]),
)
def test_invalid_targets(target, path):
    said = exchange(target, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert len(statuses(said)) == 1 and statuses(said)[0] in (400, 404)
    said.split(b"\r\n\r\n", 1)[1].decode()  # its answer is UTF-8


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"\r\n" * 1000 + b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"G\x00T / HTTP/1.1\r\n\r\n",
        b"GET /ping\r\n\r\n",
        b"GET /ping HTTP/1.1\r\nHost: localhost\r\nNo colon here\r\n\r\n",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_input_that_is_not_http(target, data):
    found = statuses(exchange(target, data))
    assert all(status in (400, 404, 431, 505) for status in found) and len(found) <= 1


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/jobs/bystander/runs HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST /v1/jobs/bystander/runs HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"POST /v1/jobs/bystander/runs HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/jobs/bystander/runs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["no host", "two hosts", "chunks in 1.0", "two codings"],
)
def test_ambiguous_heads(target, head):
    assert statuses(exchange(target, head)) == [400]
    assert list(target.pages("/runs?limit=500")) == []


# ---- connections


def test_a_thousand_requests_in_one_piece(target):
    one = b"GET /v1/jobs/bystander HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert statuses(exchange(target, one * 1000)) == [200] * 1000


def test_a_client_that_asks_and_never_reads(target):
    connection = connect(target, timeout_s=0.5)
    try:
        one = b"GET /public/api/v1/schema/jobspec.schema.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000
        for _ in range(200):
            connection.sendall(one)
    except OSError:
        pass  # it stopped taking more, as it should
    assert target.call("GET", "/ping") == (200, "pong")
    connection.close()


def test_half_closed_sockets(target):
    said = exchange(
        target, b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )  # exchange() closes its half first
    assert said.endswith(b"pong") and statuses(said) == [200]
    said = exchange(target, b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    assert statuses(said) in ([], [400]), "half a request is no request"


def test_clients_that_disconnect_midway(target):
    for n in range(200):
        connection = connect(target)
        connection.sendall(post("/v1/jobs", b'{"id":"never"}')[: 20 + n % 90])
        # A reset, not a close.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()


def open_files(count):
    """Raises this process's own limit; the server sets its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 100:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 100), hard))


def test_five_thousand_idle_connections(target):
    open_files(5000)
    before = target.resident_mib()
    idle = [connect(target) for _ in range(5000)]
    try:
        began = time.monotonic()
        assert target.call("GET", "/v1/jobs/bystander")[0] == 200
        assert time.monotonic() - began < QUICK_S
        for connection in idle[::1000]:
            connection.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1000).endswith(b"pong")
        assert target.resident_mib() - before < MOST_MIB, "under 10 KiB a connection"
    finally:
        for connection in idle:
            connection.close()
    pid = target.process.pid
    eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) < 200)


def test_slow_loris(target):
    """408 after the 15 s that the server grants a request, whether or not bytes trickle in."""
    slow = [connect(target, timeout_s=30) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    body = connect(target, timeout_s=30)
    body.sendall(
        b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length:"
        b" 50000\r\n\r\n{"
    )
    trickle = connect(target, timeout_s=1)
    trickle.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    began, said = time.monotonic(), b""
    while not said and time.monotonic() - began < 25:
        trickle.sendall(b"y")
        try:
            said = trickle.recv(1000)
        except TimeoutError:
            assert target.call("GET", "/ping") == (200, "pong")
    assert statuses(said) == [408]
    assert 10 < time.monotonic() - began < 20
    for connection in [*slow, body]:
        assert statuses(drain(connection)) == [408]
        connection.close()
    trickle.close()
