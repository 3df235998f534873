# `make help` lists the targets. `make book` and `make test` do all the set-up they need.

VENV := .venv
PY := $(VENV)/bin/python
# without --no-compile, half of the set-up would compile modules that nobody imports
PIP := $(PY) -m pip --disable-pip-version-check --quiet
BOOK := $(VENV)/.book node_modules/.ready
READY := $(VENV)/.ready node_modules/.ready

# A browser may hang or crash on a busy machine, and then its test waits for ever: the worker is ended, and the test run
# once more in a new browser. What is wrong on a page is wrong the first time.
BROWSERS := --reruns 1 --only-rerun "Target crashed" --only-rerun "page crash or hang"

# Jupyter and Sphinx read these; they keep a chapter's run independent of the reader's own configuration.
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1

# Several notebooks run at once, and the matrices are small: more threads in each would only wait for each other
# (k-means of scikit-learn takes four times as much of the processor with two).
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

# Where Python may not keep what it has compiled (as in many containers), each of some hundred kernels compiles NumPy,
# pandas and Matplotlib again, for ten seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help book test test-library test-notebooks test-site test-browsers lint format notebooks handouts serve lab lock mutants verify bench bench-page sweep compare compare-keras digits outbreak images sequences limits frameworks clean

help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: $(BOOK)  ## execute the chapters, build the site, say where to open it
	@$(PY) -m tools.book

test: lint test-library test-notebooks test-site  ## everything: style, library, every notebook, the site in a browser

test-library: $(READY)  ## test the library and the files of the repository
	$(PY) -m pytest -q -n auto --dist loadfile --doctest-modules --ignore-glob='*/test_site_*' nnlib tests

test-notebooks: $(READY)  ## run every notebook, compare the outputs it states, and keep them all for the book
	$(PY) -m pytest -q -n auto --dist loadfile -p tools.executed --nbval-lax --nbval-cell-timeout 300 chapters

test-site: $(READY) book  ## open the built site in a browser and use it
	$(PY) -m pytest -q -n auto $(BROWSERS) --timeout 300 tests/test_site_*.py

test-browsers: $(READY) book  ## use every page in Chromium, Firefox and WebKit, in every setting (`make test`: a sample)
	EVERY_PAGE=1 $(PY) -m pytest -q -n auto $(BROWSERS) tests/test_site_engines.py tests/test_site_pages.py

lint: $(READY)  ## check the style and the types of the code
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

format: $(READY)  ## put the code into that style
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

notebooks: $(VENV)/.book  ## execute the notebooks and keep only outputs that are compared (NB=path for one)
	@$(PY) -m tools.notebooks clean $(NB)

handouts: $(VENV)/.python  ## write _build/handouts.zip for the participants of a workshop: no solutions, started by one command
	@$(PY) -m tools.handouts

serve: $(BOOK)  ## serve the site on this machine; builds it if it is not there (SERVE_ARGS="--bind 0.0.0.0" for the room)
	@test -f _build/html/index.html || $(PY) -m tools.book
	@$(PY) -m http.server --bind 127.0.0.1 --directory _build/html $(SERVE_ARGS) 8000

lab: $(VENV)/.book  ## open JupyterLab in this folder; saving keeps the chapters as they are stored (LAB_ARGS="--allow-root ...")
	@$(PY) -m jupyterlab --ContentsManager.pre_save_hook=tools.notebooks.tidy --LabApp.default_url=/lab/tree/chapters $(LAB_ARGS)

lock: $(VENV)/.python package.json  ## renew the locks of Python and npm
	@$(PIP) install "uv>=0.8,<1"
	@$(PY) -m tools.lock

mutants: $(READY)  ## change the library in each place and see whether a test notices (two hours; resumes; FILE=nnlib/losses.py, N=200)
	@$(PY) -m tools.mutants $(FILE) $(if $(N),--sample $(N))

verify: $(READY)  ## test the library and renew the tables of the page "Verification"
	$(PY) -m pytest -q -n auto --dist loadfile --ignore-glob='*/test_site_*' tests
	@$(PY) -m tools.verification

bench: $(VENV)/.bench  ## measure nnlib beside the large frameworks (installs PyTorch and TensorFlow)
	$(PY) -m benchmarks

bench-page: $(READY) book  ## measure every fifth built page in a browser: weight, time to text, to sliders, from key to picture
	$(PY) -m benchmarks.page

sweep: $(READY)  ## train the source's 192 settings again, for eleven seeds (half an hour; resumes where it was stopped)
	$(PY) chapters/3-insurance/source_sweep.py

compare: $(READY)  ## judge the insurance models again, ten times over (an hour; resumes where it was stopped)
	$(PY) chapters/3-insurance/compare_models.py real
	$(PY) chapters/3-insurance/compare_models.py twin

compare-keras: $(READY)  ## train the source's network in Keras as well (ten minutes; resumes where it was stopped)
	$(PY) chapters/3-insurance/compare_keras.py

digits: $(READY)  ## train the digits' networks of the stored tables again (half an hour)
	$(PY) chapters/4-digits/rates_by_hand.py
	$(PY) chapters/4-digits/own_network.py
	$(PY) chapters/4-digits/over_seeds.py

outbreak: $(READY)  ## train the outbreak's networks of the stored tables again (ten minutes; resumes where it was stopped)
	$(PY) chapters/5-outbreak/overfitting.py

images: $(READY)  ## train the networks for pictures of the stored tables again (resumes where it was stopped)
	for script in chapters/6-images/stored_*.py; do $(PY) $$script || exit 1; done

sequences: $(READY)  ## train the networks for sequences and the generators of the stored tables again (resumes where it was stopped)
	for script in chapters/7-sequences/stored_*.py; do $(PY) $$script || exit 1; done

limits: $(READY)  ## break, deceive and question networks again for the stored tables (resumes where it was stopped)
	for script in chapters/8-limits/stored_*.py; do $(PY) $$script || exit 1; done

frameworks: $(VENV)/.bench  ## train the digits' network in Keras, PyTorch and scikit-learn as well (half an hour; installs them)
	$(PY) chapters/4-digits/run_frameworks.py

clean:  ## remove everything that was made
	rm -rf $(VENV) node_modules _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: each stamp is remade only when what it depends on has changed ---------------------------------

$(VENV)/.python:
	@sh tools/venv.sh $(VENV)
	@touch $@

$(VENV)/.ready: $(VENV)/.book requirements-test.lock
	@echo "Installing the Python packages of requirements-test.lock"
	@$(PIP) install --no-compile --requirement requirements-test.lock
	@touch $@

$(VENV)/.book: $(VENV)/.python requirements.lock
	@echo "Installing the Python packages of requirements.lock"
	@$(PIP) install --no-compile --requirement requirements.lock
	@$(PY) -c "import pathlib, sysconfig; \
	  pathlib.Path(sysconfig.get_path('purelib'), 'course.pth').write_text('$(CURDIR)\n')"
	@touch $@

$(VENV)/.bench: $(VENV)/.ready requirements-bench.txt
	@echo "Installing the frameworks of requirements-bench.txt"
	@$(PIP) install --no-compile --requirement requirements-bench.txt --constraint requirements-test.lock
	@touch $@

node_modules/.ready: package.json package-lock.json .npmrc | $(VENV)/.book
	@echo "Installing the browser packages of package-lock.json"
	@$(PY) -m tools.npm ci --ignore-scripts --loglevel=error
	@touch $@
