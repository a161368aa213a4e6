"""The head of the queue on a machine with a GPU, within a time limit: `python scripts/gpu.py FOLDER`.

So many runs train on the GPU in parallel processes, in the order of `scripts/queue.txt`. All arms of one comparison run
on one type of device: a block of the list is left out where one of its runs was finished on another. What is finished
at the end is a record and weights in `FOLDER/runs`, what is not is a state there, from which the next call resumes."""
import sys
from pathlib import Path

import torch
from fastcore.script import call_parse
from run_queue import file_of, read_queue, repo, results, train_all

from mobiledepth.runs.history import device_name
from mobiledepth.runs.records import read_record

def on_device(block, device):
    "Were all finished runs of a block trained on this type of device alone?"
    files = [file_of(run, results) for run in block]
    devices = {o for f in files if f.exists() for o in read_record(f)['devices']}
    return devices<={device}

@call_parse
def main(
    folder:str,         # For records, weights and states
    jobs:int=8,         # Runs at once
    minutes:float=8.,   # Time limit
    device:str='cuda',  # PyTorch's name of the device; `cpu` tries the script where there is no GPU
):
    "Train the head of the queue on a GPU."
    if device=='cuda' and not torch.cuda.is_available():
        sys.exit('PyTorch finds no GPU here: run scripts/run_queue.py, which trains on the processor')
    blocks = [o for o in read_queue() if on_device(o, device_name(torch.device(device)))]
    queue = [run for block in blocks for run in block]
    failed = train_all(queue, Path(folder).resolve(), repo, jobs, minutes)
    for name,seed in failed: print(f'{name}, seed {seed} failed: {folder}/logs/{name}-seed{seed}.txt')
    sys.exit(bool(failed))
