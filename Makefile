# `make run` shows it, `make test` proves it. Everything else is listed by `make help`.

RIDES ?= 1000
PORT ?=
CLOUD ?=
INPUT ?=
OUTPUT ?=
RUN_ID ?=
STACK ?=
STREAM ?=
BUCKET ?=
NAME ?=
ARGS ?=
PKG ?=
RUNS ?= 10000000
SEED ?= 1
PREDICTOR ?=
RATE ?=

# An option with the value of a variable, if that was given: its default here is another target's.
given = $(if $(filter file,$(origin $(2))),,$(1)='$($(2))')

VENV := .venv/bin
# The whole environment, and the part of it that unit tests need.
READY := .venv/.ready
UNIT_READY := .venv/.unit-ready
SAM_READY := .tools/sam/.ready
# LocalStack, the Lambda runtime, and what the image has besides the code: for the integration test.
HOST_READY := .tools/localstack/.ready .tools/runtime/.ready .tools/serving/.ready
# Spark and a Java, for the test of batch scoring past one machine.
SPARK_READY := .tools/spark/.ready
# What calls the web service in tests: a browser, and a client that goes by its OpenAPI document.
WEB_READY := .tools/browser/.ready .tools/schemathesis/.ready

# Scripts in a virtual environment name its interpreter by path: a checkout that was moved is set up
# anew.
$(shell [ ! -e $(UNIT_READY) ] || [ -x "$$(sed -n '1s/^#!//p' $(VENV)/pytest)" ] || rm -rf .venv .tools)

# As many tests at a time as there are cores, up to four, for some take half a gigabyte.
PARALLEL := --numprocesses=logical --maxprocesses=4 --dist=worksteal

.DEFAULT_GOAL := help
# Targets of one command line go one after the other: some share the environment that they set up.
.NOTPARALLEL:
.PHONY: help run decide up web test all-tests unit pr coverage check integration-test refuse-cloud \
    soak fuzz bench bench-quick bench-batch \
    bench-web score capacity image web-image try-image template predictor snapshot read redrive \
    replay release rollback \
    setup python lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-26s%s\n", "  make " $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# These run programs that exist for Linux only (LocalStack and the Lambda runtime as processes, npm's
# browser, atheris), or read /proc.
LINUX_ONLY := test all-tests pr coverage integration-test-on-host fuzz bench bench-quick bench-batch
WANTED := $(MAKECMDGOALS)
ifneq ($(filter integration-test,$(MAKECMDGOALS)),)
WANTED += integration-test-on-$(or $(CLOUD),$(shell docker compose ls >/dev/null 2>&1 && echo compose || echo host))
endif
ifneq ($(filter $(LINUX_ONLY),$(WANTED)),)
ifneq ($(shell uname -s),Linux)
$(error make $(MAKECMDGOALS) needs Linux, as in a container or a virtual machine; 'make run', 'make up', 'make web', 'make unit' and 'make integration-test CLOUD=compose' work here)
endif
endif

run: $(READY) ## send RIDES rides (1000) to the local stack and print their predictions
	@$(VENV)/python -m local.run --rides '$(RIDES)'

decide: $(READY) ## the same rides, with the decisions on them printed instead
	@$(VENV)/python -m local.run --rides '$(RIDES)' --show decisions

up: $(READY) ## keep the local stack up until Ctrl-C, on PORT if given
	@$(VENV)/python -m local.up $(if $(PORT),--port '$(PORT)')

web: $(READY) ## serve predictions over HTTP on PORT (9696), of a sample model unless one is named
	@$(VENV)/python -m local.web $(if $(PORT),--port '$(PORT)')

# Unit tests come first: on a new machine they run before the rest is set up, which shows that they
# need no more than `make unit` installs.
test: unit ## everything that CI runs
	@$(MAKE) --no-print-directory check all-tests

all-tests: $(READY) $(HOST_READY) $(SPARK_READY) $(WEB_READY)
	@$(VENV)/python -m pytest $(PARALLEL) tests/contract tests/e2e tests/faults
	@$(MAKE) --no-print-directory integration-test CLOUD=host

ifneq ($(PKG),)
PACKAGES := $(notdir $(patsubst %/.,%,$(wildcard tests/unit/*/.)))
# PKG is one of these, or a folder in one of these.
ifeq ($(and $(filter $(PACKAGES),$(firstword $(subst /, ,$(PKG)))),$(wildcard tests/unit/$(PKG)/.),$(if $(findstring ..,$(PKG))$(word 2,$(PKG)),,yes)),)
$(error PKG=$(PKG) has no unit tests; expected one of $(PACKAGES))
endif
endif
unit: $(UNIT_READY) ## the unit tests, of one package with PKG=decision_service
	@$(VENV)/python -m pytest $(PARALLEL) --quiet tests/unit$(if $(PKG),/$(PKG))

pr: check coverage ## what a reviewer runs: format, lint, types, unit and contract tests, coverage

coverage: $(READY) $(SPARK_READY) $(WEB_READY) ## unit and contract tests, with the coverage of what serves
	@rm -f .coverage .coverage.*
	@$(VENV)/python -m coverage run -m pytest $(PARALLEL) tests/unit tests/contract
	@$(VENV)/python -m coverage combine --quiet
	@$(VENV)/python -m coverage report

check: $(READY) $(SAM_READY) ## formatting, lint, types, template
	@$(VENV)/python -m ruff format --check .
	@$(VENV)/python -m ruff check .
	@$(VENV)/python -m mypy
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .tools/sam/bin/python -m samcli validate --lint
	@.tools/sam/bin/cfn-lint template.yaml

# With a container engine the functions run in the image, without one as processes. A wrong cloud is
# refused first, before anything is set up for it.
integration-test: $(if $(filter-out host compose aws,$(CLOUD)),refuse-cloud) $(READY) $(SAM_READY) ## deploy and try the whole path; CLOUD=host, compose or aws
	@$(MAKE) --no-print-directory \
		integration-test-on-$(or $(CLOUD),$(shell docker compose ls >/dev/null 2>&1 && echo compose || echo host))

integration-test-on-host: $(HOST_READY)
	@$(VENV)/python -m pytest integration-test --cloud=host

integration-test-on-compose:
	@docker compose ls >/dev/null || { echo "docker compose does not answer: start docker, or use CLOUD=host" >&2; exit 1; }
	@ENGINE=docker IMAGE=ride-predictions:latest scripts/image
	@$(VENV)/python -m pytest integration-test --cloud=compose

integration-test-on-aws:
	@$(VENV)/python -m pytest integration-test --cloud=aws

refuse-cloud:
	@echo "CLOUD='$(CLOUD)' is not allowed; it must be one of host, compose and aws" >&2; exit 1

image: ## build the Lambda image with docker, podman or buildah
	@scripts/image

web-image: ## build the web service's image, ride-predictions-web:latest
	@TARGET=web IMAGE=$${IMAGE:-ride-predictions-web:latest} scripts/image

try-image: image $(READY) ## run the image as Lambda would, and have it predict one ride
	@scripts/try-image

template: $(UNIT_READY) ## write template.yaml from deploy/
	@$(VENV)/python -m ops.stack_template

predictor: $(UNIT_READY) ## add a predictor of NAME to deploy/predictors.yaml and template.yaml
	@$(VENV)/python -m ops.stack_template --add '$(NAME)'

snapshot: $(UNIT_READY) ## update the snapshot of the template's resources; review its diff
	@$(VENV)/python -m tests.unit.template.snapshot

read: $(READY) ## print the records of STREAM, the predictions if not given
	@$(VENV)/python -m ops.read '$(STREAM)'

redrive: $(READY) ## what failed, and its way back: ARGS='list', 'show …' or 'put …'
	@$(VENV)/python -m ops.redrive $(if $(BUCKET),--bucket '$(BUCKET)') \
		$(if $(STREAM),--stream '$(STREAM)') $(or $(ARGS),list)

replay: $(READY) ## score kept rides again with RUN_ID: ARGS='--from … --to … --output …'
	@$(VENV)/python -m ops.replay $(if $(STREAM),--stream '$(STREAM)') --run-id '$(RUN_ID)' \
		$(if $(MODEL_SHA256),--model-sha256 '$(MODEL_SHA256)') $(ARGS)

release: $(READY) ## serve RUN_ID with MODEL_SHA256 (and MODEL_ID) in STACK, for PREDICTOR
	@$(VENV)/python -m ops.release --stack '$(STACK)' release --predictor '$(or $(PREDICTOR),duration)' \
		--run-id '$(RUN_ID)' --model-sha256 '$(MODEL_SHA256)' --model-id '$(MODEL_ID)'

rollback: $(READY) ## serve in STACK what was served before the last release
	@$(VENV)/python -m ops.release --stack '$(STACK)' rollback

soak: $(READY) ## RIDES rides (a million) with faults on, by SEED; its report is .local/soak.json
	@mkdir -p .local
	@$(VENV)/python -m tests.faults.soak --report .local/soak.json \
		$(call given,--rides,RIDES) $(call given,--seed,SEED)

fuzz: .tools/fuzz/.ready ## give every reader RUNS inputs (10,000,000) in all, by SEED
	@.tools/fuzz/bin/python -m fuzz --runs '$(RUNS)' --seed '$(SEED)'

bench: $(READY) ## speed, cold start, memory and size into docs/performance; ARGS='--rides …'
	@$(VENV)/python -m benchmarks $(ARGS)

bench-quick: $(READY) ## the same in two minutes, into .local/bench
	@$(VENV)/python -m benchmarks --quick $(ARGS)

bench-batch: $(READY) ## a year of trip files, by the file and ride by ride; ARGS='--trips FOLDER'
	@$(VENV)/python -m benchmarks.bench_batch $(ARGS)

score: $(READY) ## score the trip files of INPUT into OUTPUT; RUN_ID, ARGS='--from … --to …'
	@$(VENV)/python -m batch score --input '$(INPUT)' --output '$(OUTPUT)' \
		$(if $(filter command,$(firstword $(origin RUN_ID))),--run-id '$(RUN_ID)') $(ARGS)

bench-web: $(READY) ## the web service beside a Flask view that predicts through mlflow.pyfunc
	@$(VENV)/python -m benchmarks.bench_web

capacity: $(READY) ## what RATE rides a second need and cost; ARGS='--mode …', --help
	@$(VENV)/python -m capacity $(if $(RATE),--rides-per-second '$(RATE)') $(ARGS)

setup: $(READY) ## the environment, and nothing else

python: $(READY) ## print the path of the environment's interpreter
	@echo $(abspath $(VENV)/python)

lock: ## lock Pipfile.lock and requirements/*.txt to current versions
	@scripts/setup lock

clean: ## remove what the other targets made
	rm -rf .venv .tools .local .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*

$(UNIT_READY): Pipfile.lock requirements/pipenv.txt scripts/setup
	@scripts/setup unit >&2
	@touch $@

$(READY): Pipfile.lock requirements/pipenv.txt scripts/setup
	@scripts/setup project >&2
	@touch $(UNIT_READY) $@

.tools/serving/.ready: Pipfile.lock scripts/serving-packages | $(READY)
	@echo "setting up .tools/serving ..." >&2
	@scripts/serving-packages .tools/pipenv/bin/python .tools/serving >&2
	@touch $@

.tools/browser/.ready: requirements/browser/package-lock.json requirements/browser/fonts.conf \
    scripts/setup | .tools/localstack/.ready
	@scripts/setup browser >&2
	@touch $@

.tools/%/.ready: requirements/%.txt scripts/setup
	@scripts/setup $* >&2
	@touch $@
