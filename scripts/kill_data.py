"""Kill `mobiledepth data make` at random moments and resume it: `python scripts/kill_data.py [--kills 20] [--out
results/survive-data.json]`.

No incomplete file may remain, and the finished data set must equal that of an uninterrupted process. Otherwise the exit
status is 1."""
import json, random, signal, subprocess, sys, time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from fastcore.script import call_parse
from PIL import Image

from mobiledepth.data.street_files import street_digest
from mobiledepth.runs.history import device_name
from mobiledepth.runs.records import git_commit, versions, write_record

size,samples,workers = (96,128),4,2

def start(folder, n):
    "Start the process that renders the data set."
    program = 'from mobiledepth.cli import main; raise SystemExit(main())'
    options = dict(out=folder, frames=','.join(map(str, n)), size='x'.join(map(str, size)), samples=samples,
                   workers=workers)
    words = [o for k,v in options.items() for o in (f'--{k}', str(v))]
    return subprocess.Popen([sys.executable, '-c', program, 'data', 'make', *words],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def frames(folder):
    "Count complete frames. Raises an error for a truncated file, or a frame with a missing file."
    images = list((folder/'images').glob('[!.]*.png')) if folder.exists() else []
    for f in list(folder.rglob('[!.]*.png')): np.asarray(Image.open(f))
    for f in list(folder.rglob('[!.]*.json')): json.loads(f.read_text())
    for f in images:
        for o in (folder/'labels'/f'{f.stem}_P.png', folder/'depth'/f.name, folder/'cameras'/f'{f.stem}.json'):
            if not o.exists(): raise FileNotFoundError(o)
    return len(images)

def finish(folder, n):
    "Render the data set without interruption, and return the seconds."
    began,p = time.time(),start(folder, n)
    if p.wait(): sys.exit(f'data make: exit status {p.returncode}')
    if frames(folder)!=sum(n): sys.exit(f'{folder.name} is incomplete')
    return time.time()-began

def kill_once(folder, n, moment):
    "Start, and kill after `moment` seconds; return a row of the record, or None if the set was finished before."
    p = start(folder, n)
    try: p.wait(moment)
    except subprocess.TimeoutExpired: p.kill()
    if p.wait() not in (0, -signal.SIGKILL): sys.exit(f'data make: exit status {p.returncode}')
    time.sleep(.5) # time for the workers to notice the end of their parent
    return dict(seconds=round(moment, 2), frames=frames(folder)) if p.returncode else None

@call_parse
def main(
    kills:int=20,  # Number of kills
    n:int=24,      # Number of training frames; validation and test have a quarter each
    seed:int=0,    # Seed of the random moments
    out:str='',    # File of the record; empty: no record
):
    "Kill the process several times, check its files, and compare the finished data set."
    rng,n = random.Random(seed),(n, n//4, n//4)
    with TemporaryDirectory() as d:
        d,log,sets = Path(d),[],1
        whole = finish(d/'calm', n)
        while len(log)<kills:
            row = kill_once(d/f'set{sets}', n, rng.uniform(.2, whole/3))
            if row: log.append(row)
            else: sets += 1 # the set is finished: start the next one
        finish(d/f'set{sets}', n)
        made = [d/f'set{i+1}' for i in range(sets)]
        equal = {street_digest(o) for o in made}=={street_digest(d/'calm')}
        left = [str(o.relative_to(d)) for folder in made for o in folder.rglob('.*')]
    record = dict(experiment='survive-data', kind='check', kills=log, sets=sets, equal=equal, left_over=left,
                  n=list(n), size=list(size), seed=seed, commits=[git_commit(Path(__file__).parent)],
                  versions=versions(), devices=[device_name()])
    if out: write_record(Path(out), record)
    print(f'{len(log)} kills at {log}; pixels equal to an uninterrupted process: {equal}; remaining files: {left}')
    if not equal or left: sys.exit(1)
