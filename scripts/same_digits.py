"""Compare the training results of this checkout and another commit: `python scripts/same_digits.py COMMIT
[--experiments a,b]`.

The script trains one epoch of seed 0 of each experiment at this checkout and at COMMIT on this machine. It compares
parameters, data, encoder weights, history and metrics on the test images. The exit status is 1 if a digit differs.
The data sets are found as usual ($MOBILEDEPTH_DATA)."""
import json, os, subprocess, sys, tempfile
from pathlib import Path

from fastcore.script import call_parse

repo = Path(__file__).resolve().parent.parent
run = """
import importlib, json, sys, torch
from pathlib import Path
import mobiledepth
torch.set_num_threads(1)
in_folders = (Path(mobiledepth.__file__).parent/'runs').is_dir() # False for commits without folders
experiments = importlib.import_module('mobiledepth.runs.experiments' if in_folders else 'mobiledepth.experiments')
run_experiment = experiments.run_experiment
record = run_experiment(sys.argv[1], 0, None, sys.argv[2], epochs=1)
keys = 'params', 'macs', 'data_fingerprint', 'weights_sha256', 'metrics', 'history'
json.dump({k:record[k] for k in keys}, open(sys.argv[3], 'w'))
"""

def digits(checkout, experiment, folder):
    "Return the record of one epoch of `experiment` at a `checkout`, without times."
    found = Path(folder)/'found.json'
    env = os.environ | dict(PYTHONPATH=str(checkout), OMP_NUM_THREADS='1')
    words = [sys.executable, '-c', run, experiment, str(Path(folder)/'runs'), str(found)]
    subprocess.run(words, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    res = json.loads(found.read_text())
    for row in res['history']: del row['seconds']
    return res

@call_parse
def main(
    commit:str, # Git commit to compare with
    experiments:str='camvid-student,camvid-distilled,nyu-student', # Names of experiments, separated by commas
):
    "Compare one epoch of experiments with another commit."
    same = True
    with tempfile.TemporaryDirectory() as tmp:
        other = Path(tmp)/'other'
        subprocess.run(['git', 'worktree', 'add', '--quiet', '--detach', str(other), commit], cwd=repo, check=True)
        try:
            for name in experiments.split(','):
                found = []
                for checkout in (repo, other):
                    with tempfile.TemporaryDirectory() as folder: found.append(digits(checkout, name, folder))
                added = found[0]['metrics'].keys() ^ found[1]['metrics'].keys()
                for key in sorted(added): print(f'{name}: only one of the commits reports {key}')
                for res in found: res['metrics'] = {k: v for k,v in res['metrics'].items() if k not in added}
                for where,res in zip(('here', commit), found):
                    print(f'{name}, {where}: {json.dumps(res["history"])}')
                print(f'{name}: {"equal in every digit" if found[0]==found[1] else "DIFFERENT"}', flush=True)
                same = same and found[0]==found[1]
        finally: subprocess.run(['git', 'worktree', 'remove', '--force', str(other)], cwd=repo)
    if not same: sys.exit(1)
