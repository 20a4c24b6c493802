# The function's image: AWS's base, the packages that serving needs, the code. `scripts/image`
# builds it with docker, podman or buildah; see docs/image.md.
#   SERVING=onnx leaves scikit-learn out: an image of half the size, for models with a twin only.
# With `--target web` it is the web service's image, on Python's own; see docs/web-service.md.
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13
ARG WEB_BASE_IMAGE=python:3.13-slim

FROM ${WEB_BASE_IMAGE} AS web-packages
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/pipenv.txt requirements/
RUN python3 -m venv pipenv && \
    pipenv/bin/python -m pip install --quiet --require-hashes --requirement requirements/pipenv.txt
COPY Pipfile Pipfile.lock ./
COPY scripts/serving-packages scripts/
RUN scripts/serving-packages pipenv/bin/python /packages web

FROM ${WEB_BASE_IMAGE} AS web-code
WORKDIR /code
COPY streams/ streams/
COPY model_service/ model_service/
COPY web_service/ web_service/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash . && chmod -R a+rX .

FROM ${WEB_BASE_IMAGE} AS web
COPY --from=web-packages /packages/ /app/
COPY --from=web-code /code/ /app/
WORKDIR /app
ENV BIND_ADDRESS=0.0.0.0 PORT=9696 PYTHONUNBUFFERED=1
EXPOSE 9696
USER 65534:65534
# No shell around it: SIGTERM reaches gunicorn, which answers what was asked, and stops.
ENTRYPOINT ["python3", "-m", "gunicorn", "--config", "python:web_service.gunicorn_conf"]
CMD ["web_service.wsgi:app"]

# pip, pipenv and what they leave behind stay in this stage.
FROM ${BASE_IMAGE} AS packages
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/pipenv.txt requirements/
RUN python3 -m venv pipenv && \
    pipenv/bin/python -m pip install --quiet --require-hashes --requirement requirements/pipenv.txt
COPY Pipfile Pipfile.lock ./
COPY scripts/serving-packages scripts/
ARG SERVING=all
RUN scripts/serving-packages pipenv/bin/python /packages "$SERVING"

# What reads and writes Parquet is larger than all the rest: batch scoring has an image of its own.
FROM packages AS batch-packages
RUN scripts/serving-packages pipenv/bin/python /packages batch

# Lambda runs the code as a user of its own, who may read only what everyone may. Bytecode that is
# not checked against its source holds no modification time: the same code makes the same files.
FROM ${BASE_IMAGE} AS code
WORKDIR /code
COPY lambda_function.py decision_function.py ./
COPY streams/ streams/
COPY model_service/ model_service/
COPY decision_service/ decision_service/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash . && chmod -R a+rX .

FROM ${BASE_IMAGE} AS batch-code
WORKDIR /code
COPY batch_function.py ./
COPY batch/ batch/
COPY streams/ streams/
COPY model_service/ model_service/
COPY tlc/ tlc/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash . && chmod -R a+rX .

# `--target batch`: files of trips in, scored files out.
FROM ${BASE_IMAGE} AS batch
COPY --from=batch-packages /packages/ ${LAMBDA_TASK_ROOT}/
COPY --from=batch-code /code/ ${LAMBDA_TASK_ROOT}/
USER 65534:65534
CMD ["batch_function.lambda_handler"]

# The code comes last, so that a change of it makes one small layer and keeps the large one.
FROM ${BASE_IMAGE}
COPY --from=packages /packages/ ${LAMBDA_TASK_ROOT}/
COPY --from=code /code/ ${LAMBDA_TASK_ROOT}/
# Nobody. Lambda does not ask, and takes a user of its own; whatever else runs the image does.
USER 65534:65534
CMD ["lambda_function.lambda_handler"]
