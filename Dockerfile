# The portal's programs, for docker-compose.yml. Holds no secret and no data; what it needs is set in .env.

FROM python:3.12-slim AS build
WORKDIR /srv/collab4m
COPY . .
# A private checkout's files come with their modes; the user below must be able to read them.
RUN python -I collab4m/build.py run && chmod -R a+rX .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home collab4m && install --directory --owner collab4m --mode 700 /data
COPY --from=build /srv/collab4m /srv/collab4m
WORKDIR /srv/collab4m
ENV PATH=/srv/collab4m/.venv/bin:$PATH DATA_DIR=/data PYTHONUNBUFFERED=1
USER collab4m
VOLUME /data
