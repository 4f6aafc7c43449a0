"""Long work in a child process: one at a time, watched while it runs, and ended when nobody looks any more.

In marimo's run mode every student is a thread of one process, and the interpreter's lock is shared; so whatever
takes more than a moment runs in a process of its own and sends its records back, one line of JSON each.

    job = start("train", "--tokens", "4000000")     # waits in the queue while another one runs
    job.poll().records                              # whoever polls is looking; a closed tab does not
    job.stop()

Read next: work.py, what the child does.
"""

import atexit
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

import psutil

from llmlab.course.work import GRACE
from llmlab.train.machine import child_environment

PATIENCE = 30.0  # s without a poll after which a job is ended
TICK = 0.1  # s between two looks at the child
ROOT = Path(__file__).resolve().parents[2]
State = Literal["waiting", "running", "done", "stopped", "failed"]


class Job:
    """A command to be run in a child process, with what it has said so far.

    `records` grows; `state` ends as "done", "stopped" (by us, or because nobody polled) or "failed", and `error`
    then is a sentence for a person.
    """

    def __init__(
        self, command: Sequence[str], patience: float = PATIENCE, threads: int | None = None
    ) -> None:
        self.command, self.patience, self.threads = list(command), patience, threads
        self.records: list[dict] = []
        self.state: State = "waiting"
        self.error = ""
        self.stopping = False
        self.polled = time.monotonic()

    def poll(self) -> "Job":
        """Say that somebody is looking."""
        self.polled = time.monotonic()
        return self

    def stop(self) -> None:
        """End it, wherever it is; returns at once."""
        self.stopping = True

    @property
    def ended(self) -> bool:
        return self.state in ("done", "stopped", "failed")

    @property
    def unwanted(self) -> bool:
        return self.stopping or time.monotonic() - self.polled > self.patience

    def run(self) -> None:
        """Run the child to its end, or to ours. Called by the queue."""
        if self.unwanted:
            self.state = "stopped"
            return
        self.state = "running"
        with tempfile.TemporaryFile() as complaints:
            # The child reads its standard input and ends with it: when this process is gone, so is the child.
            child = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                cwd=ROOT,
                env=child_environment(self.threads, polite=True) | {"PYTHONUNBUFFERED": "1"},
            )
            reader = threading.Thread(target=self._read, args=(child.stdout,), daemon=True)
            reader.start()
            while child.poll() is None and not self.unwanted:
                time.sleep(TICK)
            by_us = child.poll() is None
            end(child)
            reader.join(5)
            complaints.seek(0)
            said = complaints.read().decode("utf-8", errors="replace")
        if by_us:
            self.state = "stopped"
        else:
            self._finish(child.returncode, said)

    def _read(self, lines: IO[bytes]) -> None:
        for line in lines:
            self.records.append(json.loads(line))

    def _finish(self, status: int, complaint: str) -> None:
        if status == 0:
            self.state = "done"
            return
        last = (complaint.strip().splitlines() or [""])[-1]
        unexpected = f"The work ended unexpectedly ({last or status}). Start it again."
        self.error, self.state = last if status == 2 else unexpected, "failed"


class Queue:
    """Runs jobs one after another, in a thread of its own."""

    def __init__(self) -> None:
        self.waiting: deque[Job] = deque()
        self.running: Job | None = None
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = None

    def add(self, job: Job) -> Job:
        with self.changed:
            self.waiting.append(job)
            if self.thread is None:
                self.thread = threading.Thread(target=self._work, name="jobs", daemon=True)
                self.thread.start()
                atexit.register(self.close)
            self.changed.notify()
        return job

    def ahead(self, job: Job) -> int:
        """How many jobs will be run before this one; 0 once it runs or has ended."""
        with self.changed:
            before = [other for other in self.waiting if not other.unwanted]
            if job not in before:
                return 0
            return before.index(job) + (self.running is not None)

    def close(self) -> None:
        """End everything: the course is closing."""
        with self.changed:
            for job in [*self.waiting, *([self.running] if self.running else [])]:
                job.stop()
        until = time.monotonic() + 5
        while self.running is not None and time.monotonic() < until:
            time.sleep(TICK)

    def _work(self) -> None:
        while True:
            with self.changed:
                while not self.waiting:
                    self.changed.wait()
                self.running = job = self.waiting.popleft()
            try:
                job.run()
            except OSError as error:  # no room, no more processes: this one failed, the next may not
                job.error, job.state = f"The work could not be started ({error}). Try again later.", "failed"
            finally:
                self.running = None


def end(child: subprocess.Popen) -> None:
    """End a child and all that it started: by closing its standard input, and after a moment by force."""
    try:
        family = psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    child.stdin.close()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for one in family:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue


QUEUE = Queue()  # one for the whole server


def start(task: str, *arguments: str, patience: float = PATIENCE) -> Job:
    """Put one of the tasks of work.py into the server's queue."""
    command = [sys.executable, "-m", "llmlab.course.work", task, *arguments]
    return QUEUE.add(Job(command, patience, threads=max(1, min(8, psutil.cpu_count(logical=False) or 1))))


def waiting(job: Job) -> str:
    """What to tell a student whose job has not begun."""
    ahead = QUEUE.ahead(job)
    return f"Waiting: {ahead} other {'job runs' if ahead == 1 else 'jobs run'} on this machine first …"
