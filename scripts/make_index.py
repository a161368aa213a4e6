"""Make results/index.json and mobiledepth/data/expected.json: `python scripts/make_index.py [--check]`.

Both are made from the records. The index has a line for each run. The other file is part of the package: it holds the
main figure of each seed of the runs that `mobiledepth train street` repeats. With `--check` nothing is written, and the
exit status is 1 where a file is stale."""
import json, sys
from pathlib import Path

from fastcore.script import call_parse
from mobiledepth.core import atomic_path
from mobiledepth.runs.config import experiment_groups
from mobiledepth.runs.records import load_records, records_index, write_index
from mobiledepth.tasks import get_task

repo = Path(__file__).resolve().parent.parent
results = repo/'results'
expected_file = repo/'mobiledepth'/'data'/'expected.json'

def expected_values():
    "Experiment of a group -> main figure of each committed seed."
    res = {}
    for member in sum(experiment_groups.values(), ()):
        records = [r for r in load_records(results, 'demo') if r['experiment']==member]
        records.sort(key=lambda r: r['seed'])
        res[member] = [r['metrics'][get_task(r['task']).figures[0].key] for r in records]
    return res

@call_parse
def main(
    check:bool=False, # Write nothing; exit with 1 if the index is stale
):
    "Make results/index.json and mobiledepth/data/expected.json from the records."
    expected = expected_values()
    if not check:
        write_index(results)
        with atomic_path(expected_file) as tmp: tmp.write_text(json.dumps(expected, indent=1) + '\n')
        return
    made = {results/'index.json': records_index(results), expected_file: expected}
    for file,content in made.items():
        if json.loads(file.read_text())!=content: sys.exit(f'{file.name} is stale: run scripts/make_index.py')
