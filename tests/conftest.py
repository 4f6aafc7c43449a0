"""What all checks share: no network, folders of their own, one thread each, a browser."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = ROOT / "tests" / "offline"
SCREENSHOTS = ROOT / "build" / "screenshots"

# Before anything else is imported: torch reads the number of threads once, and the guard holds from here on.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["LLMLAB_CACHE"] = str(ROOT / ".cache" / "llmlab")
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(OFFLINE), str(ROOT), os.environ.get("PYTHONPATH", "")]
).rstrip(os.pathsep)
_spec = importlib.util.spec_from_file_location("llmlab_offline", OFFLINE / "sitecustomize.py")
_guard = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_guard)
NetworkBlocked = _guard.NetworkBlocked


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check never touches the progress of whoever runs it."""
    monkeypatch.setenv("LLMLAB_DATA", str(tmp_path / "data"))


def _chromium() -> str | None:
    """The browser of this machine, or Playwright's own."""
    from playwright.sync_api import sync_playwright

    from llmlab.course.browser import find_chromium

    if found := find_chromium():
        return str(found)
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if os.path.exists(own) else None


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """A real Chromium that can reach this machine only."""
    from playwright.sync_api import sync_playwright

    from llmlab.course.timing import sandbox_arguments

    path = _chromium()
    if path is None:
        sentence = "NO BROWSER: install Chromium, Chrome or Edge, and the browser checks run too."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    arguments = [
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        "--disable-background-networking",
    ]
    arguments += sandbox_arguments()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


def pytest_terminal_summary(terminalreporter) -> None:
    """One loud line where the checks of a browser, of the C engine, or of engine.wasm did not run."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for mark, line in (
        ("NO BROWSER", "THE BROWSER CHECKS DID NOT RUN: no Chromium, Chrome or Edge on this machine."),
        ("NO COMPILER", "THE CHECKS OF THE C ENGINE DID NOT RUN: no C compiler on this machine."),
        ("NO ZIG", "ENGINE.WASM WAS NOT BUILT AGAIN: no zig here. pip install 'llmlab[test]' brings it."),
    ):
        if any(mark in reason for reason in skipped):
            terminalreporter.write_line(f"*** {line} ***", red=True, bold=True)


def pytest_configure(config) -> None:
    """Hypothesis: the same examples each time in CI, and no deadline on a busy machine."""
    from hypothesis import settings

    settings.register_profile("course", deadline=None, derandomize=bool(os.environ.get("CI")), database=None)
    settings.load_profile("course")
    if sys.flags.utf8_mode == 0 and sys.platform == "win32":
        raise pytest.UsageError("Run the checks with `python -m llmlab test`: it switches UTF-8 mode on.")
