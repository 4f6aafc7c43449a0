"""Speaking: choose the next token (policy.py), run the network fast (reader.py), one token after another (engine.py)."""
