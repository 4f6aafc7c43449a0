"""Running a student's code where it can do no harm: no file, no network, one second, 64 MB.

The interpreter (pydantic-monty, a Python subset in Rust) is another process, so thirty students in one server cannot
stop each other. `def`, `for`, lists, dictionaries and `math` are there; numpy and torch are not.
"""

from collections.abc import Sequence

from pydantic_monty import Monty, MontyError, MontySyntaxError

LIMITS = {"max_feed_duration_secs": 1.0, "max_memory": 64 * 2**20}


class CodeError(Exception):
    """The student's code could not be run; the message is for the student."""


def results(code: str, calls: Sequence[str]) -> list[object]:
    """Run `code`, then each of `calls` (expressions) after it, and return their values. CodeError says what failed."""
    with Monty(request_timeout=10) as pool, pool.checkout(limits=LIMITS) as session:
        try:
            session.feed_run(code)
            return [session.feed_run(call) for call in calls]
        except MontySyntaxError as error:
            raise CodeError(f"Python cannot read this yet: {error}.") from error
        except MontyError as error:
            if "TimeoutError" in str(error):
                raise CodeError("Your code did not end within a second. Does a loop never stop?") from error
            raise CodeError(f"Your code stopped with {error}.") from error
