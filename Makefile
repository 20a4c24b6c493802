# `make run` shows it, `make test` proves it. Everything else is listed by `make help`.

RIDES ?= 1000
PORT ?=

VENV := .venv/bin
READY := .venv/.ready
SAM_READY := .tools/sam/.ready

# Scripts in a virtual environment name its interpreter by path: a checkout that was moved is set up
# anew.
$(shell [ ! -e $(READY) ] || [ -x "$$(sed -n '1s/^#!//p' $(VENV)/pytest)" ] || rm -rf .venv .tools)

.DEFAULT_GOAL := help
.PHONY: help run up test check bench setup python lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

run: $(READY) ## send RIDES rides (1000) to the local stack and print their predictions
	@$(VENV)/python -m local.run --rides '$(RIDES)'

up: $(READY) ## keep the local stack up until Ctrl-C, on PORT if given
	@$(VENV)/python -m local.up $(if $(PORT),--port '$(PORT)')

test: check ## everything that CI runs
	@$(VENV)/python -m pytest

check: $(READY) $(SAM_READY) ## formatting, lint, types, template
	@$(VENV)/python -m ruff format --check .
	@$(VENV)/python -m ruff check .
	@$(VENV)/python -m mypy
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .tools/sam/bin/python -m samcli validate --lint

bench: $(READY) ## how much a batch gains over single calls
	@$(VENV)/python -m benchmarks.batching

setup: $(READY) ## the environment, and nothing else

python: $(READY) ## print the path of the environment's interpreter
	@echo $(abspath $(VENV)/python)

lock: ## write Pipfile.lock anew
	@scripts/setup lock

clean: ## remove what the other targets made
	rm -rf .venv .tools .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): Pipfile.lock requirements/pipenv.txt scripts/setup
	@scripts/setup project >&2
	@touch $@

$(SAM_READY): requirements/sam.txt scripts/setup
	@scripts/setup sam >&2
	@touch $@
