# Everything runs from .venv, made from Python 3.11 or newer. `make` alone prints what there is.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help setup demo test lint format bench bench-kafka bench-checkpoints bench-latency bench-recovery soak bench-rules bench-tune reloads outage care-outage chaos fuzz clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(STAMP) ## make .venv and install everything (the others do it by themselves)

$(STAMP): pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (make PYTHON=/path/to/python3.11)"; exit 1; }
	@echo "[1/3] virtual environment in .venv, from $$("$(PYTHON)" --version)"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@echo "[2/3] installing what the project needs (some 700 MB on disk, once; a few minutes)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -e '.[dev]' \
		| sed -un 's/^Collecting \([A-Za-z0-9_.-]*\).*/      \1/p; s/^Installing collected.*/      unpacking/p; s/^Successfully installed.*churn.*/      done/p; /^ERROR/p'
	@echo "[3/3] compiling the engine (a minute or two; once, and after changes to it)"
	@$(BIN)/python -m streams.warmup
	@touch $@

demo: $(STAMP) ## simulated operator, engine and warnings in this terminal (in a pipe: one fixed stretch)
	@echo "churn demo: a simulated operator feeds the engine"
	@if [ -t 1 ]; then $(BIN)/churn demo; else $(BIN)/churn demo --once; fi

lint: $(STAMP) ## ruff, mypy strict, direction of imports
	@echo "ruff check"; $(BIN)/ruff check .
	@echo "ruff format --check"; $(BIN)/ruff format --check .
	@echo "mypy --strict"; $(BIN)/mypy
	@echo "import-linter"; $(BIN)/lint-imports

format: $(STAMP) ## format the code
	@$(BIN)/ruff check --fix --exit-zero . && $(BIN)/ruff format .

test: lint ## lint, then every test
	@echo "pytest"; $(BIN)/pytest -n 2 --dist loadgroup

bench: $(STAMP) ## speed and memory on simulated events (BENCH_EVENTS=1000000 for a short one)
	@$(BIN)/python -m benchmarks.bench

bench-rules: $(STAMP) ## what 100, 500 and 1,000 rules cost beside the default set (BENCH_EVENTS, BENCH_CUSTOMERS)
	@$(BIN)/python -m benchmarks.rules

bench-tune: $(STAMP) ## whether what rules tune promises is kept, on simulated seeds (BENCH_SEEDS=101,102) or BENCH_FILES with BENCH_SPLIT
	@$(BIN)/python -m benchmarks.tuning

outage: $(STAMP) ## an outage of 5,000 customers: incidents and warnings because of it (ten minutes)
	@$(BIN)/python -m benchmarks.outage

care-outage: $(STAMP) ## Redis killed and restarted while 500 warnings a second arrive for CARE_SECONDS=60, with figures
	@CARE_SECONDS=$${CARE_SECONDS:-60} $(BIN)/pytest -q -s -n 0 tests/system/test_care_outage.py

reloads: $(STAMP) ## rules that change a hundred times under load on Kafka, with one kill -9 (RELOADS, RELOAD_SECONDS; KAFKA_BOOTSTRAP or a broker of its own)
	@RELOADS=$${RELOADS:-100} RELOAD_SECONDS=$${RELOAD_SECONDS:-3600} $(BIN)/python -m pytest -n 0 -q -s tests/system/test_live_rules.py -k under_load

bench-kafka: $(STAMP) ## one worker beside bare aiokafka, Kafka Streams, Quix Streams, Faust (BENCH_CUSTOMERS, BENCH_EVENTS, BENCH_ROUNDS, KAFKA_BOOTSTRAP: its churn.* topics are deleted)
	@$(BIN)/python -m pip install --disable-pip-version-check -q -e '.[bench]'
	@$(BIN)/python -m benchmarks.live

chaos: $(STAMP) ## workers, broker and disk of a real Kafka die for a quarter of an hour; the warnings must be those of a replay (CHAOS_ROUNDS=40)
	@PYTHONPATH=tests $(BIN)/python tests/chaos.py --rounds $${CHAOS_ROUNDS:-40}

bench-checkpoints: $(STAMP) ## what checkpoints cost a worker, for uniform and skewed customers (the same settings, BENCH_EVERY)
	@$(BIN)/python -m benchmarks.checkpoints

bench-recovery: $(STAMP) ## how soon a worker with a million customers is back after kill -9 and after a restart (BENCH_CUSTOMERS, BENCH_EVERY)
	@$(BIN)/python -m benchmarks.recovery

soak: $(STAMP) ## half an hour at half load: memory, lag, errors (SOAK_MINUTES, and the settings of bench-latency)
	@$(BIN)/python -m benchmarks.soak

bench-latency: $(STAMP) ## from produce to warning delivered, at a tenth and half of a worker's top rate (BENCH_SECONDS, BENCH_PROBES)
	@$(BIN)/python -m benchmarks.latency

fuzz: $(STAMP) ## a long search: property tests with many more examples, then the engine and rule files (FUZZ_EXAMPLES=20000 FUZZ_SECONDS=600 FUZZ_FILES=10000)
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest -n 2 tests/property
	@$(BIN)/python tests/fuzz_engine.py --seconds $${FUZZ_SECONDS:-600}
	@$(BIN)/python tests/fuzz_rules.py --files $${FUZZ_FILES:-10000}

clean: ## remove .venv and everything made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .bench
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
