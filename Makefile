# A convenience: `python -m llmlab course` and `python -m llmlab test` do the same, also on Windows.
PYTHON ?= python3

.PHONY: course test
course:
	@$(PYTHON) -m llmlab course

test:
	@$(PYTHON) -m llmlab test
