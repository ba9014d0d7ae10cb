# syntax=docker/dockerfile:1
FROM python:3.11-slim AS build
WORKDIR /isp
COPY requirements.lock ./
RUN python -m venv .venv \
 && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml requirements.in README.md LICENSE ./
COPY app app
# Compiled here, since what runs may write nothing beside it.
RUN .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app \
 && .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index --editable .

FROM python:3.11-slim
# What WeasyPrint lays out text with, and one font: nothing is fetched when a plan is printed.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
    fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /isp isp \
 && install --directory --owner isp --mode 0700 /data
WORKDIR /isp
COPY --from=build /isp /isp
COPY alembic.ini ./
COPY alembic alembic
ENV PATH=/isp/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ISP_HOST=0.0.0.0 \
    ISP_DATA_DIR=/data \
    ISP_LOG_FORMAT=json
USER 10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
# Listening on every address, it asks for ISP_BASE_URL: the https URL of the proxy in front of it.
ENTRYPOINT ["isp"]
CMD ["serve"]
