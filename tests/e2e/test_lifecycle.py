"""The server starts, refuses to start, stops, and is started again."""

import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from docket_server import PROGRAM, Server, alive, eventually, job, parse, request


def serve(*flags):
    """A server that is expected not to start."""
    return subprocess.run(
        [PROGRAM, "serve", *map(str, flags)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


LOOPBACK = ["--listen", "127.0.0.1:0", "--port", "all=off"]


def port_of(url):
    return int(url.rsplit(":", 1)[1])


def waits_for(fifo, then="exit 0"):
    return f"read line < {fifo}; {then}"


# ---- an orderly stop


def test_running_jobs_continue_and_are_found_again(server, tmp_path):
    pid_file, goes_on = tmp_path / "pid", tmp_path / "fifo"
    os.mkfifo(goes_on)
    server.add(
        "long", f"echo $$ > {pid_file}; echo before; {waits_for(goes_on, 'echo after; exit 5')}"
    )
    name = server.run("long")
    eventually(lambda: pid_file.exists() and pid_file.read_text().strip())
    pid, runner = int(pid_file.read_text()), server.runner_pid()

    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 10
    assert alive(pid)
    server.start()
    assert server.runner_pid() == runner, "the runner outlives the server"
    run = server.run_of("long", name)
    assert (run["state"], len(run["attempts"])) == ("running", 1)
    goes_on.write_text("\n")
    run = server.ended("long", name)
    assert (run["state"], [attempt["exitCode"] for attempt in run["attempts"]]) == ("failed", [5])
    assert server.output("long", name) == "before\nafter\n"


def test_a_job_that_ends_while_no_server_runs(server, tmp_path):
    goes_on, begun, ended = tmp_path / "fifo", tmp_path / "begun", tmp_path / "ended"
    os.mkfifo(goes_on)
    server.add("meanwhile", f"touch {begun}; " + waits_for(goes_on, f"touch {ended}; exit 3"))
    name = server.run("meanwhile")
    eventually(begun.exists)
    server.stop()
    goes_on.write_text("\n")
    eventually(ended.exists)
    server.start()
    run = server.ended("meanwhile", name)
    assert [attempt["exitCode"] for attempt in run["attempts"]] == [3]


def test_a_request_in_flight_is_answered(server):
    body = b'{"id":"in-flight","run":{"cmd":"true","cpus":0.01,"mem":32,"disk":0}}'
    with socket.create_connection(
        ("127.0.0.1", port_of(server.metronome)), timeout=10
    ) as connection:
        connection.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n"
            % len(body)
            + body[:10]
        )
        # Its first half has arrived when another connection, opened later, is served.
        assert request(server.metronome, "GET", "/ping").status == 200
        server.process.terminate()
        eventually(lambda: any("stopping" in line for line in server.log))
        connection.sendall(body[10:])
        answer = connection.makefile("rb").read()  # to the end: the server closes
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(10) == 0
    server.start()
    assert server.call("GET", "/v1/jobs/in-flight")[0] == 200


def test_idle_connections_and_streams_do_not_delay_the_stop(server):
    address = ("127.0.0.1", port_of(server.hub))
    idle = [socket.create_connection(address) for _ in range(20)]
    stream = socket.create_connection(address, timeout=10)
    stream.sendall(b"GET /docket/v1/events?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert stream.recv(100).startswith(b"HTTP/1.1 200")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 10
    for connection in [*idle, stream]:
        connection.close()


def test_sigint_stops_as_well(server):
    server.process.send_signal(2)
    assert server.process.wait(10) == 0


def test_what_was_acknowledged_survives_a_crash(server):
    server.add("kept", "true")
    server.kill()
    server.start()
    assert server.call("GET", "/v1/jobs/kept")[0] == 200


# ---- ports and addresses


def test_a_busy_native_port_is_a_warning(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(tmp_path / "data", "--port", f"metronome={port}").start()
        assert any(
            f"metronome: cannot listen on 127.0.0.1:{port}" in line and "warn" in line
            for line in server.log
        )
        assert server.call("GET", "/service/metronome/v1/jobs", base=server.hub) == (200, [])
        server.stop_everything()


def test_a_busy_hub_port_is_fatal(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve(
            "--data", tmp_path / "data", "--listen", f"127.0.0.1:{port}", "--port", "all=off"
        )
    assert done.returncode == 1
    assert (
        f"hub: cannot listen on 127.0.0.1:{port}" in done.stderr
        and "ddress already in use" in done.stderr
    )


def test_native_ports_can_be_closed(tmp_path):
    server = Server(tmp_path / "data", "--port", "all=off").start()
    assert server.metronome is None and not any("metronome listens" in line for line in server.log)
    assert server.call("GET", "/service/metronome/ping", base=server.hub) == (200, "pong")
    server.stop_everything()


@pytest.mark.parametrize(
    "flags",
    [
        ["--listen", "0.0.0.0:0"],
        ["--listen", "[::]:0"],
        ["--listen", "127.0.0.1:0", "--port", "metronome=0.0.0.0:0"],
    ],
)
def test_addresses_other_than_loopback_are_refused(tmp_path, flags):
    done = serve("--data", tmp_path / "data", *flags)
    assert done.returncode == 1
    assert "refusing to listen on" in done.stderr and "--allow-open" in done.stderr
    assert not (tmp_path / "data" / "docket.db").exists()


@pytest.mark.parametrize(
    "flag", [["--allow-open"], ["--allow-open", "true"], ["--allow-open=true"]], ids=" ".join
)
def test_other_addresses_if_allowed_explicitly(tmp_path, flag):
    server = Server(tmp_path / "data", "--listen", "0.0.0.0:0", *flag).start()
    assert server.hub.startswith("http://0.0.0.0:")
    assert (
        request(f"http://127.0.0.1:{port_of(server.hub)}", "GET", "/docket/v1/status").status == 200
    )
    server.stop_everything()


# ---- settings


def test_flags_override_a_configuration_file(tmp_path):
    config = tmp_path / "docket.toml"
    config.write_text(
        'port = ["metronome=off"]\nqueued-max = 10\n[node]\ncpus = 3\nmem = 100\nattribute ='
        ' ["rack=r1"]\n'
    )
    server = Server(
        tmp_path / "data", "--config", str(config), "--node.mem", "200", "--port", "metronome=off"
    ).start()
    [target] = server.native("GET", "/targets")[1]["items"]
    assert server.metronome is None
    assert (target["capacity"]["cpus"], target["capacity"]["mem"]) == (
        3,
        200,
    ), "the flag wins over the file"
    assert target["attributes"]["rack"] == "r1"
    server.stop_everything()


@pytest.mark.parametrize(
    "text, message",
    [
        ("color = 3\n", "no such setting: color"),
        ('[node]\ncpus = "many"\n', "node.cpus: not a number"),
        ("listen\n", "docket.toml: "),
        (None, "docket.toml: "),
    ],
    ids=["unknown", "wrong", "malformed", "missing"],
)
def test_a_bad_configuration_file_is_refused(tmp_path, text, message):
    config = tmp_path / "docket.toml"
    if text is not None:
        config.write_text(text)
    done = serve("--data", tmp_path / "data", *LOOPBACK, "--config", config)
    assert done.returncode == 1 and done.stderr.startswith("Error: ") and message in done.stderr


@pytest.mark.parametrize("flags", [["--nope"], ["--listen"], ["surplus"]], ids=" ".join)
def test_an_invalid_command_line(tmp_path, flags):
    done = serve("--data", tmp_path / "data", *flags)
    assert done.returncode == 2 and done.stderr


@pytest.mark.parametrize(
    "flags",
    [["--node.cpus", "-1"], ["--port", "metronome"], ["--listen", "127.0.0.1:99999"]],
    ids=" ".join,
)
def test_invalid_values(tmp_path, flags):
    done = serve("--data", tmp_path / "data", *flags)
    assert done.returncode in (1, 2) and flags[0].lstrip("-") in done.stderr


def test_help():
    done = serve("--help")
    assert done.returncode == 0 and "--listen" in done.stdout


# ---- the store


def test_one_server_per_data_directory(server):
    done = serve("--data", server.data, *LOOPBACK)
    assert done.returncode == 1
    assert "another docket server" in done.stderr and server.data in done.stderr
    assert server.call("GET", "/ping") == (200, "pong")


def test_a_store_of_a_newer_version_is_refused(server):
    server.stop_everything()
    store = f"{server.data}/docket.db"
    with open(store, "r+b") as file:  # user_version, in the header of every SQLite file
        file.seek(60)
        file.write((4711).to_bytes(4, "big"))
    before = open(store, "rb").read()
    done = serve("--data", server.data, *LOOPBACK)
    assert done.returncode == 1 and store in done.stderr
    assert open(store, "rb").read() == before, "a refused store is left as it is"


@pytest.mark.parametrize(
    "content",
    [os.urandom(100_000), b"x", b"SQLite format 3\0" + bytes(50_000)],
    ids=["noise", "short", "zeroes"],
)
def test_a_file_that_is_not_a_store_is_refused(tmp_path, content):
    data = tmp_path / "data"
    data.mkdir()
    (data / "docket.db").write_bytes(content)
    done = serve("--data", data, *LOOPBACK)
    assert done.returncode == 1 and str(data / "docket.db") in done.stderr, done.stderr
    assert "PRAGMA" not in done.stderr, "a message for people"
    assert (data / "docket.db").read_bytes() == content


def test_a_foreign_database_is_refused(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with sqlite3.connect(data / "docket.db") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    before = (data / "docket.db").read_bytes()
    done = serve("--data", data, *LOOPBACK)
    assert done.returncode == 1 and str(data / "docket.db") in done.stderr
    assert (data / "docket.db").read_bytes() == before


def test_a_damaged_store_is_refused(server):
    for n in range(20):
        server.add(f"job-{n}", "true", env={"PAD": "x" * 2000})
    server.stop_everything()
    store = f"{server.data}/docket.db"
    assert os.path.getsize(f"{store}-wal") == 0, "an orderly stop leaves all in one file"
    size = os.path.getsize(store)
    with open(store, "r+b") as file:
        for at in range(4096 + 2000, size, 4096):  # every page but the first
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 0x10]))
    done = serve("--data", server.data, *LOOPBACK)
    assert done.returncode == 1 and done.stderr.startswith("Error: "), done.stderr
    assert (
        "damaged" in done.stderr or "malformed" in done.stderr or "checksum" in done.stderr
    ), done.stderr


def test_a_data_directory_that_cannot_be_created(tmp_path):
    (tmp_path / "file").write_text("")
    done = serve("--data", tmp_path / "file" / "data", *LOOPBACK)
    assert done.returncode == 1 and "file/data" in done.stderr


def test_a_backup_taken_under_load_can_be_served(server, tmp_path):
    server.add("busy", "true")
    stopping = threading.Event()
    acknowledged = []

    def submit():
        while not stopping.is_set():
            acknowledged.append(server.run("busy"))

    clients = [threading.Thread(target=submit) for _ in range(4)]
    for client in clients:
        client.start()
    eventually(lambda: len(acknowledged) > 20)
    sure = list(acknowledged)
    copy = tmp_path / "copy" / "docket.db"
    copy.parent.mkdir()
    done = subprocess.run(
        [PROGRAM, "backup", "--data", server.data, str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    stopping.set()
    for client in clients:
        client.join()
    assert (done.returncode, done.stderr) == (0, "")
    again = subprocess.run(
        [PROGRAM, "backup", "--data", server.data, str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert again.returncode == 1 and "exists already" in again.stderr

    shutil.copy(f"{server.data}/secret.key", copy.parent)
    restored = Server(copy.parent).start()
    try:
        assert restored.call("GET", "/v1/jobs/busy")[0] == 200
        kept = {run["name"] for run in restored.pages("/runs?job=busy&limit=500")}
        assert set(sure) <= kept
        eventually(
            lambda: restored.native("GET", "/status")[1]["runs"] == {"queued": 0, "running": 0}
        )
        assert restored.ended("busy", restored.run("busy"))["state"] == "done"
    finally:
        restored.stop_everything()
