# A server in a container. It listens on loopback, as everywhere, unless it is asked for more: see compose.yaml.
FROM python:3.13-slim AS build
WORKDIR /passrole
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
# bubblewrap confines functions, EMR steps and jobs where the container may make namespaces
RUN apt-get update && apt-get install --yes --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*
COPY requirements/postgres.lock /tmp/
RUN pip install --no-cache-dir --require-hashes -r /tmp/postgres.lock
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl \
    && useradd --create-home passrole \
    && install --directory --owner passrole --mode 0700 /data
USER passrole
WORKDIR /home/passrole
ENV PASSROLE_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 4566
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:4566/_passrole/health')"]
ENTRYPOINT ["passrole"]
CMD ["serve"]
