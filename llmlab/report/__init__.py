"""Every claim of the course, measured again by a command: figures.py what lessons say, bench.py how fast it is."""
