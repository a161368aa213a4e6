"""Write README.md from the saved nbs/index.ipynb: `python scripts/make_readme.py [--check]`.

The script applies nbdev's directives (`hide`, `hide_line`, `export`, `filter_stream` ...). `#| echo: false` hides the
code of a cell but keeps its output. Images are written to nbs/images. With `--check`, nothing is written; the script
prints what is stale, and the exit status is 1."""
import difflib, json, posixpath, re, sys
from pathlib import Path

from fastcore.script import call_parse
from nbconvert import MarkdownExporter
from nbdev.config import get_config
from nbdev.process import NBProcessor
from nbdev.processors import (clean_magics, filter_stream_, hide_, hide_line, rm_export, rm_header_dash, strip_ansi,
                              strip_hidden_metadata)
from nbformat import reads

repo = Path(__file__).resolve().parent.parent
procs = [filter_stream_, hide_, hide_line, clean_magics, rm_export, rm_header_dash, strip_ansi, strip_hidden_metadata]
head = '<!-- Made from nbs/index.ipynb by scripts/make_readme.py: edit the notebook. -->\n\n'

def from_root(source, folder):
    "Convert the relative links in Markdown `source` from a file in `folder` to a file at the root."
    link = lambda m: f']({posixpath.normpath(posixpath.join(folder, m[1]))})'
    return re.sub(r'\]\((?![a-z]+:|[#/])([^)\s]+)\)', link, source)

def set_echo(cell):
    "Remove the Quarto lines `#| name: value` from `cell`; a tag keeps `echo: false`."
    if cell.cell_type!='code': return
    if re.search(r'^#\|\s*echo:\s*false', cell.source, re.M): cell.metadata['tags'] = ['no_echo']
    cell['source'] = re.sub(r'^#\|.*\n?', '', cell.source, flags=re.M)

def plain(o):
    "Return a notebook as plain dicts and lists, without attributes of nbdev."
    if isinstance(o, dict): return {k:plain(v) for k,v in o.items() if not k.endswith('_')}
    return [plain(v) for v in o] if isinstance(o, (list,tuple)) else o

def render(nb_file):
    "Return the text of the README, and its images as a dict from path to bytes."
    nb = NBProcessor(nb_file, procs=procs, process=True).nb
    folder = nb_file.parent.relative_to(repo).as_posix()
    for cell in nb.cells:
        set_echo(cell)
        if cell.cell_type=='markdown': cell['source'] = from_root(cell.source, folder)
    nb.metadata['language_info'] = {'name':'python'}
    exporter = MarkdownExporter(config={'TagRemovePreprocessor': {'enabled':True, 'remove_input_tags':{'no_echo'}}})
    resources = dict(unique_key=nb_file.stem, output_files_dir=f'{folder}/images')
    text,res = exporter.from_notebook_node(reads(json.dumps(plain(nb)), as_version=4), resources=resources)
    text = re.sub(r'\n{3,}', '\n\n', '\n'.join(o.rstrip() for o in text.splitlines()))
    return head + text.strip() + '\n', {repo/k:v for k,v in res['outputs'].items()}

def broken_links(text):
    "Return the relative links in `text` to missing files."
    return sorted({o for o in re.findall(r'\]\((?![a-z]+:|[#/])([^)\s#]+)', text) if not (repo/o).exists()})

@call_parse
def main(
    check:bool=False, # Write nothing; exit with a diff if README.md is stale
):
    "Write README.md from nbs/index.ipynb."
    nb_file,readme = get_config(path=repo).nbs_path/get_config(path=repo).readme_nb,repo/'README.md'
    text,pics = render(nb_file)
    stale = [o for o in (nb_file.parent/'images').glob(f'{nb_file.stem}_*') if o not in pics]
    if not check:
        for o in stale: o.unlink()
        for k,v in pics.items():
            k.parent.mkdir(exist_ok=True)
            k.write_bytes(v)
        readme.write_text(text, encoding='utf-8')
    old = readme.read_text(encoding='utf-8') if readme.exists() else ''
    old,new = old.splitlines(),text.splitlines()
    faults = list(difflib.unified_diff(old, new, 'README.md', 'nbs/index.ipynb', lineterm=''))
    other = [o for o,content in pics.items() if not o.exists() or o.read_bytes()!=content]
    faults += [f'{o.relative_to(repo)}: differs from the image in the notebook' for o in other]
    if check: faults += [f'{o.relative_to(repo)}: no longer in the notebook' for o in stale]
    if faults: faults.append('README.md is stale: run scripts/make_readme.py')
    faults += [f'README.md: broken link to {o}' for o in broken_links(text)]
    if faults: sys.exit('\n'.join(faults))
