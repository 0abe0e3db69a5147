# `make` alone lists the targets; each builds what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SDK3 := .venv-sdk3
CLIENTS := .venv-clients
XGBOOST := .venv-xgboost
NOTEBOOK := .venv-notebooks
TELEMETRY := .venv-telemetry
PEERS := .venv-peers
BROWSER := .venv-browser
CHECKS := .venv-checks
S3A := .s3a
SITE := .venv-docs
FAST := definition engine patterns wire history identities audit worker
NODE_CLIENTS := client-iam client-lambda client-s3 client-sagemaker client-sqs lib-storage s3-presigned-post s3-request-presigner

# pip with its errors alone. An environment that has none of its own is filled by that of PYTHON.
PIP = pip() { if test -x $(BIN)/pip; then $(BIN)/python -m pip "$$@"; else $(PYTHON) -m pip --python $(BIN)/python "$$@"; fi; }; \
	pip install --quiet --quiet --disable-pip-version-check --no-input
PIP_OF_ITS_OWN = $(BIN)/python -m ensurepip --default-pip > /dev/null
# a demo does without uvloop, 14 MB that save a server some of its time
LOCK := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links -q

# what `make test-postgres` runs; where the machine has no PostgreSQL all of it is skipped
# (not needs, testing and the rest of cli, most of which have no server or one of a command's own, nor the tests
# of clusters, which choose their store themselves)
ON_POSTGRES = $(addprefix tests/,api cli/permissions cli/pipelines cli/server/test_backup.py client console crash gateway history) \
	$(addprefix tests/,identities journeys services worker) \
	$(addprefix --ignore=tests/journeys/,test_several_nodes.py test_two_servers.py)

# what `make test-elsewhere` runs: all that touches objects, without Spark, which has a test of its own for that
ON_ENDPOINT = $(addprefix tests/,services/sagemaker services/lambda_ services/emr/test_steps.py services/emr/test_failures.py) \
	$(patsubst %,tests/journeys/test_%.py,job_denials job_steps json_get model_steps objects_elsewhere transform_steps)

# environments of a part of the tests serve `make test` too, once they are built
BUILT = $(if $(wildcard $(S3A)/.installed),S3A_JARS=$(CURDIR)/$(S3A)) \
	$(foreach part,CHECKS NOTEBOOK XGBOOST,$(if $(wildcard $($(part))/.installed),PASSROLE_$(part)_PYTHON=$(CURDIR)/$($(part))/bin/python))

.DEFAULT_GOAL := help
.PHONY: help install dev fmt lint check test test-elsewhere test-postgres chaos test-pythons test-sdk3 test-clients test-s3a test-xgboost test-notebooks test-telemetry test-checks test-browser screenshots bench demo demo-emr demo-models demo-review demo-train docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## passrole alone in .venv, from requirements/runtime.lock with hashes

$(VENV)/.installed: requirements/runtime.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "passrole needs Python 3.11 or newer; set PYTHON=python3.11")'
	@echo "1/3 environment: $(VENV), $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python --version > /dev/null 2>&1 || $(PIP_OF_ITS_OWN)
	@echo "2/3 packages: $$(grep -c == requirements/runtime.lock), 26 MB to download"
	@$(PIP) --no-compile --require-hashes -r requirements/runtime.lock
	@echo "3/3 passrole, from src"
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

dev: $(VENV)/.dev ## what lint and tests need beside that, into the same .venv: 800 MB

$(VENV)/.dev: $(VENV)/.installed requirements/dev.lock
	@echo "packages for lint and tests: 800 MB on the disk, a minute or more, once"
	@$(PIP_OF_ITS_OWN)
	@$(PIP) --require-hashes -r requirements/dev.lock
	@touch $@

$(VENV)/.emr: $(VENV)/.installed requirements/emr.lock
	@echo "Apache Spark: 300 MB to download, once"
	@$(PIP) --require-hashes -r requirements/emr.lock
	@touch $@

fmt: dev ## format the code and sort the imports
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: dev ## ruff, mypy --strict and the floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## lint and the fast tests, before a commit
	$(BIN)/pytest -n 2 --dist loadfile $(addprefix tests/,$(FAST))

test: dev ## every test that this machine can run
	$(BUILT) $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder # of three, one waits: SDKs look each 10 to 30 s

test-elsewhere: dev ## jobs, endpoints, functions and steps again, objects at another S3 endpoint
	PASSROLE_TEST_OBJECTS=elsewhere $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ON_ENDPOINT)

test-pythons: ## the pure floors under every Python of this machine, and what their tests cover
	.ci/pythons

test-sdk3: $(SDK3)/.installed ## the journeys of SageMaker SDK 3, in an environment of 1 GB
	$(BUILT) $(SDK3)/bin/python -m pytest -n 3 tests/journeys/test_sdk.py

$(SDK3)/.installed: pyproject.toml
	@echo "building $(SDK3): about 1 GB and some minutes, once"
	$(PYTHON) -m venv $(SDK3)
	$(SDK3)/bin/python -m pip install --quiet --editable . "sagemaker>=3,<4" "pyspark>=3.5.6,<4" "hypothesis>=6.100" "pytest>=8.2" "pytest-timeout>=2.3" "pytest-xdist>=3.6"
	touch $@

test-clients: dev $(CLIENTS)/.installed ## the journeys of clients in other languages, in an environment of 1 GB
	$(BIN)/pytest -n 2 -rs tests/journeys/clients

$(CLIENTS)/.installed: Makefile
	@echo "building $(CLIENTS): about 1 GB, once"
	$(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet deltalake pandas polars pyarrow "s3fs>=2025.5"
	if command -v npm > /dev/null; then npm install --silent --no-fund --no-audit --prefix $(CLIENTS)/node $(addprefix @aws-sdk/,$(NODE_CLIENTS)); fi
	touch $@

test-postgres: dev ## journeys, services, gateway, console, worker and crashes again, rows in a PostgreSQL of the tests' own
	PASSROLE_TEST_STORE=postgres $(BUILT) $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ON_POSTGRES)

chaos: dev ## mishaps to a cluster under load, as root; EVENTS=1000 SEED=7 runs for hours
	$(BIN)/python tests/chaos --events $(or $(EVENTS),12) --seed $(or $(SEED),7) --nodes $(or $(NODES),3)

test-s3a: dev $(S3A)/.installed ## EMR steps whose Spark calls S3 by Hadoop's S3A, of 190 MB
	S3A_JARS=$(CURDIR)/$(S3A) $(BIN)/pytest -rs tests/journeys/test_emr_s3a.py

$(S3A)/.installed: src/passrole/cli/server/s3a_download.py
	PASSROLE_PORT=0 PASSROLE_S3A_JARS=$(CURDIR)/$(S3A) $(BIN)/passrole doctor --install-s3a > /dev/null
	touch $@

test-xgboost: dev $(XGBOOST)/.installed ## jobs of XGBoost's algorithm, in an environment of 260 MB
	PASSROLE_XGBOOST_PYTHON=$(CURDIR)/$(XGBOOST)/bin/python $(BIN)/pytest -n 2 -rs tests/runtimes/programs/test_xgboost_training.py tests/runtimes/programs/test_xgboost_serving.py tests/journeys/test_sdk.py -k xgboost

$(XGBOOST)/.installed: Makefile
	$(PYTHON) -m venv $(XGBOOST)
	$(XGBOOST)/bin/python -m pip install --quiet "xgboost-cpu>=2,<4"
	touch $@

test-notebooks: dev $(NOTEBOOK)/.installed ## notebook jobs, in an environment of 100 MB
	PASSROLE_NOTEBOOK_PYTHON=$(CURDIR)/$(NOTEBOOK)/bin/python $(BIN)/pytest -n 2 -rs tests/runtimes/programs/test_notebook_mode.py tests/journeys/test_sdk.py -k notebook

test-telemetry: $(TELEMETRY)/.installed ## traces for OpenTelemetry, in an environment of 100 MB
	$(TELEMETRY)/bin/python -m pytest -rs tests/worker/test_traces.py

$(TELEMETRY)/.installed: pyproject.toml
	$(PYTHON) -m venv $(TELEMETRY)
	$(TELEMETRY)/bin/python -m pip install --quiet --editable ".[console,telemetry]" "hypothesis>=6.100" "pytest>=8.2" "pytest-timeout>=2.3"
	touch $@

$(NOTEBOOK)/.installed: Makefile
	$(PYTHON) -m venv $(NOTEBOOK)
	$(NOTEBOOK)/bin/python -m pip install --quiet "papermill>=2.6,<3" "ipykernel>=6.29"
	touch $@

test-browser: $(BROWSER)/.installed ## the console in Chromium, as people use it, in an environment of 350 MB
	$(BROWSER)/bin/python -m pytest -rs tests/console/browser

$(BROWSER)/.installed: pyproject.toml
	@echo "building $(BROWSER): about 350 MB, once"
	$(PYTHON) -m venv $(BROWSER)
	$(BROWSER)/bin/python -m pip install --quiet --editable ".[console]" "axe-playwright-python>=0.1.4" "hypothesis>=6.100" "playwright>=1.50" "pytest>=8.2" "pytest-timeout>=2.3"
	touch $@

screenshots: $(BROWSER)/.installed ## the pictures of the console in docs/images
	$(BROWSER)/bin/python docs/make_screenshots.py

test-checks: dev $(CHECKS)/.installed ## checks of bias and explanations by smclarify and shap, in an environment of 600 MB
	PASSROLE_CHECKS_PYTHON=$(CURDIR)/$(CHECKS)/bin/python $(BIN)/pytest -rs tests/runtimes/programs/test_clarify.py tests/runtimes/programs/test_clarify_models.py tests/journeys/test_sdk.py -k "clarify or bias"

$(CHECKS)/.installed: Makefile
	$(PYTHON) -m venv $(CHECKS)
	$(CHECKS)/bin/python -m pip install --quiet "pandas>=2" "shap>=0.46" "smclarify>=0.5"
	touch $@

demo: install ## a pipeline from training to an approved model and its endpoint, and its refused twin
	@$(BIN)/passrole demo

demo-review: install ## a pipeline of functions and an approval through a queue, and its refused twin
	@$(BIN)/passrole demo review

demo-emr: $(VENV)/.emr ## a pipeline whose EMR step runs on Spark (needs Java 17), and its refused twin
	@$(BIN)/passrole demo emr

demo-train: install ## a pipeline that trains a model in jobs, the same cached, and its refused twin
	@$(BIN)/passrole demo train

demo-models: install ## what `make demo` runs where jobs can run, or the reason why they cannot
	@$(BIN)/passrole demo models

bench: $(VENV)/.bench $(PEERS)/.installed ## the figures, with peers in the same run
	$(BIN)/python -m bench

$(VENV)/.bench: $(VENV)/.dev requirements/bench.lock
	@$(PIP) --require-hashes -r requirements/bench.lock
	touch $@

# peers, some of which pin what we pin otherwise
$(PEERS)/.installed: Makefile
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet "dbos>=3.4,<4" "ministack>=1.5,<2" "procrastinate>=3.10,<4" "psycopg[binary]>=3.2,<4"
	touch $@

lock: ## resolve the lock files again (needs uv)
	uv pip compile pyproject.toml --extra dev $(LOCK) -o requirements/dev.lock
	echo hatchling | uv pip compile pyproject.toml - -c requirements/dev.lock --no-emit-package uvloop $(LOCK) -o requirements/runtime.lock
	uv pip compile pyproject.toml --extra postgres -c requirements/dev.lock --no-emit-package uvloop $(LOCK) -o requirements/postgres.lock
	uv pip compile pyproject.toml --extra emr -c requirements/dev.lock --no-emit-package uvloop $(LOCK) -o requirements/emr.lock
	uv pip compile pyproject.toml --extra dev --extra bench -c requirements/dev.lock $(LOCK) -o requirements/bench.lock
	uv pip compile requirements/docs.in $(LOCK) -o requirements/docs.lock

docs: dev $(SITE)/.installed ## write the generated pages, check all links and build the site in build/docs/site
	$(BIN)/python docs/generate_parity.py
	$(BIN)/python docs/generate_rules.py
	$(BIN)/python docs/generate_step_types.py
	$(BIN)/python docs/generate_metrics.py
	$(BIN)/python docs/build_site.py $(SITE)/bin/zensical

$(SITE)/.installed: requirements/docs.lock
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --require-hashes -r requirements/docs.lock
	touch $@

clean: ## remove everything that was built
	rm -rf $(VENV) $(SDK3) $(CLIENTS) $(XGBOOST) $(NOTEBOOK) $(TELEMETRY) $(PEERS) $(BROWSER) $(CHECKS) $(S3A) $(SITE) .venv-pythons build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
