"""The task tree: recursive statuses, module lists, waiters, progress reports, memory. Uses the test API to make trees."""

import http.client
import json
import os
import socket
import subprocess
import threading
import time

from docket_server import request



def pipelined(base, requests, window=64):
    """Sends POSTs over one connection; returns the bodies. Their answers are small and have a Content-Length."""
    host, port = base.removeprefix("http://").split(":")
    bodies, tail, sent = [], b"", 0
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while len(bodies) < len(requests):
            batch = requests[sent:len(bodies) + window]
            if batch:
                text = "".join(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" for path in batch)
                connection.sendall(text.encode())
                sent += len(batch)
            received = connection.recv(1 << 18)
            assert received, "the server closed the connection"
            tail += received
            while (end := tail.find(b"\r\n\r\n")) >= 0:
                head = tail[:end]
                assert head.startswith(b"HTTP/1.1 200"), head
                length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                if len(tail) < end + 4 + length:
                    break
                bodies.append(tail[end + 4:end + 4 + length])
                tail = tail[end + 4 + length:]
    return bodies


def make(base, count, query=""):
    """uuids of new test tasks."""
    bodies = pipelined(base, [f"/task_manager_test/test_task?{query}"] * count)
    return [json.loads(body) for body in bodies]


def finish(base, uuids):
    pipelined(base, [f"/task_manager_test/finish_test_task/{uuid}" for uuid in uuids])


def read_stream(base, path):
    """(seconds to the first byte, seconds to the last, bytes, tasks) of a streamed list of statuses."""
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=120)
    begun = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    first = answer.read(1)
    to_first = time.perf_counter() - begun
    size, tasks, edge = 1, 0, first
    while chunk := answer.read(1 << 18):
        text = edge + chunk
        tasks += text.count(b'"is_abortable"')
        edge = text[-13:] if not text.endswith(b'"is_abortable"') else b""
        size += len(chunk)
    return to_first, time.perf_counter() - begun, size, tasks


def tree(bench, report, wrk):
    finished, running = (10_000, 1_000) if bench.quick else (100_000, 1_000)
    server = bench.server("--enable-test-api").start()
    base = server.scylla
    pipelined(base, ["/task_manager_test/test_module"])
    root = make(base, 1)[0]
    finish(base, make(base, finished, f"parent_id={root}"))
    make(base, running, f"parent_id={root}")
    server.call("POST", "/v1/jobs", {"id": "one", "run": {"cpus": 0.1, "mem": 32, "disk": 0, "cmd": "true"}})
    path = f"/task_manager/task_status_recursive/{root}"
    read_stream(base, path)
    to_first, seconds, size, tasks = read_stream(base, path)
    assert tasks == finished + running + 1, tasks
    report(f"recursive status of {tasks:,} tasks ({size / 1e6:.0f} MB)", f"{tasks / seconds:.0f} tasks/s", "", "",
           "200,000/s")
    report("its first byte", f"{to_first * 1e3:.1f} ms", "", "", "10 ms")
    stop = threading.Event()

    def stream():
        while not stop.is_set():
            read_stream(base, path)

    thread = threading.Thread(target=stream)
    thread.start()
    _, p50, p99, _ = wrk(server.metronome + "/v1/jobs/one", 2, bench.seconds)
    stop.set()
    thread.join()
    report("other requests meanwhile", f"p50 {p50:.2f} p99 {p99:.2f} ms", "", "", "p99 20 ms")
    server.stop_everything()


def lists(bench, report, wrk):
    count = 100_000 if bench.quick else 1_000_000
    data = os.path.join(bench.directory, "ended")
    program = os.path.join(os.path.dirname(os.path.abspath(bench.program)), "benchmarks/seed_store")
    subprocess.run([program, data, str(count), "0", "0"], check=True, timeout=600)
    server = bench.server("--enable-test-api", data=data)
    server.start(deadline_s=60)
    base = server.scylla
    pipelined(base, ["/task_manager_test/test_module"])
    make(base, 50)
    for module in ("test", "process"):
        _, p50, p99, errors = wrk(f"{base}/task_manager/list_module_tasks/{module}", 1, 3)
        assert errors == 0
        report(f"list of module {module}, {count:,} ended tasks in the store", f"p50 {p50:.2f} p99 {p99:.2f} ms", "", "",
               "10 ms")
    server.stop_everything()


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def waiters(bench, report, _wrk):
    count = 2_000 if bench.quick else 10_000
    program = os.path.join(os.path.dirname(os.path.abspath(bench.program)), "benchmarks/waiters_bench")
    for claim, tasks in ((f"{count:,} waiters of one task", 1), (f"{count:,} waiters of 1,000 tasks, one task after the other", 1000)):
        server = bench.server("--enable-test-api", "--task-ttl-seconds", "1000", "--connections-max", "30000").start()
        base = server.scylla
        pipelined(base, ["/task_manager_test/test_module"])
        uuids = make(base, tasks)
        paths, triggers = os.path.join(bench.directory, "paths"), os.path.join(bench.directory, "triggers")
        with open(paths, "w", encoding="utf-8") as file:
            file.writelines(f"/task_manager/wait_task/{uuids[i % tasks]}\n" for i in range(count))
        with open(triggers, "w", encoding="utf-8") as file:
            file.writelines(f"/task_manager_test/finish_test_task/{uuid}\n" for uuid in uuids)
        before = rss_kib(server.process.pid)
        with subprocess.Popen([program, base.rsplit(":", 1)[1], paths, triggers], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as client:
            assert client.stdout.readline() == "waiting\n"
            request(base, "GET", "/task_manager/ttl")  # answered after everything that was sent before
            grown = rss_kib(server.process.pid) - before
            client.stdin.write("\n")
            client.stdin.flush()
            result = json.loads(client.stdout.readline())
        report(claim, f"p99 {result['p99_ms']:.1f} last {result['last_ms']:.1f} ms", "", "",
               "100 ms all, p99 20 ms each")
        report("memory of each while it waits", f"{grown / count:.1f} KiB", "", "", "10 KiB")
        server.stop_everything()


def reports(bench, report, wrk):
    server = bench.server().start()
    body = {"module": "bench", "type": "copy", "units": "bytes", "expected": 1e9}
    ids = []
    for _ in range(100):
        status, task = server.native("POST", "/tasks", body)
        assert status == 201, task
        ids.append(task["id"])
    script = os.path.join(bench.directory, "progress.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write("local ids = {" + ",".join(f'"{each}"' for each in ids) + "}\n"
                   "local n = 0\n"
                   'wrk.headers["Content-Type"] = "application/json"\n'
                   "request = function()\n"
                   "  n = n + 1\n"
                   '  return wrk.format("POST", "/docket/v1/tasks/" .. ids[n % 100 + 1] .. "/progress", nil,\n'
                   "                    '{\"completed\":' .. n .. '}')\n"
                   "end\n")
    rate, p50, p99, errors = wrk(server.hub, 100, bench.seconds, script)
    assert errors == 0, errors
    report("durable progress reports, 100 reporters", f"{rate:.0f}/s p99 {p99:.1f} ms", "", "", "50,000/s")
    server.stop_everything()


def memory(bench, report, _wrk):
    count = 20_000 if bench.quick else 100_000
    server = bench.server("--enable-test-api").start()
    pipelined(server.scylla, ["/task_manager_test/test_module"])
    make(server.scylla, 1000)
    before = rss_kib(server.process.pid)
    make(server.scylla, count, "keyspace=ks&table=some_table&entity=some+entity")
    report("memory of a live task", f"{(rss_kib(server.process.pid) - before) * 1024 / count:.0f} bytes", "", "", "1 KiB")
    server.stop_everything()


def measure(bench, report, wrk):
    for section in (tree, lists, waiters, reports, memory):
        section(bench, report, wrk)
