"""`python -m llmlab …`: the same as the command `llmlab`, but it works from an empty clone too.

Only the standard library is imported before it is known that the rest is installed.
"""

import sys

from llmlab import install


def main() -> None:
    """Make sure that this interpreter has what the command needs, then hand over to it."""
    try:
        install.settle(sys.argv[1:])
    except install.InstallError as error:
        print(f"llmlab: {error}", file=sys.stderr)
        sys.exit(2)

    try:
        from llmlab.cli import main as command  # not earlier: it needs what was just installed
    except ModuleNotFoundError as missing:
        if str(missing.name).partition(".")[0] == "llmlab":
            raise
        print(f"llmlab: {missing.name} is missing here. Run: python -m llmlab course", file=sys.stderr)
        sys.exit(2)

    command()


if __name__ == "__main__":
    main()
