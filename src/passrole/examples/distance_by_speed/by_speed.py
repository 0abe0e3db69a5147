"""Stopping distances, grouped by speed: `spark-submit by_speed.py INPUT_CSV OUTPUT_FOLDER`."""

import sys

from pyspark.sql import SparkSession, functions

source, target = sys.argv[1:3]
spark = SparkSession.builder.appName("distance-by-speed").getOrCreate()
cars = spark.read.csv(source, header=True, inferSchema=True)
by_speed = cars.groupBy("speed_mph").agg(
    functions.count("*").alias("cars"), functions.round(functions.avg("distance_ft"), 1).alias("mean_ft")
)
by_speed.write.mode("overwrite").partitionBy("speed_mph").parquet(f"{target}/parquet")
by_speed.coalesce(1).sort("speed_mph").write.mode("overwrite").csv(f"{target}/csv", header=True)
print("speeds:", by_speed.count())
