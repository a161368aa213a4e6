"""Measure time per step and peak memory of each term of depth distillation, on a generated batch with random weights.

`python scripts/bench_depth_distill.py` writes `results/bench-depth-distill.json`. Peak memory is measured first, each
variant in a separate process. Then, in one process, each repeat measures a step of each variant and a forward pass of
the teacher. The settings are those of `nyu-distilled` without `full_images`: the batch has no crops."""
import json
from dataclasses import asdict
from pathlib import Path

import torch
from bench_distill import (frozen_unet, loaders_of, peak_in_child, print_peak, quartiles, random_unet, step_of,
                           time_steps)
from fastai.vision.all import Learner, set_seed
from fastcore.script import call_parse

from mobiledepth.runs.config import change_settings, get_settings
from mobiledepth.runs.experiments import make_cbs
from mobiledepth.runs.history import device_name
from mobiledepth.runs.records import git_commit, versions, write_record
from mobiledepth.tasks import get_task

repo = Path(__file__).resolve().parent.parent
none = dict(dense=0., affinity=0., feature=0.)
variants = dict(plain=None, dense=dict(dense=1.), affinity=dict(affinity=10.), feature=dict(feature=1.),
                all=dict(dense=1., affinity=10., feature=1.))

def make_teacher():
    "Return a network of the size of the teacher."
    return frozen_unet(get_settings('nyu-teacher'), 1)

def make_step(variant, s):
    "Return a function that runs one training step of a new student in a fastai `Learner`."
    set_seed(0)
    batch = torch.rand(s.bs, 3, *s.load_size),torch.rand(s.bs, 1, *s.load_size)*9+.5
    learn = Learner(loaders_of(batch), random_unet(s, 1), loss_func=get_task('depth').loss(None, s.options))
    weights = variants[variant]
    if weights: learn.add_cbs(make_cbs(change_settings(s, **none | weights), make_teacher(), learn))
    return step_of(learn, batch)

def all_steps(s):
    "Return the measured functions: a step of each variant, and the forward pass of the teacher."
    steps = {v: make_step(v, s) for v in variants}
    teacher,x = make_teacher(),torch.rand(s.bs, 3, *s.load_size)
    steps['teacher'] = torch.no_grad()(lambda: teacher(x))
    return steps

@call_parse
def main(
    repeats:int=20,    # Number of measured repeats
    steps:int=3,       # Number of steps before peak memory is read
    threads:int=1,     # Number of threads of PyTorch
    out:str=None,      # File of the record; default: results/bench-depth-distill.json
    peak_of:str=None,  # Only print the peak memory of this variant
):
    "Measure time and memory of the distillation terms, and write a record."
    torch.set_num_threads(threads)
    s = change_settings(get_settings('nyu-distilled'), pretrained=False, full_images=0.)
    if peak_of: return print_peak(make_step(peak_of, s), steps)
    # first, while this process is small: the peak of a child starts at that of its parent
    memory = {v: peak_in_child(v) for v in variants}
    times = time_steps(all_steps(s), repeats)
    ratios = {v: [d/p for d,p in zip(times[v], times['plain'])] for v in times}
    record = dict(experiment='bench-depth-distill', kind='bench',
                  settings=dict(asdict(s), repeats=repeats, steps=steps), commits=[git_commit(repo)],
                  versions=versions(), devices=[device_name()], seconds={k: quartiles(v) for k,v in times.items()},
                  over_plain={k: quartiles(v) for k,v in ratios.items()}, peak_mib=memory)
    write_record(Path(out or repo/'results'/'bench-depth-distill.json'), record)
    print(json.dumps({k: record[k] for k in ('seconds', 'over_plain', 'peak_mib')}, indent=1))
