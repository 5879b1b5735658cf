# What there is to do with this checkout. Every target sets up first what it needs.
# Options are environment variables or arguments of make: make run ONCE=1 CALL=0 HOST=func

PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv/bin
STACK := $(VENV)/python -m local_stack
STATE_DIR := $(abspath $(or $(LOCAL_STATE_DIR),.local))
BICHECK := ../shared/tools/bicheck/bicheck.py
export HOST

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# Options of a call, from make's arguments. They reach the shell as they were written, whatever is in them.
export CALL_AUDIO := $(value AUDIO)
export CALL_SAY := $(value SAY)
export CALL_PROVIDER := $(value PROVIDER)
export CALL_TURNS := $(value TURNS)
export CALL_PATTERN := $(value PATTERN)
export CALL_BACKCHANNEL := $(value BACKCHANNEL)
call_options = $(if $(CALL_AUDIO),--audio="$$CALL_AUDIO") $(if $(CALL_SAY),--say="$$CALL_SAY") \
	$(if $(CALL_PROVIDER),--provider="$$CALL_PROVIDER") $(if $(CALL_TURNS),--turns="$$CALL_TURNS") \
	$(if $(CALL_PATTERN),--pattern="$$CALL_PATTERN") \
	$(if $(CALL_BACKCHANNEL),--backchannel="$$CALL_BACKCHANNEL") $(if $(filter 1,$(PLOT)),--plot)

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: setup
setup: ## install everything that is missing
	@$(PYTHON) -m local_stack.setup

.PHONY: run
run: setup ## start the stack, place a call, stay (ONCE=1 ends after it, CALL=0 places none, HOST=func)
	@exec $(STACK) up $(if $(filter 1,$(ONCE)),--once) $(if $(filter 0,$(CALL)),--no-call) -- $(call_options)

.PHONY: call
call: setup ## place a call into the running stack (PROVIDER=vonage AUDIO=file.wav SAY="text" TURNS=2 PATTERN=bp PLOT=1)
	@exec $(VENV)/python -m local_stack.phones.call $(call_options)

.PHONY: token
token: setup ## print an access token (ROLE=operator, caller, admin or platform)
	@$(STACK) token $(if $(ROLE),--role "$(ROLE)")

.PHONY: status
status: setup ## show the parts of the running stack
	@$(STACK) status

.PHONY: stop
stop: ## stop the running stack
	@test ! -x $(VENV)/python || $(STACK) down --wait

OUR_CODE := function_app.py functions shared local_stack benchmarks infra

.PHONY: check
check: setup ## format, lint, types, who may import whom, infrastructure
	@$(VENV)/ruff format --check --quiet .
	@$(VENV)/ruff check --quiet .
	@$(VENV)/mypy .
	@npm --prefix clients/talk run --silent check
	@found=$$(PYTHONPATH=. $(VENV)/lint-imports --no-logo 2>&1) || { echo "$$found"; exit 1; }
	@$(VENV)/pylint --disable=all --enable=duplicate-code --score=n $(OUR_CODE)
	@if [ -f $(BICHECK) ]; then $(VENV)/python $(BICHECK) infra/bicep; fi

.PHONY: format
format: setup ## put the code into its form
	@$(VENV)/ruff check --quiet --fix-only .
	@$(VENV)/ruff format --quiet .

.PHONY: test
test: ## all tests, with a browser (TESTS="tests/shared -k name" for some of them)
	@$(PYTHON) -m local_stack.setup --chromium
	@$(if $(TESTS),,found=$$(npm --prefix clients/talk test --silent 2>&1) || { echo "$$found"; exit 1; })
	@PATH="$$PATH:$(STATE_DIR)/chromium" $(VENV)/python -m $(if $(TESTS),pytest -q $(TESTS),tests.lanes)

.PHONY: eval
eval: setup ## agents tested by simulated callers (SCENARIOS="file …", MODEL=local, REPORT=folder)
	@$(STACK) eval $(if $(MODEL),--model "$(MODEL)") $(if $(REPORT),--report "$(REPORT)") $(SCENARIOS)

.PHONY: bench
bench: setup ## voice-to-voice times with the scripted service
	@$(VENV)/python -m benchmarks

.PHONY: lock
lock: setup ## compile the lists of packages with their hashes
	@$(PYTHON) -m local_stack.setup.lock

.PHONY: reset
reset: stop ## forget all calls and data, but keep the model files
	@$(PYTHON) -m local_stack.setup.clean --keep-models

.PHONY: clean
clean: stop ## remove everything that the stack has kept (.local), model files included
	@$(PYTHON) -m local_stack.setup.clean

.PHONY: distclean
distclean: clean ## also remove what was installed into the checkout
	@rm -rf .venv local_stack/azurite/node_modules clients/talk/node_modules functions/pages/static
