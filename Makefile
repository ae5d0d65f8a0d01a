# make run     sets up, starts everything, and serves http://localhost:8000     (ONCE=1: start, one job, stop)
# make dev     the same, with debug pages, starting anew when a file changes
# make test    every test, on its own servers                                    (ARGS="tests/records -k job")
# make race    the tests of simultaneous decisions, fifty rounds                 make bench    how fast the pages are
# make lint    style, types, templates, who may import whom
# make backup  database and files into a new folder  (TO=folder)     make restore FROM=folder  onto an empty place
# docs/operations.md says what can be set.

PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; exit; }; done; echo python3)
BUILD := $(PYTHON) -I collab4m/build.py
BIN := .venv/bin
WITH_SERVERS := $(BIN)/python -m collab4m.embedded with-servers
# The test databases go with their servers: nothing to tear down while a browser's last request still ends.
PYTEST := $(BIN)/pytest --reuse-db

.PHONY: run dev test race bench lint setup backup restore

run:
	@$(BUILD) run
	@exec $(BIN)/python -m collab4m.embedded run $(if $(filter-out 0,$(ONCE)),--once)

dev:
	@$(BUILD) run
	@exec env DEBUG=1 $(BIN)/python -m collab4m.embedded run --reload

setup:
	@$(BUILD) test

backup:
	@$(BUILD) run
	@exec $(BIN)/python -m collab4m.backup make $(if $(TO),--to "$(TO)")

restore:
	@$(BUILD) run
	@exec $(BIN)/python -m collab4m.backup restore --from "$(or $(FROM),$(error Name the backup: make restore FROM=folder))"

test:
	@$(BUILD) test
ifdef ARGS
	@exec $(WITH_SERVERS) --data .data/test -- $(PYTEST) $(ARGS)
else
	@$(WITH_SERVERS) --data .data/test -- $(PYTEST) -n 2 tests --ignore=tests/live
	@exec $(BIN)/pytest tests/live
endif

race:
	@$(BUILD) test
	@exec env RACE_ROUNDS=50 $(WITH_SERVERS) --data .data/test -- $(PYTEST) -m race tests --ignore=tests/live $(ARGS)

bench:
	@$(BUILD) test
	@exec $(WITH_SERVERS) --data .data/bench -- $(BIN)/python -m benchmarks $(ARGS)

lint:
	@$(BUILD) test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files -z --cached --others --exclude-standard -- '*.html' | xargs -0 -r $(BIN)/djade --check
	$(BIN)/lint-imports
