"""The Pocket Web: an invented internet whose every fact is known.

facts.py what is true; genesis.py a world from a seed; grammar.py and voices/ how pages are written;
crawl.py which pages there are; html.py how a page looks. `python -m llmlab.world.preview diary` reads some aloud.
"""

from llmlab.world.facts import CUTOFF, Entity, Fact, World
from llmlab.world.genesis import SIZES, build_world

__all__ = ["CUTOFF", "SIZES", "Entity", "Fact", "World", "build_world"]
