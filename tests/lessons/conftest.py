"""The course in a real browser: one server for all checks of a worker, and pages that must behave."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page

from llmlab.course.timing import ALIVE, served

ALIVE_MS = 60_000  # two workers share two cores; `llmlab bench` measures the real time
IN_SIGHT = "(all) => all.some((e) => e.getBoundingClientRect().top < innerHeight)"
LOOKS = {"1280": (1280, 800, "light"), "390": (390, 844, "light"), "dark": (1280, 800, "dark")}


@pytest.fixture(scope="session")
def course() -> Iterator[str]:
    """The address of a course that was started as a student starts it."""
    with served() as (address, _):
        yield address


class Visit:
    """One page that is watched from its first request on."""

    def __init__(self, page, address: str) -> None:
        self.page, self.address = page, address
        self.errors: list[str] = []
        self.left: list[str] = []
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._watch(request.url))
        page.on("websocket", lambda socket: self._watch(socket.url.replace("ws:", "http:", 1)))

    def _watch(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.left.append(url)

    def open(self, path: str) -> None:
        """Go there and wait until every cell has run and shows what it has."""
        self.page.goto(self.address.rstrip("/") + path)
        self.page.wait_for_function(ALIVE, timeout=ALIVE_MS)
        self.page.wait_for_load_state("networkidle", timeout=ALIVE_MS)

    def check(self) -> None:
        """Nothing went wrong, and nothing left the machine."""
        assert self.left == []
        assert self.errors == []
        assert self.page.locator(".marimo-error, .text-error, [data-testid=cell-error]").count() == 0


def opened(browser, course: str, path: str, look: str = "1280", **context: object) -> Visit:
    """A page in one of the LOOKS, in a browser context of its own, as another student's would be."""
    width, height, scheme = LOOKS[look]
    size = {"width": width, "height": height}
    tab = browser.new_context(
        viewport=size, color_scheme=scheme, reduced_motion="reduce", **context
    ).new_page()
    one = Visit(tab, course)
    one.open(path)
    return one


def run_folder(task: str) -> Path:
    """The folder of the training that a child process of our course does now (llmlab/course/work.py)."""
    for process in psutil.Process().children(recursive=True):
        command = process.cmdline()
        if command[2:4] == ["llmlab.course.work", task]:
            return Path(command[5])
    raise AssertionError(f"No child of the course does {task!r}.")


@pytest.fixture
def visit(browser, course: str) -> Iterator[Callable[..., Visit]]:
    """Open a page; the checks of `Visit.check` are made for every page at the end."""
    visits: list[Visit] = []

    def make(path: str, look: str = "1280", **context: object) -> Visit:
        visits.append(opened(browser, course, path, look, **context))
        return visits[-1]

    yield make
    for one in visits:
        one.check()
        one.page.context.close()


@pytest.fixture(scope="module")
def shared(browser, course: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page of a file's LESSON, opened once for the checks that leave it usable."""
    one = opened(browser, course, request.module.LESSON)
    yield one
    one.page.context.close()


@pytest.fixture
def lesson(shared: Visit) -> Iterator[Page]:
    """The shared page; the checks of `Visit.check` are made after each use of it."""
    shared.errors.clear()
    shared.left.clear()
    yield shared.page
    shared.check()


@pytest.fixture
def keep_screenshot() -> Callable[[Visit, str], Path]:
    """The whole page as a picture, kept as an artefact of the run."""

    def keep(one: Visit, name: str) -> Path:
        file = Path(__file__).resolve().parents[2] / "build" / "screenshots" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        tall = one.page.evaluate(
            "Math.max(...[...document.querySelectorAll('*')].map((e) => e.scrollHeight))"
        )
        one.page.set_viewport_size(
            {"width": one.page.viewport_size["width"], "height": min(int(tall), 12_000)}
        )
        one.page.wait_for_timeout(300)  # what is made when it is seen begins now
        spinning = one.page.locator(".animate-spin")
        for _ in range(ALIVE_MS // 100):
            if not spinning.evaluate_all(IN_SIGHT):
                break
            one.page.wait_for_timeout(100)
        one.page.screenshot(path=file)
        return file

    return keep
