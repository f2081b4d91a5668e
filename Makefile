# Thin on purpose: what a target does is written in tox.ini or in the command it calls.
#   make run [STACK=embedded|production] [ARGS=--once]     the main job, before your eyes
#   make test                                              lint, types, imports and the tests against the built wheel

STACK ?= embedded
ARGS ?=
BIN := .venv/bin
# The first interpreter that is new enough and can make an environment.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

.PHONY: help venv run test bench docs soak clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

venv: .venv/.developer

run: .venv/.application
	$(BIN)/python -m licencehub.demo --stack $(STACK) $(ARGS)

test: .venv/.developer
	@rm -rf build # the wheel is built there, and would keep modules that were deleted
	$(BIN)/tox run -e lint,types,tests

bench: .venv/.bench
	$(BIN)/python -m bench $(ARGS)

docs: .venv/.developer
	$(BIN)/python docs/generate.py $(ARGS)

soak: .venv/.developer
	$(BIN)/python -m pytest -m soak -s --timeout=0 $(ARGS)

clean:
	rm -rf .venv .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.application: setup.cfg pyproject.toml | .venv/bin/python
	@echo "installing the hub and what it needs into .venv (a minute or so) 正在准备运行环境 …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -e .
	@touch $@

.venv/.developer: setup.cfg pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -e '.[dev]'
	@touch $@ .venv/.application

.venv/.bench: .venv/.developer
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -e '.[bench]'
	@touch $@
