"""kill -9 of the server at random moments while clients submit runs: nothing acknowledged is lost, nothing runs twice,
nothing is stuck. CRASHES sets how often it is killed, CRASH_SEED repeats the moments."""

import collections
import http.client
import json
import os
import random
import threading
import time

from docket_server import job, wait_until_idle

CLIENTS = 50
CRASHES = int(os.environ.get("CRASHES", "200" if os.environ.get("DOCKET_LONG") else "60"))
SEED = int(os.environ.get("CRASH_SEED", random.SystemRandom().randrange(1 << 32)))


class Client(threading.Thread):
    """Submits runs of a job until told to stop; remembers the ids it received with a 201."""

    def __init__(self, address, job_id, stopping):
        super().__init__(daemon=True)
        self.address, self.job_id, self.stopping = address, job_id, stopping
        self.acknowledged = []
        self.odd = []

    def run(self):
        connection = None
        while not self.stopping.is_set():
            try:
                connection = connection or http.client.HTTPConnection(self.address, timeout=10)
                connection.request("POST", f"/v1/jobs/{self.job_id}/runs")
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 201:
                    self.acknowledged.append(json.loads(body)["id"])
                else:
                    self.odd.append((answer.status, body))
                self.stopping.wait(0.1)
            except (OSError, http.client.HTTPException):
                connection = None
                self.stopping.wait(0.01)


def test_nothing_is_lost_repeated_or_stuck(server, tmp_path):
    print(f"seed {SEED}, {CRASHES} crashes")
    dice = random.Random(SEED)
    executed = tmp_path / "executed"
    executed.touch()
    for job_id, code in (("good", 0), ("bad", 3)):
        status, body = server.call("POST", "/v1/jobs",
                                   job(job_id, f'echo "$DOCKET_JOB_ID $DOCKET_RUN_ID" >> {executed}; exit {code}'))
        assert status == 201, body

    stopping = threading.Event()
    address = server.metronome.removeprefix("http://")
    clients = [Client(address, ("good", "bad")[i % 2], stopping) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    for _ in range(CRASHES):
        time.sleep(dice.uniform(0.0, 0.15))  # the moment of the crash is the input of this test
        server.kill()
        server.start()
    stopping.set()
    for client in clients:
        client.join()
        assert not client.odd, client.odd[:3]

    wait_until_idle(server)
    acknowledged = collections.Counter((client.job_id, run) for client in clients for run in client.acknowledged)
    assert max(acknowledged.values()) == 1
    stored = {(run["job"], run["name"]): run["state"]
              for job_id in ("good", "bad") for run in server.pages(f"/runs?job={job_id}&limit=500")}
    missing = [run for run in acknowledged if run not in stored]
    assert not missing, f"{len(missing)} acknowledged runs are gone: {missing[:5]}"
    wrong = {run: state for run, state in stored.items() if state != {"good": "done", "bad": "failed"}[run[0]]}
    assert not wrong, list(wrong.items())[:5]
    times = collections.Counter(tuple(line.split()) for line in executed.read_text().splitlines())
    twice = [run for run, count in times.items() if count > 1]
    assert not twice, f"executed twice: {twice[:5]}"
    assert set(times) == set(stored), "every run that exists was executed, and nothing else"
    print(f"{len(acknowledged)} acknowledged runs of {len(stored)}, {CRASHES} crashes")
