"""Lambda function: the table of stopping distances that the fitted line predicts, as a file."""

import json
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write the table to `result_file` and say how long it is."""
    table = {
        f"{speed} mph": round(event["slope"] * speed + event["intercept"], 1) for speed in range(10, 31, 5)
    }
    result = {"reviewed_by": event["reviewer"], "stopping_distance_ft": table}
    Path(event["result_file"]).write_text(json.dumps(result, indent=2))
    return {"rows": len(table)}
