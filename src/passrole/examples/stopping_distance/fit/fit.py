"""Lambda function: a straight line through the measurements in `cars.csv`, and how well it fits."""

import csv
import statistics
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Fit the cars that were at least `minimum_speed` fast."""
    with Path(__file__).with_name("cars.csv").open() as file:
        cars = [(float(row["speed_mph"]), float(row["distance_ft"])) for row in csv.DictReader(file)]
    speeds, distances = zip(*(car for car in cars if car[0] >= event["minimum_speed"]), strict=True)
    slope, intercept = statistics.linear_regression(speeds, distances)
    r_squared = statistics.correlation(speeds, distances) ** 2
    print(f"{len(speeds)} cars: distance = {slope:.3f} * speed + {intercept:.3f}, R2 = {r_squared:.3f}")
    return {"cars": len(speeds), "slope": slope, "intercept": intercept, "r_squared": r_squared}
