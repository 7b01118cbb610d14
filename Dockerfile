# docker build -t claim-scrubber .
# docker run --rm -v claim-scrubber:/var/lib/claim-scrubber claim-scrubber scrubber keys create --scope scrub
# docker run --rm -p 8080:8080 --read-only -v claim-scrubber:/var/lib/claim-scrubber claim-scrubber
#
# The second line prints the key without which nobody may ask; without any key the third one refuses to start.

FROM python:3.12-slim AS build
# durable-rules is published as source only, and a slim image has no compiler.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv /venv
COPY requirements-build.txt requirements.txt ./
RUN /venv/bin/pip install --require-hashes -r requirements-build.txt
# The same flags as in the Makefile, which says why.
RUN CC="gcc -O2 -fno-strict-aliasing -DPyEval_CallObject=PyObject_CallObject" /venv/bin/pip install --require-hashes \
    --no-build-isolation --no-binary durable-rules -r requirements.txt
COPY pyproject.toml setup.py LICENSE ./
COPY scrubber scrubber
# What builds and installs packages has no work left in a running service.
RUN CLAIM_SCRUBBER_COMPILE=1 /venv/bin/pip install --no-deps --no-build-isolation . \
    && /venv/bin/pip uninstall -y setuptools mypy mypy-extensions librt ast-serialize pathspec pip

FROM python:3.12-slim
# What the service must remember (rulebooks that answered, batches) outlives the container: mount a volume there.
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent scrubber \
    && install -d -o 10001 -m 700 /var/lib/claim-scrubber
COPY --from=build /venv /venv
COPY rules /app/rules
# Temporary files go to memory, so that the root file system can be read-only.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SCRUBBER_BIND=0.0.0.0:8080 \
    SCRUBBER_RULES=/app/rules \
    SCRUBBER_STATE=/var/lib/claim-scrubber \
    TMPDIR=/dev/shm
WORKDIR /app
USER 10001
VOLUME /var/lib/claim-scrubber
EXPOSE 8080
# Health is told without a key, whatever the name that is asked; the certificate is for another name than 127.0.0.1.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["python", "-c", \
    "import os, ssl, urllib.request as r; r.urlopen(('https' if os.environ.get('SCRUBBER_TLS_KEY') else 'http') + '://127.0.0.1:' + os.environ['SCRUBBER_BIND'].rsplit(':', 1)[1] + '/healthz', timeout=2, context=ssl._create_unverified_context())"]
CMD ["scrubber", "serve"]
