# One virtual environment in .venv, made when it is needed. Without make: the README gives the same steps with pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := namespace vocabulary raster engine document protocol server plugins
# An editable install in strict mode links files when it is made, so a new file asks for a new install.
LISTED := $(VENV)/sources.txt

.PHONY: setup demo quick test test-gimp test-krita test-others test-model test-newer soak mutants coverage check bench release clean FORCE
setup: $(VENV)/installed

# A venv that failed for want of Debian's python3-venv has a python and no pip, and is made again.
$(BIN)/pip:
	$(PYTHON) -m venv --clear $(VENV)

$(LISTED): FORCE | $(BIN)/pip
	@find $(SOURCES) -name '*.py' | LC_ALL=C sort > $@.new && { cmp -s $@.new $@ && rm $@.new || mv $@.new $@; }

$(VENV)/installed: pyproject.toml constraints.txt $(LISTED)
	# torch first and alone: a machine whose index has a CPU build keeps it.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' --config-settings editable_mode=strict
	# spandrel without its dependencies: it asks for torchvision, which has no CPU build and which no upscaler needs. Last, as pip
	# would complain of that at every other install.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt einops
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps spandrel
	@touch $@

demo: setup
	$(BIN)/acetate demo demo

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# What needs neither torch nor an editor nor a running server: while you write.
quick: setup
	$(BIN)/python -m pytest --quick --numprocesses=logical

# Each of two that run side by side computes on half of the cores.
HALF = OMP_NUM_THREADS=$$((($$(getconf _NPROCESSORS_ONLN) + 1) / 2))

# In four parts, three at once, each shown at its end. The editors come first: they wait more than they compute. The model that
# draws every subject it knows comes when one of them is done.
test: setup
	sh tests/setup.sh
	@echo "Four parts, three at a time; each is shown when it is done, the last in about half an hour."
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target test-gimp test-krita test-others test-model

test-gimp test-krita: test-%: setup
	ACETATE_TEST_PROGRAMS=1 $(BIN)/python -m pytest tests/editors/$*

test-others: setup
	$(HALF) ACETATE_TEST_PROGRAMS=1 $(BIN)/python -m pytest --ignore=tests/editors --ignore=tests/engine/builtin

test-model: setup
	$(HALF) $(BIN)/python -m pytest tests/engine/builtin

soak: setup
	$(BIN)/python -m pytest -m soak

# With the editors of Debian's next release: a moving target.
test-newer: setup
	ACETATE_TEST_PROGRAMS=1 ACETATE_EDITORS_SUITE=forky $(BIN)/python -m pytest tests/editors

# Small faults, put in one at a time: each must fail a test within seconds. Names those that do not.
mutants: setup
	$(BIN)/python tests/mutants/run.py

# Which lines of what the quick tests hold were never run. No number is demanded: pyproject.toml says what is left out, and why.
coverage: setup
	$(BIN)/python -m coverage run -m pytest --quick --quiet
	$(BIN)/python -m coverage report

# The wheel, the sdist and a zip for each editor, in dist/; each is checked in an empty environment. With URL= the address of the
# released tree, the package's page has links and pictures.
release: setup
	$(BIN)/python tools/release.py $(URL)

bench: setup
	$(BIN)/acetate bench

clean:
	rm -rf $(VENV) build demo dist
FORCE:
