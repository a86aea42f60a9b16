"""Whether runs are so different that what they agree in is no accident of one: prints the first reason why not."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

HOURS_APART = 2
BUSY_SHARE = 0.25  # of the processors, as MachineFactsReading warns


def main(folders):
    runs = [json.loads(Path(folder, "records.json").read_text()) for folder in folders]
    listed = subprocess.run([os.environ["FAULTLINE"], "claims", "--format", "json"], capture_output=True, check=True, text=True)
    claims = [claim["claim"] for claim in json.loads(listed.stdout)["claims"]]
    for folder, run in zip(folders, runs):
        if missing := [claim for claim in claims if claim not in {verdict["claim"] for verdict in run["verdicts"]}]:
            return f"'{folder}' lacks {', '.join(missing)}; publish runs of all claims"
        if "began" not in run:
            return f"'{folder}' does not say when it began; run scripts/reproduce --out '{folder}' again"
        if run["machine"]["isDebugBuild"]:
            return f"'{folder}' is of a debug build; scripts/reproduce builds another"
        revision = run["machine"].get("sourceRevision") or ""
        if not revision or revision.endswith("-dirty"):
            return f"'{folder}' is of sources that no commit names; run scripts/reproduce in a clean checkout"
        busy, cores = run["machine"].get("busyProcessors") or 0, run["machine"].get("cores") or 1
        if busy > BUSY_SHARE * cores:
            return f"'{folder}' began while {busy:.1f} of {cores} processors were in use; run it again on an idle machine"
        if disturbed := [verdict["claim"] for verdict in run["verdicts"] if verdict.get("disturbed")]:
            return f"others used the processors of '{folder}' during {', '.join(disturbed)}; measure these anew (--continue)"
    for index, (folder, run) in enumerate(zip(folders, runs)):
        for other_folder, other in zip(folders[:index], runs[:index]):
            if run["seed"] == other["seed"]:
                return f"'{folder}' and '{other_folder}' have the same seed; give one another with --seed"
            if run["machine"]["sourceRevision"] != other["machine"]["sourceRevision"]:
                return f"'{folder}' and '{other_folder}' are of different commits; run both of one"
            apart = abs(datetime.fromisoformat(run["began"]) - datetime.fromisoformat(other["began"]))
            is_same = run["machine"].get("processorModel") == other["machine"].get("processorModel")
            if is_same and apart.total_seconds() < HOURS_APART * 3600:
                return f"'{folder}' and '{other_folder}' began less than {HOURS_APART} hours apart on processors of one model"
    return None


if problem := main(sys.argv[1:]):
    print(problem)
    sys.exit(1)
