"""Learning: one loop, two optimisers, and checkpoints that survive anything."""
