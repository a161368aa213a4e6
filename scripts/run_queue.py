"""Train the runs in `scripts/queue.txt`, several in parallel with one thread each, in a folder outside the work tree.

`python scripts/run_queue.py FOLDER` can be stopped at any time and called again, also with another list: finished runs
are skipped, interrupted runs resume after their last epoch. A run waits for its teacher or initial network if that is
in the list. Failed runs are reported at the end with their log; the other runs are trained anyway. The folder contains:

- `tree-COMMIT`: a clean checkout of the commit that is trained, so that the work tree can change meanwhile
- `runs`: records, weights and states
- `logs`: the output of each run

`kill -STOP -- -$(cat FOLDER/pid)` pauses the queue, `-CONT` continues it, `-TERM` stops it. With `--collect_only`,
nothing is trained: the script copies finished records to `results/` and writes the index."""
import os, shutil, signal, subprocess, sys, time
from pathlib import Path

from fastcore.script import call_parse

from mobiledepth.runs.config import ablation_settings, get_settings
from mobiledepth.runs.records import record_file, write_index

repo = Path(__file__).resolve().parent.parent
results = repo/'results'
command = 'import sys; from mobiledepth.cli import main; sys.exit(main())'

def read_queue(file=repo/'scripts/queue.txt'):
    "Return blocks of runs (experiment, seed). Raises `ValueError` for an unknown experiment."
    blocks = [[]]
    for line in Path(file).read_text().splitlines():
        name,*seeds = line.partition('#')[0].split() or ['']
        if not name:
            if not line.strip(): blocks.append([])
            continue
        get_settings(name)
        blocks[-1] += [(name, int(seed)) for seed in seeds]
    return [o for o in blocks if o]

def file_of(run, folder):
    "Return the path of the record of a run in `folder`."
    name,seed = run
    kind = 'ablation' if name in ablation_settings else 'result'
    return record_file(name, get_settings(name).size, seed, folder, kind)

def is_finished(run, runs):
    "Return whether the record of a run is committed or in `runs`."
    return file_of(run, results).exists() or file_of(run, runs).exists()

def needed_runs(run, queue):
    "Return the runs in the queue that train the teacher or the initial network of this run."
    s = get_settings(run[0])
    names = {s.start, s.distill.teacher if s.distill else ''}
    return [o for o in queue if o[0] in names and o[1] in (run[1], 0)]

def next_run(queue, runs, begun):
    "Return the first run that can start; None if there is none."
    for run in queue:
        if run in begun or is_finished(run, runs): continue
        weights = [runs/'weights'/f'{file_of(o, runs).stem}.safetensors' for o in needed_runs(run, queue)]
        if all(o.exists() for o in weights): return run

def start_run(run, folder, tree, options=()):
    "Start a process that trains one run with one thread."
    name,seed = run
    env = dict(os.environ, PYTHONPATH=str(tree), OMP_NUM_THREADS='1', OMP_WAIT_POLICY='PASSIVE')
    args = ['train', name, '--seed', str(seed), '--results', str(folder/'runs'), *options]
    log = folder/'logs'/f'{name}-seed{seed}.txt'
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('a') as out:
        return subprocess.Popen([sys.executable, '-c', command, *args], cwd=tree, env=env, stdout=out, stderr=out)

def train_all(queue, folder, tree, jobs, minutes=None, options=()):
    "Train a queue within a time limit, and return the runs that failed. Stopped runs resume at the next call."
    ends = time.time()+60*minutes if minutes else float('inf')
    begun,running,failed = set(),{},[]
    try:
        while time.time()<ends:
            for run in [o for o,process in running.items() if process.poll() is not None]:
                del running[run]
                if not is_finished(run, folder/'runs'): failed.append(run)
                print(f'{run[0]}, seed {run[1]}: {"failed" if run in failed else "finished"}', flush=True)
            while len(running)<jobs and (run := next_run(queue, folder/'runs', begun)):
                begun.add(run)
                running[run] = start_run(run, folder, tree, options)
            if not running: break
            time.sleep(.2)
    finally:
        for process in running.values(): process.terminate()
        for process in running.values(): process.wait()
    return failed

def checkout(folder, commit):
    "Create a clean checkout of `commit` in the folder."
    full = subprocess.check_output(['git', 'rev-parse', commit], cwd=repo, text=True).strip()
    tree = folder/f'tree-{full[:10]}'
    if not tree.exists():
        subprocess.run(['git', 'worktree', 'prune'], cwd=repo, check=True)
        subprocess.run(['git', 'worktree', 'add', '--detach', str(tree), full], cwd=repo, check=True)
    return tree

def collect(queue, folder):
    "Copy finished records to `results/`, write the index, and return the copies."
    found = [(file_of(o, folder/'runs'), file_of(o, results)) for o in queue]
    new = [(a, b) for a,b in found if a.exists() and not b.exists()]
    for a,b in new: shutil.copyfile(a, b)
    write_index(results)
    return [b for a,b in new]

@call_parse
def main(
    folder:str,         # Folder for all files of the queue, outside the work tree
    jobs:int=2,         # Number of parallel runs
    minutes:float=None, # Time limit in minutes, after which runs are stopped; default: no limit
    commit:str='HEAD',  # Commit whose code is used
    collect_only:bool=False, # Train nothing; copy finished records to `results/`
):
    "Train the runs in the queue."
    folder = Path(folder).resolve()
    if folder.is_relative_to(repo): sys.exit(f'{folder} is inside the work tree: use a folder outside it')
    queue = [o for block in read_queue() for o in block]
    if collect_only:
        for file in collect(queue, folder): print(file)
        return
    tree = checkout(folder, commit)
    if os.getpgrp()!=os.getpid(): os.setpgrp() # a process group, so that one signal reaches all processes
    (folder/'pid').write_text(str(os.getpid()))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed = train_all(queue, folder, tree, jobs, minutes, ['--resume-anywhere'])
    for name,seed in failed: print(f'{name}, seed {seed} failed: {folder}/logs/{name}-seed{seed}.txt')
    sys.exit(bool(failed))
