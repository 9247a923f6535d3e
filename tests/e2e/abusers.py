"""Clients that hold as much as they can and release nothing: each kind opens its sockets and returns them, to be
closed by the caller. Also measures their effect: the server's memory, an honest client's waiting time.
    with watched(server) as seen:      # meanwhile the honest client runs, in its own process
        sockets = unread_lists(server, 60)
    seen.peak_mib, seen.p99_ms
"""

import contextlib
import json
import resource
import select
import socket
import subprocess
import sys
import threading
import time
import types

MIB = 1 << 20
LIST_JOBS = 5000  # their list is about 11 MB


def connect(url, receive_buffer=0):
    host, port = url.removeprefix("http://").split(":")
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect((host, int(port)))
    return client


def allow_many_sockets():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 10_000), hard))


def post(path, body):
    text = json.dumps(body)
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}").encode()


def make_jobs(server, count=LIST_JOBS, description=2000, group="many"):
    """Jobs with long descriptions, over one connection, without waiting for each."""
    run = {"cpus": 0.1, "mem": 32, "disk": 0, "cmd": "true"}
    with connect(server.metronome) as client:
        client.settimeout(60)
        for first in range(0, count, 50):
            numbers = range(first, min(count, first + 50))
            bodies = [{"id": f"{group}.job{i:06d}", "description": "x" * description, "run": run} for i in numbers]
            client.sendall(b"".join(post("/v1/jobs", body) for body in bodies))
            received = b""
            while received.count(b"HTTP/1.1 201") < len(numbers) or not received.endswith(b"}"):
                chunk = client.recv(1 << 18)
                received += chunk
                assert chunk and b"HTTP/1.1 4" not in received, received[:500]


# ---- abuses


def unread(url, path, count):
    clients = [connect(url, 4096) for _ in range(count)]
    for client in clients:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return clients


def unread_lists(server, count):
    return unread(server.metronome, "/v1/jobs?embed=activeRuns&embed=historySummary", count)


def unread_logs(server, count, run):
    return unread(server.hub, f"/docket/v1/tasks/{run}/logs/stdout?limit={16 * MIB}", count)


def unread_events(server, count):
    """Followers of both APIs, while events occur."""
    clients = unread(server.hub, "/docket/v1/events?follow=true", count // 2)
    clients += unread(server.metronome, "/v1/events", count - count // 2)
    make_jobs(server, 3000, description=10, group="event")
    return clients


def unfinished_bodies(server, count, size=MIB):
    """Bodies one byte short of complete. Sends as much as the server accepts."""
    head = f"POST /docket/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    whole = head.encode() + b" " * (size - 1)
    clients = [connect(server.hub) for _ in range(count)]
    left = dict.fromkeys(clients, memoryview(whole))
    for client in clients:
        client.setblocking(False)
    while left:
        ready = select.select([], list(left), [], 2)[1]
        if not ready:
            break
        for client in ready:
            try:
                left[client] = left[client][client.send(left[client][:1 << 17]):]
            except BlockingIOError:
                continue
            except OSError:
                left[client] = left[client][:0]
            if not left[client]:
                del left[client]
    return clients


def answers(clients):
    """Statuses of those that were answered, in no order."""
    statuses = []
    for client in select.select(clients, [], [], 1)[0]:
        with contextlib.suppress(OSError):
            statuses.append(int(client.recv(100).split()[1]))
    return statuses


def close(clients):
    for client in clients:
        client.close()


# ---- measures


def memory_mib(server, what="VmRSS"):
    with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(what)) / 1024


@contextlib.contextmanager
def watched(server, path="/v1/jobs/honest"):
    """The highest memory while this is open, and how long an honest client waits for a small GET."""
    with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # resets the peak
    seen = types.SimpleNamespace(before_mib=memory_mib(server))
    with subprocess.Popen([sys.executable, __file__, server.metronome + path], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as honest:
        honest.stdout.readline()  # the client has begun
        yield seen
        figures = json.loads(honest.communicate("")[0])
    seen.peak_mib = memory_mib(server, "VmHWM")
    seen.__dict__.update(figures)


def ask_until_told(url):
    """The honest client: a small GET every five milliseconds until its input ends."""
    where, path = url.removeprefix("http://").split("/", 1)
    request = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    told = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), told.set()), daemon=True).start()
    waits = []
    with connect(where) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print("begun", flush=True)
        while not told.is_set():
            begun = time.perf_counter()
            client.sendall(request)
            answer = client.recv(1 << 16)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            waits.append((time.perf_counter() - begun) * 1e3)
            told.wait(0.005)
    waits.sort()
    print(json.dumps({"asked": len(waits), "p50_ms": waits[len(waits) // 2],
                      "p99_ms": waits[len(waits) * 99 // 100], "worst_ms": waits[-1]}))


if __name__ == "__main__":
    ask_until_told(sys.argv[1])
