# make demo   see the whole service work, on this machine, with nothing set up
# make test   run every test
# make check  make test, and what machines can say about the code
# make nightly  the soak of an hour
# make fuzz     look for mails that break something: SECONDS (600) for each target (fuzz/README.md)

# The newest Python at hand beside the one that `make test` uses; empty when there is no other.
NEWEST := $(shell scripts/newest-python)
TEST_NEEDS := gpg:gnupg gpg-agent:gpg-agent dovecot:dovecot-imapd systemd-analyze:systemd strace:strace man:man-db sqlite3:sqlite3
PYTEST := -m pytest -q -rs -n 2 --dist worksteal

# Without compiled modules every process of the tests would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check lint newest nightly fuzz lock

demo:
	@scripts/setup gpg:gnupg gpg-agent:gpg-agent
	@.venv/bin/mailroom demo

test:
	@scripts/setup $(TEST_NEEDS)
	@scripts/collections
	.venv/bin/python $(PYTEST)

check: test lint newest

lint:
	@scripts/setup $(TEST_NEEDS)
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

newest:
ifneq ($(NEWEST),)
	@PYTHON=$(NEWEST) VENV=.venv-newest scripts/setup $(TEST_NEEDS)
	@VENV=.venv-newest scripts/collections
	.venv-newest/bin/python $(PYTEST) --soak 60
else
	@echo "No newer Python at hand than the one that ran the tests."
endif

# The soak of an hour: 5,000 mails while things go wrong every few seconds.
nightly:
	@scripts/setup $(TEST_NEEDS)
	.venv/bin/python -m pytest -q -o faulthandler_timeout=5400 --soak 3600 tests/e2e/test_soak.py

# The fuzzer is no dependency of ours: nothing but this needs it.
fuzz: SECONDS := 600
fuzz:
	@scripts/setup $(TEST_NEEDS)
	.venv/bin/python -m pip install --quiet atheris==3.0.0
	for target in $$(.venv/bin/python -m fuzz.targets); do \
		.venv/bin/python -m fuzz $$target -max_total_time=$(SECONDS) || exit 1; done

# Pins every dependency with its hashes; no registry address gets into the file.
lock:
	.venv/bin/python -m pip install --quiet uv
	.venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --all-extras \
		--no-emit-index-url --no-emit-find-links --no-header pyproject.toml -o requirements.lock
