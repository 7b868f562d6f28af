# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait about as long as they compute: so one process more than there are cores, and four do.
WORKERS = $(shell $(PYTHON) -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))')

.PHONY: help install run test test-kafka test-mysql test-mqtt test-imap test-kill test-browser test-prometheus test-ollama test-llama chaos chaos-short lint bench evaluate clean

help:
	@echo "make run           set up and start the whole desk; says where to look"
	@echo "make test          set up and run the tests that need no service"
	@echo "make test-kafka    the same road on Apache Kafka (installs it on first use)"
	@echo "make test-mysql    the record on MariaDB (installs it on first use)"
	@echo "make test-mqtt     the bridge on Mosquitto (installs it on first use)"
	@echo "make test-imap     mailboxes on Dovecot (installs it on first use)"
	@echo "make test-kill     kills the embedded desk twenty times: nothing lost, nothing twice"
	@echo "make chaos-short   kills processes, Kafka and MariaDB under load (five minutes)"
	@echo "make chaos         the same for long: at least 200 kills (half an hour)"
	@echo "make test-browser  the console in Debian's Chromium (installs it on first use)"
	@echo "make test-prometheus  dashboards and alerts on a real Prometheus (fetches it on first use)"
	@echo "make test-ollama   language models on a real Ollama with a tiny model (builds it on first use)"
	@echo "make test-llama    the same on llama.cpp's server of OpenAI's API (builds it on first use)"
	@echo "make lint          ruff, mypy, import-linter"
	@echo "make bench         the figures of docs/benchmarks.md, on Kafka and MariaDB too (15 minutes)"
	@echo "make evaluate      the figures of quality (docs/quality.md; a quarter of an hour)"

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo "python3 -m venv does not work here (on Debian: apt install python3-venv)"; exit 1; }
	@echo "Installing (a minute or two) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/astreinte prepare
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: install
	@exec $(BIN)/astreinte up $(ARGS)

# Tests start this program dozens of times: what Python compiles once is kept, whatever is set.
test: export PYTHONDONTWRITEBYTECODE :=
# Each process is one of many here: threads of linear algebra would only wait for one another.
test: export OPENBLAS_NUM_THREADS := 1
test: $(VENV)/.dev
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

test-kafka: $(VENV)/.dev
	@scripts/kafka run --sasl --tls -- $(BIN)/pytest -m kafka

test-mysql: $(VENV)/.dev
	@scripts/mysql run -- $(BIN)/pytest -m mysql

test-mqtt: $(VENV)/.dev
	@scripts/mosquitto install
	@$(BIN)/pytest -m mqtt

test-imap: $(VENV)/.dev
	@scripts/dovecot install
	@$(BIN)/pytest -m imap

test-kill: $(VENV)/.dev
	@$(BIN)/pytest -m kill

chaos-short: $(VENV)/.dev
	@$(BIN)/pytest -s -m chaos

chaos: $(VENV)/.dev
	@$(BIN)/python -m tests.chaos long --report data/chaos.md $(ARGS)

test-browser: $(VENV)/.dev
	@scripts/chromium
	@$(BIN)/pytest -m browser

test-prometheus: $(VENV)/.dev
	@scripts/prometheus run -- $(BIN)/pytest -m prometheus

test-ollama: $(VENV)/.dev
	@scripts/ollama run -- $(BIN)/pytest -m ollama

test-llama: $(VENV)/.dev
	@scripts/llama install
	@$(BIN)/pytest -m llama

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(VENV)/.dev
	@scripts/kafka run -- scripts/mysql run -- $(BIN)/python -m benchmarks $(ARGS)

evaluate: $(VENV)/.installed
	@$(BIN)/python -m evaluation.messages
	@$(BIN)/python -m evaluation.classification
	@$(BIN)/python -m evaluation.retrieval
	@$(BIN)/python -m evaluation.piaf
	@$(BIN)/python -m evaluation.grounding
	@$(BIN)/python -m evaluation.attacks
	@$(BIN)/python -m evaluation.frigo $(ARGS)

clean:
	rm -rf $(VENV) data .pytest_cache .ruff_cache .mypy_cache
