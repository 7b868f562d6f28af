# syntax=docker/dockerfile:1
# Every process of Astreinte from one image: the command names the part (`run ingest`, `run edge` …).

ARG PYTHON=3.12-slim-trixie

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ONLY_BINARY=:all: \
    PATH=/opt/astreinte/bin:$PATH
RUN python -m venv /opt/astreinte
WORKDIR /src
# What it needs changes seldom and is 99 % of the image: a layer of its own.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
 && pip install --requirement requirements.txt
COPY README.md ./
COPY ai ai
COPY astreinte astreinte
COPY console console
COPY gateways gateways
COPY knowledge knowledge
COPY schemas schemas
COPY services services
COPY simulation simulation
COPY storage storage
RUN pip install --no-deps .
# Articles and training phrases are embedded here, once, and not at each start of a container.
WORKDIR /srv/astreinte
RUN astreinte prepare && mkdir data/out data/mails

FROM python:${PYTHON}
# One port, whatever the part: where edge and console listen, and where the others say how they are.
ENV PATH=/opt/astreinte/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ASTREINTE_HTTP_HOST=0.0.0.0 \
    ASTREINTE_HTTP_PORT=8080 \
    ASTREINTE_WATCH_HOST=0.0.0.0 \
    ASTREINTE_WATCH_PORT=8080
RUN groupadd --system --gid 10001 astreinte \
 && useradd --system --uid 10001 --gid astreinte --no-create-home --home-dir /tmp --shell /usr/sbin/nologin astreinte
COPY --from=build /opt/astreinte /opt/astreinte
# Only the folders of the outbox file and of mails are the process's own; all else it reads.
COPY --from=build /srv/astreinte /srv/astreinte
RUN chown 10001:10001 /srv/astreinte/data/mails \
 && chown 10001:10001 /srv/astreinte/data/out
WORKDIR /srv/astreinte
USER 10001:10001
EXPOSE 8080
# Neither curl nor the command itself, which takes seconds to load: this takes 0.1 s.
HEALTHCHECK --interval=30s --timeout=6s --start-period=90s --start-interval=3s --retries=4 \
    CMD ["python", "-IS", "-c", "import http.client as h, sys; c = h.HTTPConnection('127.0.0.1', 8080, timeout=5); c.request('GET', '/health/ready'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["astreinte"]
CMD ["--help"]
