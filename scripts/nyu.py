"""Ablations for depth on NYU, a short run each, scored on rooms held out of train; the 654 test frames choose nothing.

`python scripts/nyu.py NAME` trains one variant for a third of the epochs of the final runs, reports on the held-out
frames and leaves a record of kind 'ablation'. In `base` depth is not rescaled with a crop; in all others it is
(`rescale_depth`), and they differ from `camera`, or from `crop50`, in what their name says. The `kd-` ones have the
recipe of the final runs and a teacher, which must have been run before: `teacher`, or for `kd-whole-lam50` one with
that recipe; `load192` has its larger batches and no teacher. With `own` the loss is taken at the student's size, not at
that of the batches. In the `half` ones every second training frame hides its depth, from `half-teacher` too: what
`half-kd` learns from those frames is pseudo-labels alone; `half` has no teacher (`--seed` makes pairs of them).

The record of an ablation `norms` names a setting that brought nothing and is gone, `kd-a25` saw batches that were
shrunk ahead of the network, which is gone too: their commits have it. `--epochs` sets the length:
`python scripts/nyu.py whole-lam50 --epochs 19` is as long as the final runs."""
import sys
from dataclasses import replace

import torch
from fastcore.script import call_parse

from mobiledepth.runs.config import Distill, change_settings, get_settings
from mobiledepth.runs.experiments import run_settings, run_weights

student,teacher = map(get_settings, ('nyu-student', 'nyu-teacher'))
base = change_settings(student, epochs=7, holdout='holdout', rescale_depth=False, min_scale=.3, silog_lam=.85,
                       full_images=0.)
camera = dict(rescale_depth=True)
crop50 = camera | dict(min_scale=.5)
recipe = crop50 | dict(full_images=.3, silog_lam=.5)
large = {k: getattr(teacher, k) for k in ('backbone', 'decoder_channels', 'size')}
larger_batches = dict(load_size=teacher.size)
variants = {
    'base': {},
    'camera': camera,
    'silog': camera | dict(gradient=0.),
    'normal': camera | dict(normal=1.),
    'robust': camera | dict(robust=.6),
    'bounded': camera | dict(depth_range=(500, 10500)),
    'crop50': crop50,
    'whole': crop50 | dict(full_images=.3),
    'whole-lam50': recipe,
    'lam50': crop50 | dict(silog_lam=.5),
    'load192': recipe | larger_batches,
    'load192-own': recipe | larger_batches | dict(loss_size=base.size),
    'half': recipe | larger_batches | dict(labels='every 2'),
    'teacher': crop50 | large,
    'teacher-whole-lam50': recipe | large,
    'half-teacher': recipe | large | dict(labels='every 2')}
distilled = { # the teacher, and what is changed
    'kd-dense': ('teacher', dict(dense=1.)),
    'kd-whole-lam50': ('teacher-whole-lam50', dict(dense=1.)),
    'kd-a25': ('teacher-whole-lam50', dict(dense=1., a=.25)),
    'kd-feature-own': ('teacher-whole-lam50', dict(dense=0., feature=1., loss_size=base.size)),
    'kd-affinity': ('teacher', dict(dense=0., affinity=10.)),
    'kd-feature': ('teacher', dict(dense=0., feature=1.)),
    'kd-feature4': ('teacher', dict(dense=0., feature=4.)),
    'kd-all': ('teacher', dict(dense=1., affinity=10., feature=1.)),
    'half-kd': ('half-teacher', dict(dense=1., labels='every 2'))}

def settings_of(name, results):
    "Settings of the variant called `name`."
    if name in variants: return change_settings(base, **variants[name])
    taught_by,changed = distilled[name]
    size = change_settings(base, **variants[taught_by]).size
    weights = run_weights(f'nyu-{taught_by}-short', size, 0, results)
    with_teacher = replace(base, distill=Distill(str(weights)))
    return change_settings(with_teacher, **recipe | larger_batches | changed)

@call_parse
def main(
    name:str,           # Of the variant; another word prints all names
    epochs:int=7,       # Of the second phase of `fine_tune`; part of the record's name, if it is not a short run
    seed:int=0,         # Of loaders, network and augmentation
    path:str=None,      # Folder of NYU; else $MOBILEDEPTH_DATA/nyuv2
    results:str='runs', # Folder for the record
    threads:int=1,      # Of PyTorch
):
    "Train one variant and leave its record."
    names = [*variants, *distilled]
    if name not in names: sys.exit(f'{name}: expected one of ' + ', '.join(names))
    torch.set_num_threads(threads)
    length = 'short' if epochs==base.epochs else f'{epochs+1}-epochs'
    s = replace(settings_of(name, results), epochs=epochs)
    run_settings(f'nyu-{name}-{length}', s, seed, path, results, 'ablation')
