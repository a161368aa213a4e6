"""Kill the making of a street set at random moments; no broken file may be left, and the finished set must be equal to
that of an undisturbed process: `python scripts/kill_data.py [--kills 20] [--out results/survive-data.json]`.

Exit status 1 where that does not hold."""
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
    "The process that makes the set."
    program = 'from mobiledepth.cli import main; raise SystemExit(main())'
    options = dict(out=folder, frames=','.join(map(str, n)), size='x'.join(map(str, size)), samples=samples,
                   workers=workers)
    words = [o for k,v in options.items() for o in (f'--{k}', str(v))]
    return subprocess.Popen([sys.executable, '-c', program, 'data', 'make', *words],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def frames(folder):
    "How many frames are complete; raises where a file cannot be read to the end, or a frame lacks one of its files."
    images = list((folder/'images').glob('[!.]*.png')) if folder.exists() else []
    for f in list(folder.rglob('[!.]*.png')): np.asarray(Image.open(f))
    for f in list(folder.rglob('[!.]*.json')): json.loads(f.read_text())
    for f in images:
        for o in (folder/'labels'/f'{f.stem}_P.png', folder/'depth'/f.name, folder/'cameras'/f'{f.stem}.json'):
            if not o.exists(): raise FileNotFoundError(o)
    return len(images)

def finish(folder, n):
    "Make the set, undisturbed; the seconds it took."
    began,p = time.time(),start(folder, n)
    if p.wait(): sys.exit(f'data make ended with {p.returncode}')
    if frames(folder)!=sum(n): sys.exit(f'{folder.name} is not complete')
    return time.time()-began

def kill_once(folder, n, moment):
    "Start, kill after `moment` seconds; a row of the record, or None where the set was finished before."
    p = start(folder, n)
    try: p.wait(moment)
    except subprocess.TimeoutExpired: p.kill()
    if p.wait() not in (0, -signal.SIGKILL): sys.exit(f'data make ended with {p.returncode}')
    time.sleep(.5) # the workers see that their parent is gone
    return dict(seconds=round(moment, 2), frames=frames(folder)) if p.returncode else None

@call_parse
def main(
    kills:int=20,  # How often
    n:int=24,      # Frames of train; a quarter of it for validation and test each
    seed:int=0,    # Of the moments
    out:str='',    # Record to write; empty: none
):
    "Kill, check the files, repeat; then compare."
    rng,n = random.Random(seed),(n, n//4, n//4)
    with TemporaryDirectory() as d:
        d,log,sets = Path(d),[],1
        whole = finish(d/'calm', n)
        while len(log)<kills:
            row = kill_once(d/f'set{sets}', n, rng.uniform(.2, whole/3))
            if row: log.append(row)
            else: sets += 1 # it was finished in between: the next one
        finish(d/f'set{sets}', n)
        made = [d/f'set{i+1}' for i in range(sets)]
        equal = {street_digest(o) for o in made}=={street_digest(d/'calm')}
        left = [str(o.relative_to(d)) for folder in made for o in folder.rglob('.*')]
    record = dict(experiment='survive-data', kind='check', kills=log, sets=sets, equal=equal, left_over=left,
                  n=list(n), size=list(size), seed=seed, commits=[git_commit(Path(__file__).parent)],
                  versions=versions(), devices=[device_name()])
    if out: write_record(Path(out), record)
    print(f'{len(log)} kills at {log}; pixels equal to those of an undisturbed set: {equal}; left over: {left}')
    if not equal or left: sys.exit(1)
