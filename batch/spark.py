"""Scores files of trips on Spark: the same rows as `python -m batch score`, past one machine.

    git archive --format=zip --output=code.zip HEAD batch tlc model_service
    spark-submit --py-files code.zip batch/spark.py --input … --output … --run-id …

Workers need what the batch image has (Pipfile: packages, sklearn, batch) and may read the model. A
partition of the output is replaced as a whole, so a run can be repeated.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, lit
from pyspark.sql.pandas.types import to_arrow_schema

from batch.batch_errors import BatchError, TripsError
from batch.months import TripFile, choose
from batch.options import (
    OPTIONS,
    add_model_options,
    add_month_options,
    given_months,
    model_settings,
    model_variables,
)
from batch.partitions import scoring
from batch.places import s3_client, source
from tlc.columns import RIDE_COLUMNS, TripFileError, find

# `scorer.SCORED`, as Spark calls it.
_SCHEMA = """
    ride_id string, pickup_time timestamp_ntz, pickup_zone long, dropoff_zone long,
    distance_miles double, predicted_minutes double, actual_minutes double,
    difference_minutes double, rejected string, rejected_detail string, model_version string
"""
_PARTITIONS = ("taxi_type", "year", "month")


def main(arguments: Sequence[str]) -> int:
    """Score with the cluster that spark-submit was told of; answer with the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _score(options)
    except BatchError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's output
        return 1
    return 0


def _score(options: argparse.Namespace) -> None:
    model = model_variables(
        options,
        {name: os.environ[name] for name in (*OPTIONS, "ALLOW_PICKLE") if name in os.environ},
    )
    model_settings(model)  # wrong ones are told of here, once
    months = given_months(options)
    # Hadoop's name for S3 outside of EMR; boto3, which lists the files, has one only.
    trips = source(options.input.replace("s3a://", "s3://", 1), s3_client)
    files = choose(trips.names(), options.input, *months)
    spark = SparkSession.builder.appName("score trips").getOrCreate()
    scored = [_scored(spark, _path(options.input, file), file, model) for file in files]
    (
        reduce(DataFrame.unionByName, scored)
        .write.partitionBy(*_PARTITIONS)
        .mode("overwrite")
        .option("partitionOverwriteMode", "dynamic")
        .parquet(options.output)
    )


def _path(place: str, file: TripFile) -> str:
    return place if place.endswith(".parquet") else f"{place.rstrip('/')}/{file.name}"


def _scored(spark: Any, path: str, file: TripFile, model: dict[str, str]) -> DataFrame:
    trips = spark.read.parquet(path)
    try:
        schema = to_arrow_schema(trips.schema)
        names = {column.name: find(column, schema, file.name) for column in RIDE_COLUMNS}
    except TripFileError as error:
        raise TripsError(str(error)) from None
    columns = trips.select(
        col("_metadata.row_index").alias("row"),
        *(col(theirs).alias(ours) for ours, theirs in names.items()),
    )
    values = (file.taxi, file.month.year, file.month.month)
    return columns.mapInArrow(scoring(model, file.ride_prefix), _SCHEMA).withColumns(
        {name: lit(value) for name, value in zip(_PARTITIONS, values, strict=True)}
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="batch/spark.py", description=__doc__)
    parser.add_argument("--input", required=True, help="trip file, folder of them, s3:// or s3a://")
    parser.add_argument("--output", required=True, help="folder, as Spark names it")
    add_month_options(parser)
    add_model_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
