"""Run a command line of the README in a fresh clone with an empty home folder, and measure its time.

`python scripts/fresh_line.py {1,2} [--out FILE]` reads the line from README.md, runs it in a clone of HEAD and measures
each part. The record of kind 'check' contains seconds, the size of the environment and the end of the output. The exit
status is 1 if a part fails."""
import os, re, subprocess, sys, time
from pathlib import Path
from tempfile import TemporaryDirectory

from fastcore.script import call_parse

from mobiledepth.runs.history import device_name
from mobiledepth.runs.records import git_commit, write_record

repo = Path(__file__).resolve().parent.parent

def lines():
    "Return the command lines in README.md."
    return re.findall(r'^python3\.11 -m venv .*$', (repo/'README.md').read_text(), re.M)

def typed(part, folder):
    "Run one part in the clone, and return a row of the record."
    ours = 'MOBILEDEPTH', 'OMP_', 'MKL_', 'PYTHON', 'VIRTUAL_ENV'
    env = {k:v for k,v in os.environ.items() if not k.startswith(ours)}
    started = time.time()
    res = subprocess.run(['bash', '-c', part], cwd=folder/'clone', env=env|dict(HOME=str(folder/'home')), text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = re.sub(r'[^\n]*\r', '', res.stdout).replace(str(folder), 'FOLDER')
    seconds = round(time.time()-started)
    print(f"{part}\n  status {res.returncode}, {seconds} s", flush=True)
    return dict(part=part, seconds=seconds, status=res.returncode, output=text.splitlines()[-40:])

def size_mib(folder):
    "Return the size of a folder on disk in MiB."
    res = subprocess.run(['du', '-sm', str(folder)], capture_output=True, text=True)
    return int(res.stdout.split()[0])

@call_parse
def main(
    n:int,        # Number of the line: 1 trains, 2 tests
    out:str=None, # File of the record; default: results/fresh-line{n}.json
):
    "Run a line of the README, and write a record."
    line,rows = lines()[n-1],[]
    with TemporaryDirectory() as d:
        d = Path(d)
        subprocess.run(['git', 'clone', '-q', str(repo), str(d/'clone')], check=True)
        (d/'home').mkdir()
        for part in line.split(' && '):
            rows.append(typed(part, d))
            if rows[-1]['status']: break
        mib = size_mib(d/'clone'/'.venv')
    record = dict(experiment=f'fresh-line{n}', kind='check', line=line, parts=rows, environment_mib=mib,
                  commits=[git_commit(repo)], devices=[device_name()])
    write_record(Path(out or repo/'results'/f'fresh-line{n}.json'), record)
    if rows[-1]['status']: sys.exit(1)
