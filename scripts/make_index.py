"""Write results/index.json from the records: `python scripts/make_index.py [--check]`.

The index has one line per run. With `--check`, nothing is written; the exit status is 1 if the index is stale."""
import json, sys
from pathlib import Path

from fastcore.script import call_parse
from mobiledepth.runs.records import records_index, write_index

results = Path(__file__).resolve().parent.parent/'results'

@call_parse
def main(
    check:bool=False, # Write nothing; exit with 1 if the index is stale
):
    "Write results/index.json from the records."
    if not check: write_index(results)
    elif json.loads((results/'index.json').read_text())!=records_index(results): sys.exit(
        'results/index.json is stale: run scripts/make_index.py')
