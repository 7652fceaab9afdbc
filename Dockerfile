# The image of web, worker, beat, listener and migrate: the product's lock alone, no compiler, no root.
# docker compose build    (or: docker build --tag irisx .)

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/irisx
COPY requirements.lock /tmp/requirements.lock
RUN /opt/irisx/bin/pip install --require-hashes --only-binary :all: --requirement /tmp/requirements.lock
WORKDIR /app
COPY manage.py requirements.lock ./
COPY common common
COPY accounts accounts
COPY usage usage
COPY billing billing
COPY chat chat
COPY telephony telephony
COPY irisx irisx
COPY deploy/healthcheck.py deploy/healthcheck.py
# Settings are read, no server is reached: these values sign nothing and end with this step.
RUN SECRET_KEY=only-for-collecting-static-files-at-build-signs-nothing \
    DATABASE_URL=postgres://nobody@127.0.0.1:9/none REDIS_URL=redis://127.0.0.1:9/0 IRISX_STATIC_ROOT=/app/static \
    sh -c '/opt/irisx/bin/python manage.py collectstatic --no-input --verbosity 0 && /opt/irisx/bin/python manage.py release check' \
    && /opt/irisx/bin/python -m compileall -q -j 0 /app /opt/irisx/lib
# docker build --build-arg REVISION=$(git rev-parse HEAD) --secret id=release_key,src=release.pem: docs/guides/releases.md
ARG REVISION=
RUN --mount=type=secret,id=release_key \
    /opt/irisx/bin/python manage.py release manifest --revision "$REVISION" \
    $(test -s /run/secrets/release_key && echo --key /run/secrets/release_key)

FROM python:3.11-slim
ENV PATH=/opt/irisx/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=irisx.settings \
    IRISX_STATIC_ROOT=/app/static \
    IRISX_MEDIA_ROOT=/var/lib/irisx/media
# A named volume takes over the owner of the folder it is mounted on.
RUN groupadd --gid 10001 irisx && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin irisx \
    && install -d -o irisx -g irisx -m 0750 /var/lib/irisx/media /var/lib/irisx/beat
COPY --from=build /opt/irisx /opt/irisx
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "deploy/healthcheck.py", "web"]
CMD ["uvicorn", "irisx.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--ws", "irisx.websocket:WebSocketProtocol", \
     "--lifespan", "on", "--timeout-graceful-shutdown", "20"]
