"""What a run is called: the model of its processor and the day on which it began, "amd-epyc-2026-11-29"."""

import json
import re
import sys
from pathlib import Path

run = json.loads(Path(sys.argv[1], "records.json").read_text())
model = re.sub(r"\(.*?\)|@.*|\bprocessor\b|\bcpu\b", " ", run["machine"].get("processorModel", "unknown"), flags=re.I)
print("-".join([*re.findall(r"[a-z0-9]+", model.lower()), run["began"][:10]]))
