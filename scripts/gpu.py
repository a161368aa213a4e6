"""Train the first runs of the queue on a machine with a GPU, within a time limit: `python scripts/gpu.py FOLDER`.

The runs train on the GPU in parallel processes, in the order of `scripts/queue.txt`. All runs of one comparison use one
type of device: a block of the list is skipped if one of its runs is finished on another type. Finished runs leave a
record and weights in `FOLDER/runs`; unfinished runs leave a state there, from which the next call resumes."""
import sys
from pathlib import Path

import torch
from fastcore.script import call_parse
from run_queue import file_of, read_queue, repo, results, train_all

from mobiledepth.runs.history import device_name
from mobiledepth.runs.records import read_record

def on_device(block, device):
    "Return whether all finished runs of a block were trained on this type of device."
    files = [file_of(run, results) for run in block]
    devices = {o for f in files if f.exists() for o in read_record(f)['devices']}
    return devices<={device}

@call_parse
def main(
    folder:str,         # Folder for records, weights and states
    jobs:int=8,         # Number of parallel runs
    minutes:float=8.,   # Time limit in minutes
    device:str='cuda',  # PyTorch device; `cpu` tests the script without a GPU
):
    "Train the first runs of the queue on a GPU."
    if device=='cuda' and not torch.cuda.is_available():
        sys.exit('PyTorch finds no GPU: run scripts/run_queue.py, which trains on the CPU')
    blocks = [o for o in read_queue() if on_device(o, device_name(torch.device(device)))]
    queue = [run for block in blocks for run in block]
    failed = train_all(queue, Path(folder).resolve(), repo, jobs, minutes)
    for name,seed in failed: print(f'{name}, seed {seed} failed: {folder}/logs/{name}-seed{seed}.txt')
    sys.exit(bool(failed))
