"""Speaking: policy.py picks the next token, reader.py runs the network fast, engine.py goes token after token."""
