# Each target sets up what it needs; a second call sets nothing up again. V=1 shows every line of the installer and of the
# stages.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
# A CUDA build only where a CUDA GPU is. `make install LOCK=locks/cpu-vllm.txt` chooses another lock.
LOCK ?= $(shell if nvidia-smi -L >/dev/null 2>&1; then echo locks/gpu.txt; else echo locks/cpu.txt; fi)
VENV ?= .venv
BIN = $(VENV)/bin
V ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export DO_NOT_TRACK := 1
export NO_MKDOCS_2_WARNING := 1

.PHONY: help demo test test-slow test-vllm check docs format ui install lock clean

help: ## what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: install ## the whole pipeline on this machine: no key, no hub, no GPU (about ten minutes on two idle cores)
	@$(BIN)/reasrm run $(if $(V),--verbose)

test: install ## the tests that need no training, no browser, no GPU (about two minutes on two idle cores)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest

test-slow: install ## the tests that train models, run flows and open pages (Chromium from apt, else these are skipped)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "slow or browser" --dist loadfile

test-vllm: ## the tests that run vLLM on the CPU, in an environment of their own
	@$(MAKE) --no-print-directory install VENV=.venv-vllm LOCK=locks/cpu-vllm.txt
	@OMP_NUM_THREADS=1 .venv-vllm/bin/python -m pytest -n 0 -m vllm tests/inference tests/training

check: install ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: install ## the documentation as a site, in site/; a broken link or reference fails
	@$(BIN)/mkdocs build --quiet && echo "$(CURDIR)/site/index.html"

format: install ## let ruff mend what it can
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

ui: install ## Prefect's server and UI on this machine
	@$(BIN)/reasrm ui

install: $(VENV)/installed.$(notdir $(LOCK)) ## the environment alone

$(VENV)/installed.%: locks/% locks/install.sh pyproject.toml
	@echo "Setting up $(VENV) from locks/$* (once, a minute or some)"
	@PYTHON=$(PYTHON) VERBOSE=$(V) locks/install.sh $(VENV) locks/$*
	@touch $@

lock: ## pin every package anew (needs uv)
	@locks/compile.sh

clean: ## remove what runs leave behind, not the data that DVC tracks
	rm -rf work ledgers .pytest_cache .mypy_cache .ruff_cache .hypothesis build site *.egg-info
