"""Type the two lines of the README in fresh clones, with an empty home, and note what they take: `python scripts/two_lines.py [--out FILE]`.

What is typed is read from README.md. Each line gets a clone of HEAD and is timed part by part; the record of kind 'check' has seconds, the size
of the environment and the end of the output. Exit status 1 where a part fails."""
import os, re, subprocess, sys, time
from pathlib import Path
from tempfile import TemporaryDirectory

from fastcore.script import call_parse

from mobiledepth.records import device_name, git_commit, write_record

repo = Path(__file__).resolve().parent.parent

def lines():
    "The two lines as README.md prints them."
    return re.findall(r'^python3\.11 -m venv .*$', (repo/'README.md').read_text(), re.M)

def typed(line, folder):
    "Run the parts of `line` one after the other in a fresh clone; a row a part."
    subprocess.run(['git', 'clone', '-q', str(repo), str(folder/'clone')], check=True)
    (folder/'home').mkdir()
    env = {k:v for k,v in os.environ.items() if not k.startswith(('MOBILEDEPTH', 'OMP_', 'MKL_', 'PYTHON', 'VIRTUAL_ENV'))}
    rows = []
    for part in line.split(' && '):
        started = time.time()
        res = subprocess.run(['bash', '-c', part], cwd=folder/'clone', env=env|dict(HOME=str(folder/'home')), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        text = re.sub(r'.*\r', '', res.stdout).replace(str(folder), 'FOLDER')
        rows.append(dict(part=part, seconds=round(time.time()-started), status=res.returncode, output=text.splitlines()[-40:]))
        print(f"{part}\n  status {res.returncode}, {rows[-1]['seconds']} s", flush=True)
        if res.returncode: break
    mib = subprocess.run(['du', '-sm', str(folder/'clone'/'.venv')], capture_output=True, text=True).stdout.split()[0]
    return dict(line=line, parts=rows, environment_mib=int(mib))

@call_parse
def main(
    out:str=None, # File of the record; without it results/two-lines.json
):
    "Type both lines, and write a record."
    done = []
    for line in lines():
        with TemporaryDirectory() as d: done.append(typed(line, Path(d)))
    write_record(Path(out or repo/'results'/'two-lines.json'), dict(experiment='two-lines', kind='check', lines=done, commit=git_commit(repo), device=device_name()))
    if any(row['status'] for o in done for row in o['parts']): sys.exit(1)
