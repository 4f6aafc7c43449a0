"""The one exception that is meant for a person.

Whoever raises it says in one or two sentences what is wrong and what to do next. The command line prints the
sentence and ends with status 2; a lesson shows it in a callout. Everything else that is raised is a bug of ours.
"""


class LabError(Exception):
    """What is wrong, and what to do about it, in words that a student understands."""
