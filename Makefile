# Everything from a clean clone; needs only Python >= 3.11 and make.
PYTHON ?= python3
CORES ?= $(shell env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc 2>/dev/null || sysctl -n hw.ncpu)
BIN := .venv/bin
SNAKEMAKE := $(BIN)/python workflow/start.py --cores $(CORES)

CONFIRM := config/confirm.yaml

.PHONY: help simulations published freeze confirm study smoke test figures report catalogue claims verify reference status compare explore show publish rank verify-entry fast laws bench gpu-check faults slurm-test lint lint-style lint-workflow lint-types lock schema rooms tables environment clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

study: environment ## the default study on every core: data, training, figures, paper/
	$(SNAKEMAKE)

smoke: environment ## a tiny study on digits shipped in the repository; no network
	$(SNAKEMAKE) --configfile config/smoke.yaml

figures: environment ## the figures of the default study
	$(SNAKEMAKE) figures

report: environment ## the report of the default study
	$(SNAKEMAKE) report

claims: environment ## the full study and its ledger of claims with ten seeds, an hour; make claims SEEDS=30 adds 20 more
	$(SNAKEMAKE) --configfile config/paper.yaml --config seeds=$(or $(SEEDS),10)

# A rerun starts afresh where the last one came to its end, and goes on where it was stopped.
AGAIN := results/default/verify
VERDICTS := $(AGAIN)/$(or $(CELLS),6)-cells-seed-$(or $(SEED),0).csv

freeze: environment ## freeze config/confirm.yaml and its decision rules as the next protocol: make freeze WHY='...'
	$(BIN)/python -m study.jobs.protocol freeze $(CONFIRM) $(if $(WHY),--why "$(WHY)")

# The forecast comes first; what is finished stays, so that the same command goes on.
confirm: environment ## check, forecast, run and verify the frozen benchmark; SEEDS=[...] in place of its own
	$(BIN)/python -m study.jobs.protocol check $(CONFIRM)
	$(SNAKEMAKE) --configfile $(CONFIRM) $(if $(SEEDS),--config seeds=$(SEEDS)) -- cost
	$(SNAKEMAKE) --configfile $(CONFIRM) $(if $(SEEDS),--config seeds=$(SEEDS))
	$(BIN)/python -m study.jobs.protocol verify $(CONFIRM)

verify: environment paper/reference/runs.parquet ## train 6 cells of the default study again, or CELLS=all, and compare with the reference
	@echo "$(or $(CELLS),6) $(or $(SEED),0)" | grep -Eqx '([1-9][0-9]*|all) [0-9]+' \
		|| { echo "CELLS must be 'all' or a whole number of at least 1, SEED one of at least 0."; exit 1; }
	$(if $(wildcard $(AGAIN)/*.csv),rm -rf $(AGAIN))
	$(SNAKEMAKE) -- $(VERDICTS)
	$(BIN)/python -m study.analysis.verification $(VERDICTS)

simulations: environment ## level, power and coverage in simulated studies: STUDIES=400, docs/simulations.csv
	$(BIN)/python -m study.analysis.simulated $(or $(STUDIES),400) docs/simulations.csv

reference: environment ## write the reference of make verify from the default study as trained here
	$(SNAKEMAKE) reference

paper/reference/runs.parquet:
	@echo "There is no $@ to compare with: make reference writes it, of a finished study."; exit 1

status: environment ## progress of a study, from its files: make status STUDY=default WATCH=1
	@$(BIN)/python -m study.jobs.status $(or $(STUDY),default) $(if $(WATCH),--watch)

compare: environment ## two studies cell by cell: make compare A=default B=mine, differences in results/A-B.csv
	@$(BIN)/python -m study.explorer.compare "$(A)" "$(B)" --to "results/$(A)-$(B).csv"

explore: environment ## a study as one page, opened where there is a desktop: make explore STUDY=smoke WITH=other
	@$(BIN)/python -m study.explorer.show "$(or $(STUDY),default)" $(if $(WITH),--with "$(WITH)")

show: environment ## one run: a page, and a summary on the terminal: make show STUDY=smoke RUN=memorize/none/none/0
	@$(BIN)/python -m study.explorer.show "$(or $(STUDY),default)" --run "$(RUN)"

# Trainings that are there are not made again.
published: environment ## results that others published, run again and judged: docs/published.md; 40 minutes of one core
	$(SNAKEMAKE) --configfile config/opacus.yaml -- results/opacus/runs.parquet
	$(SNAKEMAKE) --configfile config/mcmahan.yaml -- results/mcmahan/runs.parquet results/mcmahan/epochs.parquet
	$(BIN)/python -m study.published config/published.yaml docs/published

publish: ## copy a finished study's paper to docs/studies/: make publish STUDY=catalogue
	@case "$(STUDY)" in ""|*/*|.*) echo "STUDY must be the name of a study in results/. Got '$(STUDY)' instead."; exit 1;; esac
	@$(BIN)/python -m study.report.publish "results/$(STUDY)" "docs/studies/$(STUDY)"

catalogue: environment ## docs/catalogue.md and .html: every method with a picture
	$(SNAKEMAKE) catalogue

test: .venv/.test-installed ## lint, types and all tests
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n $(CORES) --dist loadgroup

fast: .venv/.test-installed ## the quick tests, a few minutes: no workflow, no long simulation
	$(BIN)/pytest -n $(CORES) --dist loadgroup -m "not workflow and not slow"

laws: .venv/.test-installed ## the laws over every method, and over yours: make laws METHODS=my_methods.py ONLY=my_name
	@$(BIN)/pytest tests/laws $(addprefix --methods=,$(METHODS)) $(addprefix -k ,$(ONLY)) || { code=$$?; \
		[ $$code -ne 5 ] || echo "ONLY must be part of the name of a method or of a law. Got '$(ONLY)' instead."; exit $$code; }

# The first name of the file's methods, or NAME; a method that breaks a law says so, see docs/own-method.md.
CHALLENGE := $(BIN)/python workflow/start.py --cores $(CORES) --snakefile workflow/challenge.smk
rank: .venv/.test-installed ## your method among those of the frozen benchmark, minutes: make rank METHOD=mine.py; NAME, PARAMS, WORKLOADS
	@name=$$($(BIN)/python -m study.challenge.submission "$(METHOD)" --name "$(NAME)" --params "$(PARAMS)") \
		&& $(BIN)/pytest tests/laws "--methods=$(METHOD)" -k "$$name"
	$(CHALLENGE) --config "method=$(METHOD)" "name=$(NAME)" "params=$(PARAMS)" "workloads=$(WORKLOADS)" -- rank

# It runs the code in the entry: read that first.
verify-entry: environment ## check an entry of make rank and train 4 of its runs again: make verify-entry ENTRY=entry.json RUNS=all
	$(BIN)/python -m study.challenge.verify check "$(ENTRY)"
	rm -rf results/verify-entry
	$(CHALLENGE) --config "entry=$(ENTRY)" "runs=$(RUNS)" \
		"seed=$(or $(SEED),$(shell $(BIN)/python -m study.challenge.verify seed))" -- verify
	$(BIN)/python -m study.challenge.verify verdict

bench: .venv/.test-installed data/mnist.verified ## speed compared with PyTorch, scikit-learn and JAX: docs/speed.md, results/bench/
	$(BIN)/python -m benchmarks.speed

gpu-check: .venv/.test-installed ## parity and speed on a GPU: docs/gpu.md; does nothing where there is none
	$(BIN)/python -m benchmarks.gpu

data/mnist.verified: | environment
	$(SNAKEMAKE) $@

faults: .venv/.test-installed ## kills at random moments, full disks, damaged files and more: docs/faults.md; TRIES=12, ONLY=disk
	$(BIN)/pytest -v tests/faults --tries=$(or $(TRIES),12) --fault-table=docs/faults.md $(addprefix -k ,$(ONLY))

slurm-test: .venv/.test-installed ## the smoke study on a real SLURM, installed by apt and started here; needs root
	$(BIN)/pytest -v tests/workflow/test_slurm.py

lint: .venv/.test-installed ## ruff, snakefmt, snakemake --lint, imports, types
	@$(MAKE) --no-print-directory -j $(CORES) lint-style lint-workflow lint-types

lint-style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

lint-workflow:
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

lint-types:
	$(BIN)/mypy

schema: environment ## workflow/schemas/study.schema.json: the keys of a configuration
	$(BIN)/python -c 'import json; from study.config.schema import json_schema; print(json.dumps(json_schema(), indent=1))' \
		> workflow/schemas/study.schema.json

rooms: environment ## the drawing of the rooms in docs/architecture.md
	$(BIN)/python docs/rooms.py

tables: environment ## docs/tables.md: every column of every table
	$(BIN)/python docs/tables.py

environment: .venv/.study-installed ## only the virtual environment

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python")'
	$(PYTHON) -m venv .venv
	@echo "Installing the pinned packages into .venv: several minutes and several GB, once."

.venv/.study-installed: locks/study.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/.test-installed: locks/test.txt .venv/.study-installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

lock: ## solve the pins again (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o locks/study.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra test -c locks/study.txt pyproject.toml -o locks/test.txt

clean: ## delete all results; keep data and environment
	rm -rf results logs .snakemake
