"""LLM Lab: every minute of a one-hour talk about large language models, running on models of our own.

The folders are the stages of the talk, in the order in which they may import each other: world, text, model,
generate, measure, train, report, show, course. Start reading at `model/gpt.py` or at `course/lessons.py`.
"""

__version__ = "0.1.0"
