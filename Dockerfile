# docker build -t freddy-mock .                       the mock and the contract suite
# docker build -t freddy-mock --target serve .        the mock alone
# docker run --rm -p 127.0.0.1:4010:4010 freddy-mock
FROM python:3.13-slim AS wheels
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# The libraries first: they change less often than our own code. /wheels/contracts gets what only the suite needs.
# Exact versions, and only files with a known hash.
COPY requirements requirements
RUN pip install --quiet --only-binary :all: --require-hashes -r requirements/build.txt \
 && pip download --quiet --only-binary :all: --require-hashes -d /wheels/serve -r requirements/serve.txt \
 && pip download --quiet --only-binary :all: --require-hashes -d /wheels/contracts -r requirements/contracts.txt \
 && for wheel in /wheels/serve/*; do rm "/wheels/contracts/${wheel##*/}"; done

COPY CHANGELOG.md LICENSE README.md openapi.yaml pyproject.toml ./
COPY docs docs
COPY overlays overlays
COPY comparison comparison
COPY contracts contracts
COPY mockserver mockserver
RUN pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels/serve .

# Bytecode that needs no look at its source: nothing can be written where it would go later. Libraries' own tests stay out.
RUN for part in serve contracts; do \
      pip install --quiet --no-deps --no-compile --prefix "/out/$part" "/wheels/$part"/* \
   && find "/out/$part" -type d -name tests -prune -exec rm -r {} + \
   && python -m compileall -q --invalidation-mode unchecked-hash "/out/$part" || exit 1; \
    done


FROM python:3.13-slim AS serve
COPY --from=wheels /out/serve /usr/local

# Running it once leaves the bytecode of the part of Python that it uses, which the base image lacks.
RUN mockserver check && python -c "import mockserver.server.granian_server" \
 && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin mock \
 && mkdir /spec /scenarios /data && chown mock:mock /data && chmod 1777 /data

# MOCK_HOST and not --host, so that it holds for every command that is given instead of CMD, and for health too.
ENV HOME=/tmp \
    MOCK_HOST=0.0.0.0 \
    MOCK_SCENARIOS=/scenarios \
    PYTHONDONTWRITEBYTECODE=1
LABEL org.opencontainers.image.title="freddy-mock" \
      org.opencontainers.image.description="A stateful mock of Aitronos' Freddy spaces API, driven by its OpenAPI document" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
EXPOSE 4010
USER 10001:10001
WORKDIR /data
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s CMD ["mockserver", "health"]
CMD ["mockserver", "serve"]


FROM serve AS contracts
COPY --from=wheels /out/contracts /usr/local
