"""Long work runs in a child, one at a time, and ends when nobody looks, when it is stopped, and with the course."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from llmlab.course.jobs import Job, Queue

COUNT = "import time\nfor n in range({n}): print('{{\"n\": %d}}' % n, flush=True); time.sleep({pause})"


def counting(n: int, pause: float = 0.0, patience: float = 60.0) -> Job:
    return Job([sys.executable, "-c", COUNT.format(n=n, pause=pause)], patience)


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.02)


@pytest.fixture
def queue() -> Iterator[Queue]:
    line = Queue()
    yield line
    line.close()


def test_records_come_back_in_order(queue: Queue):
    job = queue.add(counting(5))
    until(lambda: job.ended)
    assert job.state == "done"
    assert job.records == [{"n": n} for n in range(5)]


def test_one_after_the_other_and_the_queue_knows_its_length(queue: Queue):
    first, second, third = (queue.add(counting(1_000, 0.05)) for _ in range(3))
    until(lambda: first.records)
    assert (first.state, second.state, third.state) == ("running", "waiting", "waiting")
    assert [queue.ahead(job) for job in (first, second, third)] == [0, 1, 2]
    second.stop()
    assert queue.ahead(third) == 1
    first.stop()
    until(lambda: third.records)
    assert first.state == second.state == "stopped"
    assert second.records == []


def test_stop_ends_the_child_and_its_children(queue: Queue):
    script = (
        "import subprocess, sys, time, os\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        "print('{\"pids\": [%d, %d]}' % (os.getpid(), inner.pid), flush=True)\n"
        "time.sleep(300)"
    )
    job = queue.add(Job([sys.executable, "-c", script]))
    until(lambda: job.records)
    pids = job.records[0]["pids"]
    assert all(map(psutil.pid_exists, pids))
    job.stop()
    until(lambda: job.ended)
    until(
        lambda: not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
    )
    assert job.state == "stopped"
    assert job.error == ""


def test_nobody_looks_so_it_ends(queue: Queue):
    watched, left = counting(1_000, 0.02, patience=1.0), counting(1_000, 0.02, patience=1.0)
    queue.add(watched)
    begun = time.monotonic()
    until(lambda: watched.poll().records and time.monotonic() > begun + 2)
    assert watched.state == "running"  # two seconds, twice its patience: somebody polled
    until(lambda: watched.ended)  # and now nobody does
    assert watched.state == "stopped"
    queue.add(left)
    until(lambda: left.ended)
    assert left.state == "stopped"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import sys; print('The disk is full.', file=sys.stderr); sys.exit(2)", "The disk is full."),
        ("raise ValueError('odd')", "unexpectedly (ValueError: odd)"),
        ("import os; os._exit(7)", "unexpectedly (7)"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_in_a_sentence(queue: Queue, script: str, sentence: str):
    job = queue.add(Job([sys.executable, "-c", script]))
    until(lambda: job.ended)
    assert job.state == "failed"
    assert sentence in job.error


def test_a_failure_does_not_hold_up_the_next(queue: Queue):
    queue.add(Job(["/no/such/program"]))
    after = queue.add(counting(1))
    until(lambda: after.ended)
    assert after.state == "done"


def test_a_child_ends_with_the_course_that_started_it():
    """Without a course its standard input ends at once: it tidies up, or is ended by force.

    Also where Ctrl-C is ignored, as in whatever a shell runs in the background.
    """
    for rest, grace in (("sys.exit(5)", 60), ("time.sleep(300)", 1)):
        code = (
            f"from llmlab.course import work; import signal, sys, time; work.GRACE = {grace}\n"
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            f"try:\n    work.end_with_parent()\n    while True: time.sleep(0.05)\nexcept KeyboardInterrupt: {rest}"
        )
        done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, timeout=100)
        assert done.returncode == (5 if "exit" in rest else 1)


def test_a_sentence_for_a_person_and_status_2():
    code = "from llmlab.course import work; work.main(['prepare', 'no-such-model'])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", timeout=100
    )
    assert done.returncode == 2
    assert done.stderr.strip().endswith(".")
    assert "Traceback" not in done.stderr
