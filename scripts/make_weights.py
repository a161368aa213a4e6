"""Make mobiledepth/data/weights.json from weights/ and mobiledepth/data/weights/: `python scripts/make_weights.py`.

The table holds the SHA-256 of both files of every packaged model, and `load_pretrained` refuses other files of that
name. Run it after a file in one of the folders was added, replaced or removed. With `--check` nothing is written; a
stale table is shown as a diff, and the exit status is 1."""
import difflib, json, sys
from pathlib import Path

from fastcore.script import call_parse
from mobiledepth.checkpoints import weights_sums
from mobiledepth.core import atomic_path

repo = Path(__file__).resolve().parent.parent

@call_parse
def main(
    check:bool=False, # Write nothing; exit with a diff if the table is stale
):
    "Make mobiledepth/data/weights.json from weights/ and mobiledepth/data/weights/."
    data = repo/'mobiledepth'/'data'
    table = data/'weights.json'
    old = table.read_text() if table.exists() else ''
    text = json.dumps(weights_sums(repo/'weights', data/'weights'), indent=1) + '\n'
    if not check:
        with atomic_path(table) as tmp: tmp.write_text(text)
        return
    if old==text: return
    diff = difflib.unified_diff(old.splitlines(), text.splitlines(), 'weights.json', 'weights/', lineterm='')
    sys.exit('\n'.join([*diff, 'mobiledepth/data/weights.json is stale: run scripts/make_weights.py']))
