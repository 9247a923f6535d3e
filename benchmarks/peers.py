"""The peers that docket is compared with, each started temporarily on loopback in its own directory, measured, and
stopped by pid. measure() yields (what, figure)."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, deadline_s=20):
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)  # polling a real process
    raise TimeoutError(f"nothing listens on port {port}")


class Started:
    """A program in the foreground, waited for until its port answers; terminated by pid."""

    def __init__(self, command, port, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, **options)
        try:
            wait_for_port(port)
        except TimeoutError:
            self.process.terminate()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)


class Nginx:
    """A static file of the size of a job's JSON."""

    def __init__(self, directory):
        self.port = free_port()
        root = tempfile.mkdtemp(prefix="nginx-", dir=directory)
        os.chmod(root, 0o755)
        os.chmod(directory, 0o755)
        with open(os.path.join(root, "job.json"), "w", encoding="utf-8") as file:
            file.write("x" * 300)
        config = os.path.join(root, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"""worker_processes 1; daemon off; pid {root}/pid; error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {root}/b; proxy_temp_path {root}/p;
fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s; open_file_cache max=10;
server {{ listen 127.0.0.1:{self.port}; location / {{ root {root}; }} }} }}
""")
        self.started = Started(["nginx", "-p", root, "-c", config], self.port)

    def __enter__(self):
        return f"http://127.0.0.1:{self.port}/job.json"

    def __exit__(self, *_):
        self.started.__exit__()


# ---- durable creates

BULLMQ = """
const { Queue } = require('bullmq');
const [port, clients, ms] = process.argv.slice(2).map(Number);
(async () => {
  const queue = new Queue('jobs', { connection: { host: '127.0.0.1', port } });
  await queue.waitUntilReady();
  let done = 0;
  const end = Date.now() + ms;
  const one = async () => { while (Date.now() < end) { await queue.add('run', {}); done++; } };
  await Promise.all(Array.from({ length: clients }, one));
  console.log(Math.round(done * 1000 / ms));
  await queue.close();
})();
"""


def bullmq(directory, seconds):
    if not shutil.which("redis-server") or not shutil.which("npm"):
        return "not installed"
    home = tempfile.mkdtemp(prefix="bullmq-", dir=directory)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "bullmq", "ioredis"], cwd=home, check=True, timeout=180,
                   stdout=subprocess.DEVNULL)
    with open(os.path.join(home, "creates.js"), "w", encoding="utf-8") as file:
        file.write(BULLMQ)
    port = free_port()
    redis = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always",
             "--save", "", "--dir", home]
    with Started(redis, port):
        text = subprocess.run(["node", "creates.js", str(port), "64", str(seconds * 1000)], cwd=home, check=True,
                              capture_output=True, text=True, timeout=seconds + 60).stdout
    return f"{int(text):,}/s"


def beanstalkd(directory, seconds):
    if not shutil.which("beanstalkd"):
        return "not installed"
    port = free_port()
    home = tempfile.mkdtemp(prefix="beanstalkd-", dir=directory)
    total = [0] * 64
    with Started(["beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", home, "-f0"], port):
        deadline = time.monotonic() + seconds

        def client(number):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                while time.monotonic() < deadline:
                    connection.sendall(b"put 0 0 60 2\r\n{}\r\n")
                    connection.recv(64)
                    total[number] += 1

        threads = [threading.Thread(target=client, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return f"{sum(total) / seconds:,.0f}/s (a Python client)"


def postgres(directory, seconds):
    binaries = next((f"/usr/lib/postgresql/{v}/bin" for v in ("17", "16", "15", "14")
                     if os.path.exists(f"/usr/lib/postgresql/{v}/bin/initdb")), None)
    if not binaries:
        return "not installed"
    port = free_port()
    home = tempfile.mkdtemp(prefix="postgres-", dir=directory)
    shutil.chown(home, "postgres")
    os.chmod(directory, 0o755)
    as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    subprocess.run([*as_postgres, f"{binaries}/initdb", "-D", f"{home}/db", "-A", "trust", "-U", "postgres"], check=True,
                   timeout=60, stdout=subprocess.DEVNULL)
    script = os.path.join(home, "insert.sql")
    with open(script, "w", encoding="utf-8") as file:
        file.write("INSERT INTO run (job, state) VALUES ('big', 'queued');\n")
    os.chmod(home, 0o755)
    connect = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    with Started([*as_postgres, f"{binaries}/postgres", "-D", f"{home}/db", "-p", str(port), "-c",
                  "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1"], port):
        subprocess.run([f"{binaries}/psql", *connect, "-qc",
                        "CREATE TABLE run (id bigserial PRIMARY KEY, job text, state text, at timestamptz DEFAULT now())"],
                       check=True, timeout=30)
        text = subprocess.run([f"{binaries}/pgbench", *connect, "-n", "-c64", "-j1", f"-T{seconds}", "-f", script, "postgres"], check=True,
                              capture_output=True, text=True, timeout=seconds + 60).stdout
    rate = float(text.split("tps = ")[1].split()[0])
    return f"{rate:,.0f}/s"


# ---- runs of /bin/true

def xargs(_directory, _seconds):
    count = 4000
    begun = time.monotonic()
    subprocess.run(f"seq {count} | xargs -P2 -n1 /bin/true", shell=True, check=True, timeout=60)
    return f"{count / (time.monotonic() - begun):,.0f}/s (not durable)"


def task_spooler(directory, _seconds):
    if not shutil.which("tsp"):
        return "not installed"
    count = 1000
    environment = {**os.environ, "TS_SOCKET": os.path.join(directory, "tsp.sock"), "TS_SLOTS": "2",
                   "TMPDIR": directory, "TS_MAXFINISHED": "10"}
    begun = time.monotonic()
    for _ in range(count):
        subprocess.run(["tsp", "-n", "/bin/true"], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=30)
    subprocess.run(["tsp", "-w"], env=environment, check=False, stdout=subprocess.DEVNULL, timeout=60)
    figure = f"{count / (time.monotonic() - begun):,.0f}/s (not durable)"
    subprocess.run(["tsp", "-K"], env=environment, check=False, timeout=30)
    return figure


FAILURES = (OSError, subprocess.SubprocessError, ValueError, TimeoutError)


def measure(directory, seconds, _wrk):
    for claim, peer in (("BullMQ on Redis, appendfsync always, 64 adds at a time", bullmq),
                        ("PostgreSQL, one insert a transaction, 64 clients", postgres),
                        ("beanstalkd -f0, 64 clients", beanstalkd),
                        ("xargs -P2 /bin/true", xargs), ("task-spooler, 2 slots, /bin/true", task_spooler)):
        try:
            yield claim, peer(directory, seconds)
        except FAILURES as error:
            yield claim, f"failed: {error}"
