#!/usr/bin/env python3
"""Measures docket against this machine's own limits, and with --peers against the peers, all in one run.

    ./bench                  everything
    ./bench --only creates   one section (repeatable): limits creates true latency schedules get scale start memory tasks
                             abuse peers
    ./bench --quick          shorter measurements

Prints a table: figure, the machine's limit, the ratio, the goal. Judge by ratios within one run: machines differ, and
the load generator shares the cores with the server.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/e2e"))

from docket_server import PROGRAM, Server, eventually, job  # noqa: E402
import abuse  # noqa: E402
import peers  # noqa: E402
import schedulers  # noqa: E402
import tasks  # noqa: E402

BUILD = os.path.dirname(os.path.abspath(PROGRAM))
ROWS = []


def report(claim, figure, limit="", ratio="", goal=""):
    ROWS.append((claim, figure, limit, ratio, goal))
    print(f"{claim:<58} {figure:>22} {limit:>26} {ratio:>8}  {goal}", flush=True)


def wrk(url, connections, seconds, script=None):
    """(requests per second, p50 ms, p99 ms, answers that were errors) of one closed-loop load."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    if script:
        command += ["-s", script]
    text = subprocess.run(command + [url], capture_output=True, text=True, check=True, timeout=seconds + 30).stdout
    scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}

    def percentile(name):
        value, unit = re.search(rf"{name}%\s+([\d.]+)(us|ms|s)", text).groups()
        return float(value) * scale[unit]

    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)), percentile(50), percentile(99),
            int(errors.group(1)) if errors else 0)


def post_script(directory):
    path = os.path.join(directory, "post.lua")
    with open(path, "w", encoding="utf-8") as file:
        file.write('wrk.method = "POST"\nwrk.body = "{}"\nwrk.headers["Content-Type"] = "application/json"\n')
    return path


def rss_mb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


class Bench:
    def __init__(self, options):
        self.seconds = 3 if options.quick else 8
        self.quick = options.quick
        self.directory = tempfile.mkdtemp(prefix="docket-bench-")
        self.post = post_script(self.directory)
        self.limits = {}
        self.servers = 0
        self.program = PROGRAM

    def server(self, *flags, data=None):
        self.servers += 1
        return Server(data or os.path.join(self.directory, f"data{self.servers}"), *flags)

    def nginx_rate(self):
        if "nginx" not in self.limits:
            with peers.Nginx(self.directory) as url:
                self.limits["nginx"] = wrk(url, 64, self.seconds)[0]
        return self.limits["nginx"]

    # ---- sections

    def limits_section(self):
        text = subprocess.run([f"{BUILD}/benchmarks/machine_bench", self.directory], capture_output=True, text=True,
                              check=True, timeout=120).stdout
        self.limits.update(json.loads(text))
        report("machine: one fdatasync of an append", f"{self.limits['fdatasync_ms']:.3f} ms")
        report("machine: posix_spawn of /bin/true, all cores", f"{self.limits['spawn_per_second']:.0f}/s")
        report("machine: nginx static, 1 worker, 64 clients", f"{self.nginx_rate():.0f}/s")

    def creates(self):
        server = self.server().start()
        server.call("POST", "/v1/jobs", job("big", "true", cpus=1000))
        for clients, goal in ((64, "30,000/s"), (1, "printed")):
            rate, p50, p99, errors = wrk(server.metronome + "/v1/jobs/big/runs", clients, self.seconds, self.post)
            assert errors == 0, f"{errors} refused creates"
            syncs = 1000 / self.limits["fdatasync_ms"] if self.limits else 0
            report(f"durable run creates, {clients} client(s)", f"{rate:.0f}/s p99 {p99:.1f} ms",
                   f"{syncs:.0f} syncs/s", f"{rate / syncs:.1f}" if syncs else "", goal)
        server.stop_everything()

    def true(self):
        server = self.server("--node.cpus", "0.16").start()
        count = 2000 if self.quick else 6000
        self.true_rate(server, "direct", {"args": ["/bin/true"]}, count, "runs of /bin/true (args), POST to recorded exit",
                       "1,500/s")
        self.true_rate(server, "shell", {"cmd": "exec /bin/true"}, count // 2, "the same through /bin/sh -c (two execs)", "")
        server.stop_everything()

    def true_rate(self, server, name, what, count, claim, goal):
        answer = server.native("POST", "/jobs", {"id": name, "run": {"cpus": 0.01, "mem": 32, "disk": 0, **what}})
        assert answer[0] == 201, answer
        start = time.monotonic()
        self.submit(server, name, count)

        def finished():
            return server.call("GET", f"/v1/jobs/{name}?embed=historySummary")[1]["historySummary"]["successCount"]

        eventually(lambda: finished() >= count, timeout_s=120)
        rate = count / (time.monotonic() - start)
        limit = self.limits.get("spawn_per_second", 0)
        report(claim, f"{rate:.0f}/s", f"{limit:.0f} spawns/s", f"{rate / limit:.2f}" if limit else "", goal)

    @staticmethod
    def submit(server, job_id, count):
        """POSTs count runs, pipelined over one connection: the client must cost almost nothing."""
        import socket
        host, port = server.metronome.removeprefix("http://").split(":")
        request = f"POST /v1/jobs/{job_id}/runs HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode()
        with socket.create_connection((host, int(port))) as connection:
            created, tail = 0, b""
            for first in range(0, count, 100):
                connection.sendall(request * min(100, count - first))
                while created < min(first + 100, count):
                    tail += connection.recv(1 << 16)
                    created += tail.count(b"HTTP/1.1 201")
                    tail = tail[-11:] if not tail.endswith(b"HTTP/1.1 201") else b""

    def latency(self):
        server = self.server().start()
        server.native("POST", "/jobs", {"id": "quick", "run": {"args": ["/bin/true"], "cpus": 0.01, "mem": 32, "disk": 0}})
        import http.client
        connection = http.client.HTTPConnection(server.metronome.removeprefix("http://"), timeout=30)
        sent = {}
        for _ in range(100 if self.quick else 300):
            before = time.time_ns()
            connection.request("POST", "/v1/jobs/quick/runs")
            sent[json.loads(connection.getresponse().read())["id"]] = before
            time.sleep(0.02)  # the server must be idle between requests
        eventually(lambda: server.native("GET", "/status")[1]["runs"]["running"] == 0)
        delays = sorted(self.exec_delays_ms(server, sent))
        p50, p99 = statistics.median(delays), delays[int(len(delays) * 0.99)]
        report("POST to the child's exec, idle, p50 / p99", f"{p50:.2f} / {p99:.2f} ms", "", "", "1.5 / 5 ms")
        server.stop_everything()

    @staticmethod
    def exec_delays_ms(server, sent):
        from datetime import datetime
        for item in server.pages("/runs?limit=500"):
            run = server.native("GET", f"/runs/{item['id']}")[1]
            started = datetime.fromisoformat(run["attempts"][0]["startedAt"].replace("Z", "+00:00"))
            yield (started.timestamp() * 1e9 - sent[run["name"]]) / 1e6

    def schedules(self):
        count = 1000
        limit = count / self.limits.get("spawn_per_second", float("inf"))
        for what, run, goal in (("args", {"args": ["/bin/true"]}, "0.7 s"), ("cmd", {"cmd": "exec /bin/true"}, "")):
            delays = self.delays_of_schedules(run, count, 1)
            report(f"{count} schedules due in one second ({what}): last started", f"{max(delays):.3f} s",
                   f"{limit:.2f} s of spawning", f"{max(delays) / limit:.1f}" if limit else "", goal)
            report("the first of them started", f"{min(delays) * 1e3:.1f} ms")
        alone = self.delays_of_schedules({"args": ["/bin/true"]}, 1, 1 if self.quick else 5)
        report(f"one schedule alone ({len(alone)} times), started", f"{statistics.median(alone) * 1e3:.2f} ms "
               f"(worst {max(alone) * 1e3:.2f})", "", "", "2 ms")

    def delays_of_schedules(self, run, count, times):
        """Seconds from the due time to the child's exec, of `count` schedules each minute, `times` minutes."""
        from datetime import datetime

        def instant(text):
            return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

        server = self.server("--node.cpus", "1000", "--node.mem", "100000").start()
        self.add_scheduled(server, count, "* * * * *", run)
        eventually(lambda: server.native("GET", "/status")[1]["counters"]["runsSucceeded"] >= count * times,
                   timeout_s=90 + 60 * times)
        by_due = {}
        for item in server.pages("/runs?limit=500"):
            by_due.setdefault(item["dueAt"], []).append(item["id"])
        delays = []
        for due in sorted(by_due)[:times]:
            for run_id in by_due[due]:
                attempt = server.native("GET", f"/runs/{run_id}")[1]["attempts"][0]
                delays.append(instant(attempt["startedAt"]) - instant(due))
        server.stop_everything()
        return delays

    @staticmethod
    def add_scheduled(server, count, cron, run):
        import http.client

        def some(numbers):
            connection = http.client.HTTPConnection(server.hub.removeprefix("http://"), timeout=60)
            for number in numbers:
                body = {"id": f"job-{number}", "run": {"cpus": 0.01, "mem": 32, "disk": 0, **run}}
                body["schedules"] = [{"id": "every", "cron": cron}]
                connection.request("POST", "/docket/v1/jobs", json.dumps(body), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 201, answer.status

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(some, [range(i, count, 8) for i in range(8)]))

    def get(self):
        server = self.server().start()
        server.call("POST", "/v1/jobs", job("one", "true"))
        rate, _, p99, errors = wrk(server.metronome + "/v1/jobs/one", 64, self.seconds)
        assert errors == 0
        report("GET one job, 64 clients", f"{rate:.0f}/s p99 {p99:.1f} ms", f"nginx {self.nginx_rate():.0f}/s",
               f"{rate / self.nginx_rate():.2f}", "60 % of nginx")
        server.stop_everything()

    def scale(self):
        finished, queued = (100_000, 10_000) if self.quick else (1_000_000, 100_000)
        data = os.path.join(self.directory, "scale")
        subprocess.run([f"{BUILD}/benchmarks/seed_store", data, str(finished), str(queued), "0"], check=True, timeout=600)
        empty_rate = self.create_rate(self.server())
        server = self.server(data=data)
        rate = self.create_rate(server, keep=True)
        report(f"creates with {finished:,} finished, {queued:,} queued", f"{rate:.0f}/s", f"empty {empty_rate:.0f}/s",
               f"{rate / empty_rate:.2f}", "0.80")
        report("memory then", f"{rss_mb(server.process.pid):.0f} MB", "", "", "300 MB")
        for name, path in (("newest runs", "/runs?limit=50"), ("a page in the middle", "/runs?limit=50&after=500000"),
                           ("failed runs", "/runs?state=failed&limit=50"), ("queued runs", "/runs?state=queued&limit=50"),
                           ("events of one run", "/events?root=77777")):
            _, p50, p99, errors = wrk(server.hub + "/docket/v1" + path, 2, 3)
            report(f"page: {name}", f"p50 {p50:.2f} p99 {p99:.2f} ms" + (f" {errors} errors" if errors else ""), "", "", "p99 5 ms")
        _, p50, p99, _ = wrk(server.metronome + "/v1/jobs/seeded?embed=historySummary", 2, 3)
        report("page: job with its history's sums", f"p50 {p50:.2f} p99 {p99:.2f} ms", "", "", "p99 5 ms")
        server.stop_everything()

    def create_rate(self, server, keep=False):
        server.start(deadline_s=60)
        server.call("POST", "/v1/jobs", job("big", "true", cpus=1000))
        rate = wrk(server.metronome + "/v1/jobs/big/runs", 64, self.seconds, self.post)[0]
        if not keep:
            server.stop_everything()
        return rate

    def start(self):
        times = []
        server = self.server()
        for _ in range(5):
            begun = time.monotonic()
            server.start()
            server.call("GET", "/v1/jobs")
            times.append((time.monotonic() - begun) * 1e3)
            server.stop()
        server.stop_everything()
        report("start to first right answer, empty", f"{min(times[1:]):.0f} ms", "", "", "50 ms")
        finished, active = (100_000, 1_000) if self.quick else (1_000_000, 10_000)
        data = os.path.join(self.directory, "start")
        subprocess.run([f"{BUILD}/benchmarks/seed_store", data, str(finished), "0", str(active)], check=True, timeout=600)
        server = self.server(data=data)
        begun = time.monotonic()
        server.start(deadline_s=60)
        server.call("GET", "/v1/jobs/seeded")
        report(f"the same, {finished:,} finished and {active:,} active", f"{(time.monotonic() - begun) * 1e3:.0f} ms", "", "",
               "1 s")
        server.stop_everything()

    def memory(self):
        server = self.server().start()
        server.call("GET", "/v1/jobs")
        report("memory idle", f"{rss_mb(server.process.pid):.1f} MB", "", "", "20 MB")
        runner = server.runner_pid()
        report("memory of the runner, idle", f"{rss_mb(runner):.1f} MB")
        stripped = os.path.join(self.directory, "stripped")
        subprocess.run(["strip", "-o", stripped, PROGRAM], check=True, timeout=60)
        report("program size, stripped", f"{os.path.getsize(stripped) / 1e6:.1f} MB", "", "", "15 MB")
        count = 10_000 if self.quick else 100_000
        before = rss_mb(server.process.pid)
        self.add_scheduled(server, count, "0 0 1 1 *", {"cmd": "exec /bin/true"})
        grown = rss_mb(server.process.pid) - before
        report(f"memory for {count:,} jobs with a schedule", f"{grown:.0f} MB", "", "",
               "150 MB" if count == 100_000 else "15 MB")
        server.stop_everything()

    def tasks(self):
        tasks.measure(self, report, wrk)

    def abuse(self):
        abuse.measure(self, report)

    def peers(self):
        for claim, figure in itertools.chain(peers.measure(self.directory, self.seconds, wrk),
                                             schedulers.measure(self.directory)):
            report(f"peer: {claim}", figure)


SECTIONS = {"limits": Bench.limits_section, "creates": Bench.creates, "true": Bench.true, "latency": Bench.latency,
            "schedules": Bench.schedules, "get": Bench.get, "scale": Bench.scale, "start": Bench.start,
            "memory": Bench.memory, "tasks": Bench.tasks, "abuse": Bench.abuse}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[*SECTIONS, "peers"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    try:
        for name, section in SECTIONS.items():
            if not options.only or name in options.only:
                section(bench)
        if options.peers or (options.only and "peers" in options.only):
            bench.peers()
    finally:
        shutil.rmtree(bench.directory, ignore_errors=True)


if __name__ == "__main__":
    main()
