# The program `churn` in a container: `docker build -t churn .`, then `docker run churn --help`.
FROM python:3.11.9-slim-bookworm

RUN useradd --uid 10001 --create-home churn \
 && install -d -o churn -g churn /opt/churn /var/lib/churn
USER churn
WORKDIR /var/lib/churn
ENV PATH=/opt/churn/bin:$PATH PYTHONUNBUFFERED=1

# Compiled code is kept beside the modules and only used when its folder may be written, so all belongs to the user who
# runs it. It is made for the machine that builds; another kind of processor compiles once more, at the first start.
RUN --mount=type=bind,target=/source \
    python -m venv /opt/churn \
 && cp -r /source /tmp/source && pip install --no-cache-dir /tmp/source && rm -r /tmp/source \
 && python -m streams.warmup

VOLUME /var/lib/churn
STOPSIGNAL SIGTERM
ENTRYPOINT ["churn"]
CMD ["run"]
