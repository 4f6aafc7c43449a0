"""`llmlab test`: everything, as one run of pytest with two workers."""

import os
import subprocess
import sys
from collections.abc import Sequence

from llmlab.install import ROOT

WORKERS = 2  # the checks are meant for two cores; more of them would only measure each other


def run(arguments: Sequence[str] = ()) -> int:
    """Run pytest in the repository; returns its exit status. Arguments narrow it down, as with pytest."""
    spread = () if any(a.startswith("-n") for a in arguments) else ("-n", str(WORKERS), "--dist", "loadfile")
    environment = os.environ | {"PYTHONUTF8": "1"}
    return subprocess.call([sys.executable, "-m", "pytest", *spread, *arguments], cwd=ROOT, env=environment)
