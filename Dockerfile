# syntax=docker/dockerfile:1

FROM python:3.13-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
# durable-rules is C source that calls a function Python 3.13 no longer has under that name.
ENV CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY pyproject.toml README.md ./
COPY schemas schemas
COPY sizing sizing
COPY checkpoints checkpoints
COPY rules rules
COPY worker worker
COPY batch batch
COPY admission admission
COPY cli cli
RUN python -m venv --without-pip /opt/weighbridge \
    && pip --python /opt/weighbridge/bin/python install '.[admission,hub,otel]'

FROM python:3.13-slim
# The image runs from one folder that nobody writes to; the answers live on the server.
ENV PATH=/opt/weighbridge/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WEIGHBRIDGE_HOME=/tmp/weighbridge \
    WEIGHBRIDGE_METRICS_HOST=0.0.0.0
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin weighbridge
COPY --from=build /opt/weighbridge /opt/weighbridge
COPY examples /examples
USER 10001
WORKDIR /tmp
ENTRYPOINT ["weighbridge"]
CMD ["worker"]
