"""Slurm and Debian's cron, the peers that start jobs: each from Debian's packages, run temporarily with its own
configuration, and stopped by pid. Both need root."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time

from docket_server import alive
from peers import FAILURES, free_port, wait_for_port


class Daemons:
    """Programs that stay in the foreground; terminated by pid, the last one first."""

    def __init__(self):
        self.running = []

    def start(self, command, log, **options):
        with open(log, "wb") as output:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.terminate()
        for process in reversed(self.running):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(what, holds, deadline_s=30):
    deadline = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)  # polling real processes


class Slurm(Daemons):
    """One node of two processors, as in its quick start, with munge; told to schedule without delay, which suits it best.
    Its state is on the same disk as docket's."""

    def __init__(self, directory):
        super().__init__()
        self.home = tempfile.mkdtemp(prefix="slurm-", dir=directory)
        for path in (directory, self.home):
            os.chmod(path, 0o755)
        self.environment = {**os.environ, "SLURM_CONF": os.path.join(self.home, "slurm.conf")}

    def path(self, name):
        return os.path.join(self.home, name)

    def run(self, *command, timeout=30):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True,
                              timeout=timeout).stdout

    def start_munge(self):
        home = self.path("munge")
        os.mkdir(home, 0o700)
        with open(os.path.join(home, "key"), "wb") as key:
            key.write(os.urandom(128))
        os.chmod(os.path.join(home, "key"), 0o600)
        public = self.path("socket")  # every user's clients must reach it
        os.mkdir(public, 0o755)
        socket = os.path.join(public, "munge")
        self.start(["munged", "--foreground", "--force", f"--key-file={home}/key", f"--socket={socket}",
                    f"--pid-file={home}/pid", f"--log-file={home}/log", f"--seed-file={home}/seed"], self.path("munged.log"))
        wait_until("munge does not answer", lambda: os.path.exists(socket))
        return socket

    def __enter__(self):
        try:
            socket = self.start_munge()
            controller, node = free_port(), free_port()
            host = os.uname().nodename.split(".")[0]
            with open(self.environment["SLURM_CONF"], "w", encoding="utf-8") as config:
                config.write(f"""ClusterName=bench
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={socket}
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={self.path("state")}
SlurmdSpoolDir={self.path("spool")}
SlurmctldPidFile={self.path("ctld.pid")}
SlurmdPidFile={self.path("d.pid")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
MaxJobCount=200000
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:50
""")
            os.mkdir(self.path("state"))
            self.start(["slurmctld", "-D", "-c"], self.path("ctld.log"), env=self.environment)
            wait_for_port(controller)
            self.start(["slurmd", "-D"], self.path("d.log"), env=self.environment)
            wait_until("the node is not idle", lambda: "idle" in self.run("sinfo", "-h", "-o", "%T"))
        except Exception:
            self.__exit__()
            raise
        return self


def milliseconds(values):
    values = sorted(values)
    return f"{statistics.median(values):,.0f} / {values[int(len(values) * 0.99)]:,.0f} ms"


def slurm(directory):
    """(what, figure) of each comparison."""
    if not shutil.which("slurmctld"):
        yield "Slurm", "not installed"
        return
    with Slurm(directory) as cluster:
        yield "Slurm, an array of /bin/true, submission to the last end", slurm_rate(cluster, 400)
        yield "Slurm, sbatch to the script's exec, idle, p50 / p99", milliseconds(slurm_delays_ms(cluster, 15))


def slurm_rate(cluster, count):
    script = cluster.path("true.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexec /bin/true\n")
    begun = time.monotonic()
    cluster.run("sbatch", "--output=/dev/null", f"--array=1-{count}", script)
    wait_until("the array did not end", lambda: not cluster.run("squeue", "-h"), deadline_s=240)
    return f"{count / (time.monotonic() - begun):,.0f}/s"


def slurm_delays_ms(cluster, count):
    script, started = cluster.path("when.sh"), cluster.path("when")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec date +%s%N >{started}\n")
    for _ in range(count):
        begun = time.time_ns()
        cluster.run("sbatch", "--wait", "--output=/dev/null", script)
        with open(started, encoding="utf-8") as file:
            yield (int(file.read()) - begun) / 1e6


def cron(directory):
    """A thousand lines that are due at the same minute. Each reports when its shell started, as docket's runner does."""
    if not shutil.which("cron") or cron_is_at_work():
        yield "cron", "not installed, or at work here"
        return
    count, log = 1000, os.path.join(directory, "cron.log")
    table = "/etc/cron.d/docket-bench"
    os.chmod(directory, 0o755)
    try:
        with open(table, "w", encoding="utf-8") as file:
            file.write("MAILTO=\"\"\nSHELL=/bin/bash\n")
            file.writelines(f"* * * * * root echo $EPOCHREALTIME >>{log}\n" for _ in range(count))
        with Daemons() as daemons:
            daemons.start(["cron", "-f"], os.path.join(directory, "cron.out"))
            wait_until("cron started too few", lambda: lines_of(log) >= count, deadline_s=150)
    finally:
        os.unlink(table)
    with open(log, encoding="utf-8") as file:
        times = sorted(float(line) for line in file)[:count]
    due = times[0] // 60 * 60
    yield f"cron, {count:,} lines due in one second: last started", f"{times[-1] - due:.3f} s"
    yield "cron, the first of them started", f"{(times[0] - due) * 1e3:.1f} ms"


def cron_is_at_work():
    try:
        with open("/var/run/crond.pid", encoding="utf-8") as file:
            return alive(int(file.read()))
    except (OSError, ValueError):
        return False


def lines_of(path):
    if not os.path.exists(path):
        return 0
    with open(path, encoding="utf-8") as file:
        return sum(1 for _ in file)


def measure(directory):
    for peer in (slurm, cron):
        try:
            yield from peer(directory)
        except FAILURES as error:
            yield peer.__name__, f"failed: {error}"
