"""What a run is called: the model of its processor, and the day and minute at which it began: "amd-epyc-2026-11-29-0807"."""

import json
import re
import sys
from pathlib import Path

run = json.loads(Path(sys.argv[1], "records.json").read_text())
model = re.sub(r"\(.*?\)|@.*|\bprocessor\b|\bcpu\b", " ", run["machine"].get("processorModel", "unknown"), flags=re.I)
began = run["began"][:16].replace("T", "-").replace(":", "")
print("-".join([*re.findall(r"[a-z0-9]+", model.lower()), began]))
