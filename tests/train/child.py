"""A process that trains, for test_kill.py and test_team.py: child.py CORPUS OUT CONFIG DIE_AT.

DIE_AT is "never", "step N" (after that step) or "write N" (before the Nth time that something is forced to the disk).
"""

import json
import os
import sys

from llmlab.model.gpt import GPTConfig
from llmlab.text.packing import load_corpus
from llmlab.train.config import PretrainConfig
from llmlab.train.pretrain import pretrain

folder, out, config, die_at = sys.argv[1:]
config = json.loads(config)
config = PretrainConfig(**{**config, "model": GPTConfig(**config["model"])})
written, sync = 0, os.fsync


def sync_or_die(handle):
    global written
    written += 1
    if die_at == f"write {written}":
        os.kill(os.getpid(), 9)
    sync(handle)


os.fsync = sync_or_die
for step in pretrain(config, load_corpus(folder), out):
    if die_at == f"step {step.step}":
        os.kill(os.getpid(), 9)
    print(step.step, flush=True)
