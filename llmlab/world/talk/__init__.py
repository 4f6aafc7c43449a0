"""Conversations of the Pocket Web: what people ask an assistant of the Isles, and what a good one answers.

    phrases.py     the words, from the text files of this folder
    about_facts.py questions about facts, with follow-ups, and "I don't know"
    tasks.py       work on a text that is given
    small_talk.py  greetings, who are you, terms of the Isles
    mix.py         how much of each; all conversations of a seed

`labelling.md` is what a person would be told who writes such answers. The base model has read none of this.
"""

from llmlab.world.talk.conversation import Conversation, Turn
from llmlab.world.talk.mix import conversations

__all__ = ["Conversation", "Turn", "conversations"]
