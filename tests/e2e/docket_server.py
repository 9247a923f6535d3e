"""A real docket server on loopback for tests: its own data directory, ports picked by the kernel,
stopped by pid."""

import collections
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

PROGRAM = os.environ.get(
    "DOCKET", os.path.join(os.path.dirname(__file__), "../../build/release/docket")
)

Answer = collections.namedtuple("Answer", "status headers body")


class Server:
    def __init__(self, data, *flags, before=()):
        self.data = str(data)
        self.flags = list(flags)
        self.before = list(before)  # a command that runs the server, as another user for example
        self.process = None
        self.hub = None
        self.metronome = None
        self.scylla = None
        self.log = []

    def start(self, deadline_s=20):
        flags = [f"--data={self.data}", f"--listen=127.0.0.1:{self._port(self.hub)}"]
        if "all=off" not in self.flags:
            flags.append(f"--port=metronome={self._port(self.metronome)}")
            flags.append(f"--port=scylla={self._port(self.scylla)}")
        self.process = subprocess.Popen(
            [*self.before, PROGRAM, "serve", *flags, *self.flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        timer = threading.Timer(deadline_s, self.process.kill)
        timer.start()
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r"(hub|metronome|scylla) listens on (http://\S+)", line)
            if found:
                setattr(self, found.group(1), found.group(2))
            if " is ready" in line:
                break
        else:
            raise RuntimeError("the server did not start:\n" + "".join(self.log[-20:]))
        timer.cancel()
        # Keeps the pipe empty, and the last lines for a failing test.
        threading.Thread(target=self._drain, args=(self.process,), daemon=True).start()
        return self

    @staticmethod
    def _port(url):
        return url.rsplit(":", 1)[1] if url else "0"

    def _drain(self, process):
        for line in process.stderr:
            self.log.append(line)

    def kill(self):
        """kill -9: a crash."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout_s=10):
        """SIGTERM: the orderly way. Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def stop_everything(self):
        """The server, then its runner with whatever it still runs."""
        if self.process and self.process.poll() is None:
            self.stop()
        pid = self.runner_pid()
        if pid:
            os.kill(pid, signal.SIGTERM)
        for reaper in self.reapers():
            for command in children(reaper):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(command, signal.SIGKILL)

    def reapers(self):
        """The pids of commands that still run."""
        folder = f"{self.data}/runner\0".encode()
        for pid in processes():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                if folder in file.read() and pid != self.runner_pid():
                    yield pid

    def runner_pid(self):
        """Found by its lock: its command line is also that of its reapers."""
        try:
            with open(f"{self.data}/runner/runner.lock") as file:
                pid = int(file.read())
        except (OSError, ValueError):
            return None
        return pid if alive(pid) else None

    def call(self, method, path, body=None, base=None, timeout_s=10):
        """(status, parsed body or text) of one request."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            (base or self.metronome) + path,
            data=data,
            method=method,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return answer.status, parse(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, parse(error.read())

    def native(self, method, path, body=None):
        return self.call(method, "/docket/v1" + path, body, base=self.hub)

    def cli(self, *arguments, stdin="", url=None):
        """A client command as a user types it, against this server."""
        environment = {**os.environ, "DOCKET_URL": url or self.hub, "HOME": self.data}
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            timeout=30,
        )

    def add(self, job_id, cmd, **run):
        """Adds a job."""
        status, body = self.call("POST", "/v1/jobs", job(job_id, cmd, **run))
        assert status == 201, body

    def run(self, job_id, parameters=None):
        """Starts a run; returns its name."""
        status, body = self.call("POST", f"/v1/jobs/{job_id}/runs", parameters)
        assert status == 201, body
        return body["id"]

    def run_of(self, job_id, name):
        """The run as the native API shows it, with its attempts."""
        found = [
            run["id"] for run in self.pages(f"/runs?job={job_id}&limit=500") if run["name"] == name
        ]
        assert len(found) == 1, f"{name}: {found}"
        return self.native("GET", f"/runs/{found[0]}")[1]

    def ended(self, job_id, name, timeout_s=20):
        """The run, once it has ended."""

        def check():
            run = self.run_of(job_id, name)
            return run if run["state"] in ("done", "failed", "aborted") else None

        return eventually(check, timeout_s)

    def output(self, job_id, name, stream="stdout"):
        """What the run wrote."""
        status, text = self.native("GET", f"/tasks/{self.run_of(job_id, name)['id']}/logs/{stream}")
        assert status == 200, text
        return text

    def resident_mib(self):
        """Memory of the server process."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) / 1024

    def pages(self, path):
        """Every item of a paged native list."""
        cursor = None
        while True:
            status, page = self.native("GET", path + (f"&after={cursor}" if cursor else ""))
            assert status == 200, page
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return


def request(base, method, path, body=None, headers=None, timeout_s=10):
    """One request; only Host, Accept-Encoding and Content-Length are added to it."""
    connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=timeout_s)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Command:
    """A docket command that runs until it is told to stop or ends by itself; killed after a minute."""

    def __init__(self, server, *arguments, stdin=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            [PROGRAM, "--url", server.hub, *map(str, arguments)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.timer = threading.Timer(60, self.process.kill)
        self.timer.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        self.process.kill()
        self.process.communicate()

    def rest(self, text=None):
        """(exit code, rest of stdout, rest of stderr) once it has ended."""
        out, err = self.process.communicate(text)
        return self.process.returncode, out, err


def wait_until_idle(server, patience_s=60):
    """Waits until no run waits or has processes, for as long as runs keep ending."""
    ended, since = None, time.monotonic()
    while True:
        status = server.native("GET", "/status")[1]
        if not any(status["runs"].values()):
            return
        now = status["counters"]["runsSucceeded"] + status["counters"]["runsFailed"]
        if now != ended:
            ended, since = now, time.monotonic()
        assert time.monotonic() - since < patience_s, f"no run has ended for {patience_s} s: {status}"
        time.sleep(0.1)  # a real process has no fake clock


def processes():
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit()]


def stat_of(pid):
    """Its state and its parent."""
    with open(f"/proc/{pid}/stat") as file:
        state, parent = file.read().rsplit(")", 1)[1].split()[:2]
    return state, int(parent)


def children(parent):
    for pid in processes():
        with contextlib.suppress(OSError):
            if stat_of(pid)[1] == parent:
                yield pid


def alive(pid):
    """Whether the process is running; a zombie is not."""
    try:
        return stat_of(pid)[0] not in "ZX"
    except OSError:
        return False


def parse(raw):
    text = raw.decode()
    try:
        return json.loads(text)
    except ValueError:
        return text


def eventually(check, timeout_s=20, interval_s=0.02):
    """The first true value of check(); polls a real process, which has no fake clock."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"did not come true within {timeout_s} s"
        time.sleep(interval_s)  # polling a real process


def job(job_id, cmd, **run):
    return {"id": job_id, "run": {"cmd": cmd, "cpus": 0.01, "mem": 32, "disk": 0, **run}}
