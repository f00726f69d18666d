# Airflow with this project: what requirements.txt pins, the package, the DAGs, and what Airflow reads from its home.
# No secret is in it: they come from the environment when it runs.
FROM python:3.11-slim-bookworm AS built

RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /project
# Apart from the project's own files: this layer is made anew only when the pins change.
COPY requirements.txt .
RUN pip install --quiet --require-hashes --requirement requirements.txt
# What builds the package, by hash as well, and gone again afterwards.
COPY requirements-dev.txt .
RUN sed -n '/^hatchling==/,/# via/p; /^tomlkit==/,/# via/p; /^trove-classifiers==/,/# via/p' \
      requirements-dev.txt > build.txt \
    && pip install --quiet --require-hashes --no-deps --requirement build.txt
COPY pyproject.toml README.md LICENSE ./
COPY plugins plugins
COPY include/sql include/sql
RUN pip install --quiet --no-deps --no-build-isolation . && pip uninstall --quiet --yes --requirement build.txt && pip check

FROM python:3.11-slim-bookworm

# tini hands signals on and takes care of what a killed task leaves behind. Airflow's Helm chart calls it /entrypoint.
RUN apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/bin/tini /entrypoint \
    && useradd --uid 50000 --gid 0 --home-dir /opt/airflow --no-create-home --shell /usr/sbin/nologin airflow \
    && install --directory --owner=50000 --group=0 --mode=775 /opt/airflow /opt/airflow/logs
COPY --from=built /opt/venv /opt/venv
COPY dags /opt/airflow/dags
COPY plugins/xero_plugin.py plugins/.airflowignore /opt/airflow/plugins/
COPY deploy/airflow_local_settings.py /opt/airflow/config/
COPY deploy/clean-logs.sh /clean-logs

ENV PATH=/opt/venv/bin:$PATH AIRFLOW_HOME=/opt/airflow PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/airflow
USER 50000:0
ENTRYPOINT ["/entrypoint", "--"]
CMD ["airflow", "version"]
