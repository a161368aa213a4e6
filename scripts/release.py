"""Show in the README what needs the project's public address: `python scripts/release.py`.

In nbs/index.ipynb, the badges of CI, documentation, Colab and release stand in a comment, from `<!-- public` to
`public -->`. The script removes these two marks and makes README.md again. Run it when the repository is public."""
import json, subprocess, sys
from pathlib import Path

from fastcore.script import call_parse

repo = Path(__file__).resolve().parent.parent
notebook = repo/'nbs'/'index.ipynb'
marks = '<!-- public\n', 'public -->\n'

def without_marks(nb):
    "The cells of a notebook in which the public block is no comment. Raises `ValueError` where there is no such block."
    cells = [cell for cell in nb['cells'] if marks[0] in cell['source']]
    if len(cells)!=1: raise ValueError(f'{notebook}: {len(cells)} public blocks, expected 1: it may be shown already')
    cells[0]['source'] = [line for line in cells[0]['source'] if line not in marks]
    return nb

@call_parse
def main():
    "Show in the README what needs the project's public address."
    nb = without_marks(json.loads(notebook.read_text(encoding='utf-8')))
    notebook.write_text(json.dumps(nb, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    subprocess.run([sys.executable, repo/'scripts'/'make_readme.py'], check=True)
